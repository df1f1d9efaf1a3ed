using System.Collections.Immutable;

namespace Slipway.Stats.Sketches;

/// <summary>What is kept of one column's values: a commutative monoid under <see cref="Merge"/>, in its simplest form, with bins fixed beforehand.</summary>
/// <remarks>Compares <paramref name="Bins"/> by identity.</remarks>
/// <param name="Count">All values, the missing ones too.</param>
/// <param name="Missing">Null, NaN, infinite or an empty text: in no bin, and not among the moments.</param>
/// <param name="Bins">Counts by bin, Count − Missing in all; empty where no bins are known.</param>
/// <param name="Moments">
/// Of numbers of at most <see cref="Sketches.Moments.Largest"/> in size; null for text, and for a sensitive column, where the moments of few values would be a person's.
/// </param>
public sealed record ColumnProfile(long Count, long Missing, ImmutableArray<long> Bins, Moments? Moments)
{
    /// <exception cref="ArgumentException">The two have different bins, which nothing can bring together.</exception>
    public ColumnProfile Merge(ColumnProfile other)
    {
        if (Bins.Length != other.Bins.Length)
            throw new ArgumentException($"profiles of {Bins.Length} and {other.Bins.Length} bins do not merge", nameof(other));
        var bins = ImmutableArray.CreateBuilder<long>(Bins.Length);
        for (var i = 0; i < Bins.Length; i++)
            bins.Add(Bins[i] + other.Bins[i]);
        return new(Count + other.Count, Missing + other.Missing, bins.MoveToImmutable(), Moments is { } own && other.Moments is { } more ? own.Merge(more) : Moments ?? other.Moments);
    }
}
