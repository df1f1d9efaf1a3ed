using System.Collections.Immutable;
using System.Text.Json;
using Slipway.Documents.Evaluations;
using Slipway.Documents.Gates;
using Slipway.Documents.Runs;
using Slipway.Documents.Statements;
using Slipway.Pipeline.Sealing;
using Slipway.Primitives.Bytes;
using Slipway.Tests.Primitives;
using Slipway.Trust.Attestations;
using Slipway.Trust.Signing;
using Slipway.Trust.Verification;

namespace Slipway.Tests.Pipeline.Sealing;

public sealed class StatementTests : IDisposable
{
    private readonly TestFolder folder = new();

    public void Dispose() => folder.Dispose();

    private static Digest Bundle => SampleRun.Of("bundle");

    [Theory]
    [InlineData(Verdict.Pass, new[] { Verdict.Pass, Verdict.Pass }, "PASSED")]
    [InlineData(Verdict.Pass, new[] { Verdict.Pass, Verdict.NotEvaluated }, "WARNED")]
    [InlineData(Verdict.Fail, new[] { Verdict.Pass, Verdict.Fail }, "FAILED")]
    [InlineData(Verdict.InsufficientEvidence, new[] { Verdict.Pass, Verdict.InsufficientEvidence }, "FAILED")]
    [InlineData(Verdict.InsufficientEvidence, new Verdict[0], "FAILED")]
    [InlineData(Verdict.NotEvaluated, new[] { Verdict.NotEvaluated }, "FAILED")]
    public void Only_a_pass_is_passed(Verdict verdict, Verdict[] gates, string result)
    {
        var statement = VerdictStatement.OfGates(Report(Bundle, verdict, gates), Documents(), SampleRun.Noon);
        var predicate = statement.Predicate!.Value;
        Assert.Equal(result, predicate.GetProperty("result").GetString());
        Assert.Equal(gates.Count(gate => gate == Verdict.Pass), predicate.GetProperty("passedTests").GetArrayLength());
        Assert.Equal(gates.Count(gate => gate == Verdict.Fail), predicate.GetProperty("failedTests").GetArrayLength());
        Assert.True(statement.Covers(Bundle));
    }

    [Fact]
    public void A_gate_statement_has_the_published_shape()
    {
        using var published = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "Pipeline", "vectors", "in-toto", "test-result-1.json")));
        var ours = JsonDocument.Parse(VerdictStatement.OfGates(Report(Bundle, Verdict.Pass, [Verdict.Pass]), Documents(), SampleRun.Noon).ToBytes()).RootElement;
        SameShape(published.RootElement, ours, "_type", "predicateType", "subject");
        Assert.Equal(published.RootElement.GetProperty("_type").GetString(), ours.GetProperty("_type").GetString());
        Assert.Equal(published.RootElement.GetProperty("predicateType").GetString(), ours.GetProperty("predicateType").GetString());
        var predicate = ours.GetProperty("predicate");
        SameShape(published.RootElement.GetProperty("predicate"), predicate, "result", "configuration", "passedTests", "warnedTests", "failedTests");
        Assert.All(predicate.EnumerateObject(), member => Assert.True(member.Name.StartsWith("slipway_", StringComparison.Ordinal) || published.RootElement.GetProperty("predicate").TryGetProperty(member.Name, out _), member.Name));

        static void SameShape(JsonElement published, JsonElement ours, params string[] names) =>
            Assert.All(names, name => Assert.Equal(published.GetProperty(name).ValueKind, ours.GetProperty(name).ValueKind));
    }

    [Fact]
    public void An_evaluation_is_passed_only_where_every_metric_has_an_interval()
    {
        var documents = Documents();
        Assert.Equal("PASSED", Result(documents.Evaluation!));
        var unsure = documents.Evaluation!.Metrics.SetItem("brier", new Figure(0.2, null, null, 10));
        Assert.Equal("WARNED", Result(documents.Evaluation with { Metrics = unsure }));
        Assert.Equal("FAILED", Result(documents.Evaluation with { Metrics = documents.Evaluation.Metrics.Remove("brier") }));
        Assert.Throws<ArgumentException>(() => VerdictStatement.OfEvaluation(Bundle, documents with { Evaluation = null }, SampleRun.Noon));

        string Result(Slipway.Documents.Evaluations.Evaluation evaluation)
        {
            var predicate = VerdictStatement.OfEvaluation(Bundle, documents with { Evaluation = evaluation }, SampleRun.Noon).Predicate!.Value;
            Assert.Equal(0.65, predicate.GetProperty("slipway_evaluation").GetProperty("metrics").GetProperty("auc").GetProperty("value").GetDouble());
            return predicate.GetProperty("result").GetString()!;
        }
    }

    [Fact]
    public void Provenance_has_the_members_that_slsa_names()
    {
        var request = SampleRun.In(folder["src"]);
        var source = new SourceRevision("0123456789012345678901234567890123456789", "https://example.org/team/project.git", IsDirty: true);
        var statement = new Provenance(
            Bundle, Sealer.Documents(request), request.Code, source, "https://example.org/builder", "0.1.0", "20260314-120000-abcdef", SampleRun.Noon, SampleRun.Noon.AddSeconds(90.5),
            [new StageMeasurement("fit", false, 12.5, 1 << 20, Isolation.Sandbox), new StageMeasurement("score", true, 0.001, null, Isolation.Oci)]).ToStatement();

        Assert.Equal("https://slsa.dev/provenance/v1", statement.PredicateType);
        var predicate = statement.Predicate!.Value;
        Assert.Equal(["buildDefinition", "runDetails"], Names(predicate));
        var build = predicate.GetProperty("buildDefinition");
        Assert.Equal(["buildType", "externalParameters", "internalParameters", "resolvedDependencies"], Names(build));
        Assert.Equal("oci", build.GetProperty("internalParameters").GetProperty("isolation").GetString());
        Assert.True(Provenance.SaysAsMuch(statement, Isolation.Oci));
        Assert.False(Provenance.SaysAsMuch(statement, Isolation.Sandbox));
        Assert.Equal("https://slipway.dev/build/v1", build.GetProperty("buildType").GetString());
        Assert.Equal(31, build.GetProperty("externalParameters").GetProperty("params").GetProperty("leaves").GetInt32());
        Assert.Equal(
            ["source", "data/flights", "environments/py", "pipeline/train.py", "serve/predict.py"],
            build.GetProperty("resolvedDependencies").EnumerateArray().Select(dependency => dependency.GetProperty("name").GetString()));
        var git = build.GetProperty("resolvedDependencies")[0];
        Assert.Equal("git+https://example.org/team/project.git@" + source.Commit, git.GetProperty("uri").GetString());
        Assert.Equal(source.Commit, git.GetProperty("digest").GetProperty("gitCommit").GetString());
        Assert.True(git.GetProperty("annotations").GetProperty("dirty").GetBoolean());

        var run = predicate.GetProperty("runDetails");
        Assert.Equal(["builder", "byproducts", "metadata"], Names(run));
        Assert.Equal(["finishedOn", "invocationId", "startedOn"], Names(run.GetProperty("metadata")));
        Assert.Equal("2026-03-14T12:01:30Z", run.GetProperty("metadata").GetProperty("finishedOn").GetString());
        Assert.Equal(12.5, run.GetProperty("byproducts")[0].GetProperty("annotations").GetProperty("seconds").GetDouble());
        Assert.Equal(1 << 20, run.GetProperty("byproducts")[0].GetProperty("annotations").GetProperty("peakMemoryBytes").GetInt64());
        Assert.False(run.GetProperty("byproducts")[1].GetProperty("annotations").TryGetProperty("peakMemoryBytes", out _));

        foreach (var resource in build.GetProperty("resolvedDependencies").EnumerateArray().Concat(run.GetProperty("byproducts").EnumerateArray()))
        {
            Assert.True(resource.TryGetProperty("uri", out _) || resource.TryGetProperty("digest", out _));
            Assert.Subset(new HashSet<string> { "name", "uri", "digest", "annotations" }, resource.EnumerateObject().Select(member => member.Name).ToHashSet());
        }

        Assert.Equal(Statement.Parse(statement.ToBytes()).ToBytes(), statement.ToBytes());

        static IEnumerable<string> Names(JsonElement element) => element.EnumerateObject().Select(member => member.Name).Order(StringComparer.Ordinal);
    }

    [Fact]
    public void The_latest_verdict_of_a_trusted_key_counts()
    {
        using var sample = new SealedSample(folder.Root);
        var request = SampleRun.In(folder["src"]);
        var documents = Sealer.Documents(request);
        var digest = Sealer.Seal(request, sample.Layout, TestContext.Current.CancellationToken).Digest;
        Assert.Null(GateVerdict.Find(sample.Verify(digest, documents, VerdictStatement.OfEvaluation(digest, documents, SampleRun.Noon))));

        var failed = VerdictStatement.OfGates(Report(digest, Verdict.Fail, [Verdict.Fail]), documents, SampleRun.Noon);
        Assert.Equal(Verdict.Fail, GateVerdict.Find(sample.Verify(digest, documents, failed))!.Report.Verdict);

        using var stranger = SigningKey.Create();
        Attestation.Attach(sample.Layout, digest, VerdictStatement.OfGates(Report(digest, Verdict.Pass, [Verdict.Pass]), documents, SampleRun.Noon.AddDays(2)), stranger, TestContext.Current.CancellationToken);
        Assert.Equal(Verdict.Fail, GateVerdict.Find(sample.Verify(digest, documents))!.Report.Verdict);

        var later = VerdictStatement.OfGates(Report(digest, Verdict.Pass, [Verdict.Pass]), documents, SampleRun.Noon.AddDays(1));
        var found = GateVerdict.Find(sample.Verify(digest, documents, later))!;
        Assert.Equal((Verdict.Pass, SampleRun.Noon.AddDays(1), sample.Key.PublicKey.KeyId), (found.Report.Verdict, found.Judged, found.Signer));
    }

    [Fact]
    public void Of_two_verdicts_of_one_second_the_worse_counts_and_strange_ones_do_not()
    {
        var documents = Documents();
        var statements = new List<Statement>
        {
            VerdictStatement.OfGates(Report(Bundle, Verdict.Pass, [Verdict.Pass]), documents, SampleRun.Noon),
            VerdictStatement.OfGates(Report(Bundle, Verdict.InsufficientEvidence, [Verdict.InsufficientEvidence]), documents, SampleRun.Noon),
            VerdictStatement.OfGates(Report(SampleRun.Of("another bundle"), Verdict.Fail, [Verdict.Fail]), documents, SampleRun.Noon.AddDays(1)),
        };
        Assert.Equal(Verdict.InsufficientEvidence, Find()!.Report.Verdict);
        statements.Reverse();
        Assert.Equal(Verdict.InsufficientEvidence, Find()!.Report.Verdict);

        var odd = statements[1].Predicate!.Value.GetRawText().Replace("2026-03-14T12:00:00Z", "2027-03-14 12:00");
        statements.Insert(0, statements[1] with { Predicate = JsonDocument.Parse(odd).RootElement });
        statements.Insert(0, statements[1] with { Predicate = JsonDocument.Parse("""{"result":"PASSED","configuration":[]}""").RootElement });
        statements.Insert(0, statements[1] with { Predicate = null });
        Assert.Equal(Verdict.InsufficientEvidence, Find()!.Report.Verdict);
        statements.RemoveRange(3, 3);
        Assert.Null(Find());

        GateVerdict? Find()
        {
            using var key = SigningKey.Create();
            return GateVerdict.Find(Bundle, statements.Select(statement => new VerifiedStatement(statement, key.PublicKey, default)));
        }
    }

    private Slipway.Documents.Bundles.BundleDocuments Documents() => Sealer.Documents(SampleRun.In(folder["src"]));

    private static GateReport Report(Digest bundle, Verdict verdict, Verdict[] gates) => new(
        bundle, null, verdict,
        [.. gates.Select((gate, i) => new GateResult($"gate {i}", "auc >= 0.6", gate, "because", ImmutableSortedDictionary<string, Figure>.Empty.Add("auc", new Figure(0.65, 0.6, 0.7, 10))))]);
}
