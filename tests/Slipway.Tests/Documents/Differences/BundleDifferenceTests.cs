using System.Collections.Immutable;
using System.Text.Json;
using Slipway.Documents.Bundles;
using Slipway.Documents.Differences;
using Slipway.Documents.Environments;
using Slipway.Documents.Evaluations;
using Slipway.Pipeline.Sealing;
using Slipway.Tests.Pipeline.Sealing;
using Slipway.Tests.Primitives;
using Slipway.Trust.Verification;

namespace Slipway.Tests.Documents.Differences;

public sealed class BundleDifferenceTests : IDisposable
{
    private readonly TestFolder folder = new();
    private readonly SealedSample sample;

    public BundleDifferenceTests() => sample = new SealedSample(folder.Root);

    public void Dispose()
    {
        sample.Dispose();
        folder.Dispose();
    }

    private SealRequest Request => SampleRun.In(folder["src"]);

    private BundleDifference With(Func<SealRequest, SealRequest> change) => Between(Request, change(Request));

    private BundleDifference Between(SealRequest was, SealRequest now)
    {
        var (a, b) = (sample.SealAndVerify(was), sample.SealAndVerify(SampleRun.Keyed(now)));
        return BundleDifference.Between(
            (a, BundleDocuments.Read(a, TestContext.Current.CancellationToken).Require()), (b, BundleDocuments.Read(b, TestContext.Current.CancellationToken).Require()), TestContext.Current.CancellationToken);
    }

    [Fact]
    public void Nothing_differs_between_a_bundle_and_itself()
    {
        var same = With(request => request);
        Assert.True(same.IsSame);
        Assert.Empty(Told(same));
        Assert.All(same.Metrics, metric => Assert.Equal(0, metric.Difference!.Value));
    }

    [Fact]
    public void Each_kind_of_change_is_told_where_it_belongs()
    {
        Assert.Equal(["Params leaves: 31 → 63", "Documents reproduce.json", "Documents spec.json", "Documents lineage.json"], Short(With(request => request with { Spec = request.Spec with { Params = SampleRun.Map(("leaves", JsonDocument.Parse("63").RootElement)) } })), StringSet);
        Assert.Contains("Hardware serve", Short(With(request => request with { Spec = request.Spec with { Hardware = request.Spec.Hardware.SetItem("serve", request.Spec.Hardware["serve"] with { Cpus = 2 }) } })));
        Assert.Contains("Determinism epoch: 315532800 → 1", Short(With(request => request with { Spec = request.Spec with { Determinism = request.Spec.Determinism with { Epoch = 1 } } })));
        Assert.Contains("Gates good enough: auc >= 0.60 → auc >= 0.50", Short(With(request => request with { Spec = request.Spec with { Gates = [request.Spec.Gates[0] with { Require = "auc >= 0.50" }] } })));
        Assert.Contains("Model licence: Apache-2.0 → MIT", Short(With(request => request with { Spec = request.Spec with { License = "MIT" } })));
        Assert.Contains("Stages score, command: true → false", Short(With(request => request with { Spec = request.Spec with { Stages = [request.Spec.Stages[0], request.Spec.Stages[1] with { Run = ["false"] }] } })));
        Assert.Contains("Data flights, column delay: BIGINT → DOUBLE", Short(With(request => request with { Snapshots = [request.Snapshots[0] with { Columns = [request.Snapshots[0].Columns[0] with { Type = "DOUBLE" }] }] })));
        Assert.Contains("Code serve/predict.py", Short(With(request => request with { Code = [request.Code[1]] })));
        Assert.Contains("Signature input distance", Short(With(request => request with { Spec = request.Spec with { Model = request.Spec.Model! with { Signature = request.Spec.Model.Signature with { Inputs = [request.Spec.Model.Signature.Inputs[0] with { Unit = "km" }] } } } })));
        Assert.Contains("Environments py, libc6: 2.36-9 → 2.37", Short(With(request => request with { Lock = request.Lock with { Environments = SampleRun.Map(("py", HostFingerprint.Of("py", "amd64", SampleRun.Map(("python3", "3.11.2-6"), ("libc6", "2.37"))))) } })));
    }

    [Fact]
    public void What_is_compared_by_no_list_is_told_by_its_document()
    {
        var difference = With(request => request with { Spec = request.Spec with { Requires = ">=0.2" } });
        Assert.False(difference.IsSame);
        Assert.Equal(["Documents spec.json"], Short(difference));
    }

    [Fact]
    public void Figures_over_the_same_units_are_subtracted_in_pairs_and_others_as_if_independent()
    {
        var was = Request with { Evaluation = Request.Evaluation! with { Method = "percentile" }, Replicates = Request.Replicates! with { LeaveOneOut = SampleRun.Map(("auc", ImmutableArray<double>.Empty), ("brier", [])) } };
        var better = new Figure(0.66, 0.62, 0.70, 10);
        var now = was with
        {
            Evaluation = was.Evaluation! with { Metrics = was.Evaluation.Metrics.SetItem("auc", better) },
            Replicates = was.Replicates! with { Replicates = was.Replicates.Replicates.SetItem("auc", [.. was.Replicates.Replicates["auc"].Select(value => value + 0.01)]) },
        };
        // Each resample differs by as much, so the pairs leave no doubt, where the two intervals alone leave a lot.
        var paired = Auc(now);
        Assert.Equal((DifferenceWay.Paired, null), (paired.Way, paired.Note));
        Assert.Equal((0.01, 0.01, 0.01), (paired.Difference!.Value, paired.Difference.Low!.Value, paired.Difference.High!.Value));

        var apart = Auc(now with { Evaluation = now.Evaluation with { UnitsDigest = SampleRun.Of("others") } });
        Assert.Equal((DifferenceWay.Independent, better.Minus(new Figure(0.65, 0.61, 0.69, 10))), (apart.Way, apart.Difference));
        Assert.Contains("different examples or units", apart.Note);

        var one = Auc(now with { Spec = now.Spec with { Evaluate = now.Spec.Evaluate! with { Metrics = ["brier"] } }, Evaluation = now.Evaluation with { Metrics = now.Evaluation.Metrics.Remove("auc") }, Replicates = now.Replicates with { Replicates = now.Replicates.Replicates.Remove("auc") } });
        Assert.Equal((null, DifferenceWay.None, "only a measured it"), (one.Difference, one.Way, one.Note));

        MetricChange Auc(SealRequest request) => Between(was, request).Metrics.Single(metric => metric.Metric == "auc");
    }

    [Fact]
    public void Verdicts_that_trusted_keys_attested_are_compared_gate_by_gate()
    {
        var (passed, failed) = (Judged(Request, Verdict.Pass), Judged(Request with { Code = [Request.Code[1]] }, Verdict.Fail));
        var difference = BundleDifference.Between(passed, failed, TestContext.Current.CancellationToken);
        Assert.Equal([new Change("good enough, verdict", "pass", "fail")], difference.Gates);

        (VerifiedBundle, BundleDocuments) Judged(SealRequest request, Verdict verdict)
        {
            var digest = Sealer.Seal(request, sample.Layout, TestContext.Current.CancellationToken).Digest;
            var documents = Sealer.Documents(request);
            var report = new GateReport(digest, null, verdict, [new GateResult("good enough", "auc >= 0.60", verdict, "so it is", ImmutableSortedDictionary<string, Figure>.Empty)]);
            return (sample.Verify(digest, documents, VerdictStatement.OfGates(report, documents, SampleRun.Noon)), documents);
        }
    }

    [Fact]
    public void The_document_reads_back()
    {
        var json = JsonSerializer.Serialize(With(request => request with { Code = [] }), DifferenceJson.Default.BundleDifference);
        Assert.Equal(json, JsonSerializer.Serialize(JsonSerializer.Deserialize(json, DifferenceJson.Default.BundleDifference), DifferenceJson.Default.BundleDifference));
    }

    private static readonly IEqualityComparer<IEnumerable<string>> StringSet = EqualityComparer<IEnumerable<string>>.Create((x, y) => x!.ToHashSet().SetEquals(y!), _ => 0);

    /// <summary>Every change, with its values where they are short.</summary>
    private static List<string> Short(BundleDifference difference) =>
        [.. Told(difference).Select(told => (told.Change.A + told.Change.B) is { Length: < 40 } && told.Change is { A: not null, B: not null } ? $"{told.Area} {told.Change.What}: {told.Change.A} → {told.Change.B}" : $"{told.Area} {told.Change.What}")];

    private static IEnumerable<(string Area, Change Change)> Told(BundleDifference difference) =>
        typeof(BundleDifference).GetProperties()
            .Where(property => property.PropertyType == typeof(ImmutableArray<Change>))
            .SelectMany(property => ((ImmutableArray<Change>)property.GetValue(difference)!).Select(change => (property.Name, change)));
}
