using System.Collections.Immutable;
using Slipway.Documents.Evaluations;
using Slipway.Primitives.Bytes;
using Slipway.Server.Registry;
using Slipway.Server.Storage;

namespace Slipway.Server.Monitoring;

/// <summary>What monitoring needs to know of a registered version; it never changes.</summary>
/// <param name="Task">Null where the version is not watched beyond its counts.</param>
internal sealed record WatchedVersion(
    int Version, Digest Bundle, string? Task, ImmutableArray<VersionFeature> Features, ImmutableSortedDictionary<string, Figure> SealedMetrics)
{
    /// <summary>The task whose labels are 0 and 1.</summary>
    public const string BinaryClassification = "binary-classification";

    /// <summary>The task whose labels are numbers.</summary>
    public const string Regression = "regression";

    /// <summary>An input and an output of the same name are told apart by where a gateway tells them.</summary>
    private readonly ImmutableDictionary<(bool IsOutput, string Name), int> positions =
        Features.Select((feature, index) => (feature, index)).ToImmutableDictionary(pair => (pair.feature.IsOutput, pair.feature.Name), pair => pair.index);

    public bool IsLabelled => Task is BinaryClassification or Regression;

    /// <returns>Null where no such version is registered.</returns>
    public static async Task<WatchedVersion?> FindAsync(Session session, string model, long version)
    {
        if (await VersionTable.ProfileAsync(session, model, version) is not { } found)
            return null;
        return found.Profile is { } profile
            ? new((int)version, found.Bundle, profile.Task, VersionFeature.Of(profile), profile.Metrics)
            : new((int)version, found.Bundle, null, [], ImmutableSortedDictionary<string, Figure>.Empty);
    }

    /// <returns>−1 for a feature that the version does not have.</returns>
    public int PositionOf(bool isOutput, string name) => positions.GetValueOrDefault((isOutput, name), -1);
}
