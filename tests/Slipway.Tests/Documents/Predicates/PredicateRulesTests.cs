using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Slipway.Documents.Predicates;
using Slipway.Documents.Statements;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;
using Slipway.Trust.Attestations;
using TestResult = Slipway.Documents.Statements.TestResult;

namespace Slipway.Tests.Documents.Predicates;

/// <summary>Statements of others: every published example is read, and what poses as Slipway's own is refused.</summary>
public sealed class PredicateRulesTests
{
    private static readonly string vectors = Path.Combine(AppContext.BaseDirectory, "Documents/Predicates/vectors");

    public static TheoryData<string> Statements => ["reference-1", "reference-2", "release-1", "release-3", "svr-1", "svr-2", "svr-3", "test-result-1"];

    [Theory, MemberData(nameof(Statements))]
    public void Every_published_statement_is_read_and_its_predicate_may_be_attested(string name)
    {
        var statement = Statement.Parse(File.ReadAllBytes(Path.Combine(vectors, name + ".json")));
        Assert.NotEmpty(statement.Subject);
        var predicate = PredicateRules.Read(statement.PredicateType, Encoding.UTF8.GetBytes(statement.Predicate!.Value.GetRawText()), name);
        Assert.True(JsonElement.DeepEquals(statement.Predicate.Value, predicate));
        Assert.Equal(statement.Subject[0].Digest, Statement.Parse(statement.ToBytes()).Subject[0].Digest);

        // Digests that are cut short, as in the examples, cover nothing.
        Assert.False(statement.Covers(Digest.Of("anything"u8)));
    }

    /// <summary>Descriptors are subjects where they have a digest; ones with content, or without a digest, are no subjects of ours.</summary>
    [Theory]
    [InlineData(1, true)]
    [InlineData(2, true)]
    [InlineData(3, true)]
    [InlineData(4, false)]
    [InlineData(5, false)]
    public void Every_published_descriptor_is_read_as_a_subject_or_refused(int number, bool isSubject)
    {
        var descriptor = File.ReadAllText(Path.Combine(vectors, $"resource_descriptor-{number}.json"));
        var statement = Encoding.UTF8.GetBytes($$"""{"_type":"https://in-toto.io/Statement/v1","subject":[{{descriptor}}],"predicateType":"https://example.org/t"}""");
        if (isSubject)
            Assert.Single(Statement.Parse(statement).Subject);
        else
            Assert.Throws<JsonException>(() => Statement.Parse(statement));
    }

    [Fact]
    public void The_published_directory_hash_is_that_of_its_lines()
    {
        using var vector = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(vectors, "dirhash.json")));
        Assert.Equal(vector.RootElement.GetProperty("sha256").GetString(), Digest.Of(Encoding.UTF8.GetBytes(vector.RootElement.GetProperty("lines").GetString()!)).Hex);
    }

    [Fact]
    public void The_published_summary_is_one_that_is_read_and_written_back()
    {
        var text = "{" + string.Join('\n', File.ReadLines(Path.Combine(vectors, "verification_summary-2.jsonc")).Where(line => !line.StartsWith("//", StringComparison.Ordinal))).Replace("1,\n  },", "1\n  },", StringComparison.Ordinal) + "}";
        using var published = JsonDocument.Parse(text);
        var json = published.RootElement.GetProperty("predicate");
        Assert.Equal(VerificationSummary.PredicateType, published.RootElement.GetProperty("predicateType").GetString());
        var summary = json.Deserialize(StatementJson.Default.VerificationSummary)!;
        Assert.Equal((VerificationSummary.Passed, 5), (summary.VerificationResult, summary.DependencyLevels!["SLSA_BUILD_LEVEL_3"]));
        Assert.True(JsonElement.DeepEquals(json, summary.ToJson()));
        PredicateRules.Read(VerificationSummary.PredicateType, Encoding.UTF8.GetBytes(json.GetRawText()), "file");
        AssertRefused(VerificationSummary.PredicateType, json.GetRawText().Replace("PASSED", "PASST", StringComparison.Ordinal), "predicate-shape");
        AssertRefused(VerificationSummary.PredicateType, "{}", "predicate-shape");
    }

    [Fact]
    public void The_published_provenance_has_members_that_ours_has_too()
    {
        using var fragment = JsonDocument.Parse("{" + File.ReadAllText(Path.Combine(vectors, "build-provenance-1.jsonc")) + "}");
        Assert.Contains(SlsaProvenance.PredicateType, File.ReadAllText(Path.Combine(vectors, "build-provenance-0.jsonc")));
        var definition = JsonNode.Parse(fragment.RootElement.GetRawText())!.AsObject();
        definition["buildType"] = "https://example.org/build";
        var predicate = new JsonObject { ["buildDefinition"] = definition, ["runDetails"] = new JsonObject { ["builder"] = new JsonObject { ["id"] = "https://example.org/builder" } } };
        PredicateRules.Read(SlsaProvenance.PredicateType, Encoding.UTF8.GetBytes(predicate.ToJsonString()), "file");

        // Only a run can say what it did.
        definition["buildType"] = SlsaProvenance.OwnBuildType;
        AssertRefused(SlsaProvenance.PredicateType, predicate.ToJsonString(), "predicate-shape");
        definition.Remove("buildType");
        AssertRefused(SlsaProvenance.PredicateType, predicate.ToJsonString(), "predicate-shape");
    }

    [Theory]
    [InlineData("https://example.org/t", "[]", "predicate-malformed")]
    [InlineData("https://example.org/t", "{", "predicate-malformed")]
    [InlineData("https://example.org/t", """{"a":1,"a":2}""", "predicate-malformed")]
    [InlineData("https://example.org/t", """{"a":1e999}""", "predicate-malformed")]
    [InlineData("no type", "{}", "bad-argument")]
    [InlineData(CosignSignature.PredicateType, "{}", "predicate-shape")]
    [InlineData("https://cyclonedx.org/bom", """{"bomFormat":"SPDX"}""", "predicate-shape")]
    [InlineData(TestResult.PredicateType, """{"result":"PASSED","configuration":[],"slipway_gateReport":{}}""", "predicate-shape")]
    [InlineData(TestResult.PredicateType, """{"result":"GREAT","configuration":[]}""", "predicate-shape")]
    public void What_is_no_such_predicate_is_refused(string type, string json, string code) => AssertRefused(type, json, code);

    [Fact]
    public void A_signature_is_stated_as_cosign_states_it()
    {
        var digest = Digest.Of("bundle"u8);
        Assert.Equal(
            $$$"""{"_type":"https://in-toto.io/Statement/v1","predicate":{},"predicateType":"https://sigstore.dev/cosign/sign/v1","subject":[{"digest":{"sha256":"{{{digest.Hex}}}"}}]}""",
            Encoding.UTF8.GetString(CosignSignature.About(digest, []).ToBytes()));
        Assert.Contains("""
            "annotations":{"stage":"release"}
            """.Trim(), Encoding.UTF8.GetString(CosignSignature.About(digest, new JsonObject { ["stage"] = "release" }).ToBytes()));
    }

    private static void AssertRefused(string type, string json, string code)
    {
        var refused = Assert.Throws<SlipwayException>(() => PredicateRules.Read(type, Encoding.UTF8.GetBytes(json), "file"));
        Assert.Equal((code, ExitCode.UnusableInput), (Assert.Single(refused.Faults).Code, refused.Exit));
    }
}
