using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;
using Slipway.Documents.Runs;
using Slipway.Documents.Statements;
using Slipway.Trust.Verification;

namespace Slipway.Documents.Cards;

/// <summary>A run that sealed a bundle, as the provenance of a trusted key has it.</summary>
/// <param name="Commit">Of the work tree, hex; null where there was none.</param>
/// <param name="Remote">The repository's URL without the commit; null where there was none.</param>
/// <param name="IsDirty">Whether files of the project differed from the commit.</param>
/// <param name="Builder">URI of what ran it.</param>
/// <param name="Version">Of Slipway; null where the builder does not tell.</param>
/// <param name="Started">RFC 3339, as the signer says; likewise <paramref name="Finished"/>.</param>
/// <param name="Run">The run's id.</param>
/// <param name="Signer">Id of the key.</param>
public sealed record BundleOrigin(string? Commit, string? Remote, bool IsDirty, string Builder, string? Version, string Started, string Finished, string Run, string Signer)
{
    /// <summary>Of all provenance that a verified bundle carries in Slipway's form, by time; another builder's has other members, and is left to its readers.</summary>
    public static ImmutableArray<BundleOrigin> All(VerifiedBundle bundle) =>
    [
        .. bundle.Statements.Select(Read).OfType<BundleOrigin>()
            .OrderBy(origin => origin.Started, StringComparer.Ordinal).ThenBy(origin => origin.Run, StringComparer.Ordinal).ThenBy(origin => origin.Signer, StringComparer.Ordinal),
    ];

    /// <summary>What held the run's stages to their declarations, the weakest of all; null where the builder does not tell.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public Isolation? Isolation { get; init; }

    private static BundleOrigin? Read(VerifiedStatement signed)
    {
        if (signed.Statement.PredicateType != SlsaProvenance.PredicateType || SlsaProvenance.Read(signed.Statement.Predicate) is not { } provenance)
            return null;
        var source = provenance.BuildDefinition.ResolvedDependencies.FirstOrDefault(dependency => dependency.Digest?.ContainsKey("gitCommit") == true);
        var run = provenance.RunDetails;
        return new BundleOrigin(
            source?.Digest!["gitCommit"],
            source?.Uri is { } uri ? RemoteOf(uri) : null,
            source?.Annotations?.GetValueOrDefault("dirty") is { ValueKind: JsonValueKind.True },
            run.Builder.Id,
            run.Builder.Version.GetValueOrDefault("slipway"),
            run.Metadata.StartedOn,
            run.Metadata.FinishedOn,
            run.Metadata.InvocationId,
            signed.Signer.KeyId)
        { Isolation = provenance.BuildDefinition.InternalParameters?.Isolation };
    }

    /// <summary>From <c>git+https://host/path@commit</c>.</summary>
    private static string RemoteOf(string uri)
    {
        var end = uri.LastIndexOf('@');
        var start = uri.StartsWith("git+", StringComparison.Ordinal) ? 4 : 0;
        return end > start ? uri[start..end] : uri[start..];
    }
}
