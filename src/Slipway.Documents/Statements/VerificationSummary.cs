using System.Collections.Immutable;
using System.Text.Json;
using Slipway.Primitives.Bytes;
using Slipway.Trust.Signing;
using Slipway.Trust.Verification;

namespace Slipway.Documents.Statements;

/// <summary>SLSA's verification summary: that somebody has verified a bundle, by which policy, and what came of it. Source: slsa.dev/spec/v1.1/verification_summary.</summary>
/// <param name="TimeVerified">RFC 3339, UTC; as the verifier says.</param>
/// <param name="ResourceUri">The bundle by its digest: <c>oci:bundle@sha256:…</c>. What it is called is not authenticated, and stands nowhere here.</param>
/// <param name="Policy">By its digest.</param>
/// <param name="InputAttestations">By the digests of their manifests: what was believed.</param>
/// <param name="VerificationResult"><see cref="Passed"/> or <see cref="Failed"/>.</param>
/// <param name="VerifiedLevels">What was verified, in SLSA's words; FAILED's is <c>FAILED</c>.</param>
/// <param name="DependencyLevels">Of others' summaries; Slipway counts none.</param>
/// <param name="SlsaVersion">MAJOR.MINOR.</param>
public sealed record VerificationSummary(
    SummaryVerifier Verifier,
    string TimeVerified,
    string ResourceUri,
    ResourceDescriptor Policy,
    string VerificationResult,
    ImmutableArray<string> VerifiedLevels,
    ImmutableArray<ResourceDescriptor>? InputAttestations = null,
    ImmutableSortedDictionary<string, int>? DependencyLevels = null,
    string? SlsaVersion = null)
{
    public const string PredicateType = "https://slsa.dev/verification_summary/v1";

    public const string Passed = "PASSED", Failed = "FAILED";

    /// <summary>SLSA's build track: provenance is there, which is level 1. Higher levels are about the host that builds, of which a bundle shows nothing.</summary>
    public const string HasProvenance = "SLSA_BUILD_LEVEL_1", Unevaluated = "SLSA_BUILD_LEVEL_UNEVALUATED";

    /// <param name="believed">Statements of trusted signers; null when the bundle did not verify.</param>
    /// <param name="policy">The digest of the trust policy.</param>
    /// <param name="version">Of Slipway.</param>
    public static VerificationSummary Of(Digest bundle, IReadOnlyCollection<VerifiedStatement>? believed, Digest policy, VerificationKey verifier, string version, DateTimeOffset now) => new(
        new SummaryVerifier($"https://slipway.dev/verifier/v1#{verifier.KeyId}", ImmutableSortedDictionary<string, string>.Empty.Add("slipway", version)),
        StatementJson.Time(now),
        $"oci:bundle@{bundle}",
        new ResourceDescriptor("trust policy", Digest: ResourceDescriptor.Sha256(policy)),
        believed is null ? Failed : Passed,
        [
            believed is null ? Failed
            : believed.Any(signed => signed.Statement.PredicateType == SlsaProvenance.PredicateType) ? HasProvenance
            : Unevaluated,
        ],
        [.. (believed ?? []).Select(signed => new ResourceDescriptor(signed.Statement.PredicateType, Digest: ResourceDescriptor.Sha256(signed.Manifest)))],
        SlsaVersion: "1.1");

    public JsonElement ToJson() => JsonSerializer.SerializeToElement(this, StatementJson.Default.VerificationSummary);
}

/// <param name="Id">URI of who verified, and is believed by whoever believes the key.</param>
/// <param name="Version">By component: <c>slipway</c>.</param>
public sealed record SummaryVerifier(string Id, ImmutableSortedDictionary<string, string>? Version = null);
