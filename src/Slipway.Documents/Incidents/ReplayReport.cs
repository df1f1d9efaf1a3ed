using System.Collections.Immutable;
using Slipway.Primitives.Bytes;

namespace Slipway.Documents.Incidents;

/// <summary>How far two numbers may lie apart and still be the same answer: at most Absolute + Relative × the larger one.</summary>
/// <param name="Absolute">0 or more.</param>
/// <param name="Relative">0 or more.</param>
public sealed record Tolerance(double Absolute, double Relative)
{
    /// <summary>A few units in the last place of a float32: what another order of the same sums makes.</summary>
    public static Tolerance Default { get; } = new(1e-6, 1e-5);

    /// <returns>False for NaN.</returns>
    public bool Allows(double difference, double larger) => difference <= Absolute + (Relative * larger);
}

/// <summary>Captured requests, asked of a bundle again: how its answers differ from the captured ones.</summary>
/// <remarks>Determined by the requests, in their order, and by the bundle: the same replay gives the same report.</remarks>
/// <param name="Captured">The bundles that answered then, by digest, with what became of their requests.</param>
/// <param name="Differences">Quantiles 0.5, 0.9, 0.99 and 1 of the absolute difference over the compared requests; empty when none was compared.</param>
/// <param name="Slices">By input that has one value a row, in the signature's order: rows by value or range of values.</param>
/// <param name="Largest">The requests that differ most, at most <see cref="MostShown"/>, largest first.</param>
/// <param name="Failures">Why the bundle had no answer, each reason once with its count, at most <see cref="MostShown"/>.</param>
public sealed record ReplayReport(
    string Model,
    Digest Bundle,
    Tolerance Tolerance,
    ReplayCounts Total,
    ImmutableSortedDictionary<string, ReplayCounts> Captured,
    ImmutableSortedDictionary<string, double> Differences,
    ImmutableArray<ReplaySlice> Slices,
    ImmutableArray<ReplayDifference> Largest,
    ImmutableSortedDictionary<string, long> Failures)
{
    public const int MostShown = 10;

    /// <summary>Of the different ones, those whose captured answer is of another signature: they lie no distance apart, and are in no quantile, slice or list.</summary>
    public long OtherForm { get; init; }

    /// <summary>Requests of one replay; their values and differences are held in memory.</summary>
    public const int MostRequests = 100_000;
}

/// <param name="Same">Within the tolerance.</param>
/// <param name="Failed">The bundle had no answer, or takes no such request.</param>
/// <param name="NotAsked">Inputs were dropped when it was captured.</param>
/// <param name="NotCompared">Inputs were masked, or nothing was answered then.</param>
public sealed record ReplayCounts(long Requests, long Same, long Different, long Failed, long NotAsked, long NotCompared)
{
    public static ReplayCounts None { get; } = new(0, 0, 0, 0, 0, 0);
}

/// <param name="Value">A category, or a range of numbers such as <c>(120, 340]</c>.</param>
/// <param name="Rows">Compared ones.</param>
/// <param name="Different">Of these, beyond the tolerance.</param>
/// <param name="Largest">Absolute difference of any of them.</param>
public sealed record ReplaySlice(string Input, string Value, long Rows, long Different, double Largest);

/// <param name="Difference">Largest absolute difference of any number; 0 where texts differ.</param>
public sealed record ReplayDifference(string Key, long At, int Version, double Difference);
