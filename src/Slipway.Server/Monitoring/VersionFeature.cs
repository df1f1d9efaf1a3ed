using System.Collections.Immutable;
using Slipway.Documents.Monitoring;
using Slipway.Documents.Registry;
using Slipway.Documents.Serving;
using Slipway.Stats.Sketches;

namespace Slipway.Server.Monitoring;

/// <summary>An input or output of a registered version that has one value a row: what live traffic is profiled by.</summary>
/// <param name="Reference">As it was sealed; null where it was not, and then there are no bins.</param>
internal sealed record VersionFeature(string Name, bool IsOutput, bool IsNumber, ReferenceFeature? Reference)
{
    /// <summary>More values than any count of ours can reach, and so few that no sum of them overflows or leaves JSON's exact integers.</summary>
    public const long MostCounted = 1_000_000_000_000;

    /// <summary>How far a number can lie from the mean of others.</summary>
    private const double Reach = 2 * Moments.Largest;

    /// <summary>Bins of a live profile: those of the reference.</summary>
    public int BinCount => Reference?.BinCount ?? 0;

    /// <summary>Of a version, inputs first, in the order of its signature: a window's profiles stand in this order.</summary>
    public static ImmutableArray<VersionFeature> Of(SealedProfile profile) => [.. All(profile).Take(WindowSum.MostFeatures)];

    private static IEnumerable<VersionFeature> All(SealedProfile profile) =>
    [
        .. profile.Signature.Inputs.Where(tensor => tensor.HasOneValueARow).Select(input => Of(input, isOutput: false, profile.Reference?.Inputs)),
        .. profile.Signature.Outputs.Where(tensor => tensor.HasOneValueARow).Select(output => Of(output, isOutput: true, profile.Reference?.Outputs)),
    ];

    /// <summary>What of a gateway's profile can be added to a window.</summary>
    /// <returns>Null where it does not fit: another type, other bins, or numbers that no profile has.</returns>
    public ColumnProfile? Fitting(ColumnProfile profile)
    {
        if (profile.Count is < 0 or > MostCounted || profile.Missing < 0 || profile.Missing > profile.Count || profile.Bins.IsDefault || profile.Bins.Length != BinCount)
            return null;
        var binned = 0L;
        foreach (var bin in profile.Bins)
        {
            if (bin is < 0 or > MostCounted)
                return null;
            binned += bin;
        }

        // Values that are in no bin would be in no distance either: what nobody sees must not look like what has not drifted.
        if (BinCount > 0 && binned != profile.Count - profile.Missing)
            return null;
        // A sensitive number has no moments, and huge values are in none.
        return profile.Moments is not { } moments || (IsNumber && moments.Count >= 0 && moments.Count <= profile.Count - profile.Missing && AreSound(moments)) ? profile : null;
    }

    /// <summary>Sums that so many numbers can have: larger ones could make merged sums infinite, and those can be told to nobody.</summary>
    private static bool AreSound(in Moments moments) =>
        Math.Abs(moments.Min) <= Moments.Largest && Math.Abs(moments.Max) <= Moments.Largest && Math.Abs(moments.Mean) <= Moments.Largest && moments.Min <= moments.Max
        && moments.M2 >= 0 && moments.M2 <= moments.Count * Math.Pow(Reach, 2) && Math.Abs(moments.M3) <= moments.Count * Math.Pow(Reach, 3)
        && moments.M4 >= 0 && moments.M4 <= moments.Count * Math.Pow(Reach, 4);

    private static VersionFeature Of(TensorSpec tensor, bool isOutput, ImmutableArray<ReferenceFeature>? reference)
    {
        var isNumber = tensor.Datatype is not (Datatype.Bool or Datatype.String);
        // A reference of the other kind has no bins that live values could be put in.
        return new(tensor.Name, isOutput, isNumber, reference?.FirstOrDefault(feature => feature.Name == tensor.Name && (feature.Edges is not null) == isNumber));
    }
}
