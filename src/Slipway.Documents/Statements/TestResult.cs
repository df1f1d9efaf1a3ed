using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;
using Slipway.Documents.Evaluations;
using Slipway.Primitives.Bytes;

namespace Slipway.Documents.Statements;

/// <summary>in-toto's test-result predicate, with Slipway's own members behind a vendor's prefix as the specification asks.</summary>
/// <remarks>Source: in-toto attestation, spec/predicates/test-result.md, v0.1.</remarks>
/// <param name="Result">PASSED, WARNED or FAILED.</param>
/// <param name="Configuration">What the tests were configured by: the sealed spec.</param>
/// <param name="GateReport">A <see cref="Documents.Evaluations.GateReport"/> in its own form.</param>
/// <param name="JudgedOn">When, so that the latest can be told; RFC 3339, UTC, whole seconds.</param>
public sealed record TestResult(
    string Result,
    ImmutableArray<ResourceDescriptor> Configuration,
    ImmutableArray<string> PassedTests,
    ImmutableArray<string> WarnedTests,
    ImmutableArray<string> FailedTests,
    [property: JsonPropertyName("slipway_judgedOn")] string JudgedOn,
    [property: JsonPropertyName("slipway_gateReport")] JsonElement? GateReport = null,
    [property: JsonPropertyName("slipway_evaluation")] EvaluationSummary? Evaluation = null)
{
    public const string PredicateType = "https://in-toto.io/attestation/test-result/v0.1";

    public const string Passed = "PASSED", Warned = "WARNED", Failed = "FAILED";

    public JsonElement ToJson() => JsonSerializer.SerializeToElement(this, StatementJson.Default.TestResult);
}

/// <param name="Document">Digest of the bundle's <c>slipway/evaluation.json</c>, which has the slices as well.</param>
public sealed record EvaluationSummary(Digest Document, Digest Predictions, long Rows, ImmutableSortedDictionary<string, Figure> Metrics);

/// <summary>in-toto's resource descriptor; at least one of uri and digest is there.</summary>
/// <param name="Digest">Hex by algorithm name: sha256, gitCommit.</param>
public sealed record ResourceDescriptor(
    string? Name = null,
    string? Uri = null,
    ImmutableSortedDictionary<string, string>? Digest = null,
    ImmutableSortedDictionary<string, JsonElement>? Annotations = null)
{
    public static ImmutableSortedDictionary<string, string> Sha256(Digest digest) => ImmutableSortedDictionary<string, string>.Empty.Add("sha256", digest.Hex);

    /// <summary>The spec as it is sealed: what gates and evaluation were configured by.</summary>
    public static ResourceDescriptor SealedSpec(Digest digest) => new("slipway/spec.json", Digest: Sha256(digest));
}
