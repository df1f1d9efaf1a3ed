using System.Collections.Immutable;
using Slipway.Documents.Evaluations;
using Slipway.Documents.Monitoring;
using Slipway.Stats.Distances;
using Slipway.Stats.Metrics;
using Slipway.Stats.Sketches;

namespace Slipway.Server.Monitoring;

/// <summary>How far a version's live values are from its sealed reference, feature by feature.</summary>
/// <param name="limit">The distance up to which a feature has not drifted.</param>
internal sealed class DriftReading(WatchedVersion version, double limit)
{
    private const double Confidence = 0.95;

    /// <summary>Of what is called drift in one window, the largest share that is none, on average.</summary>
    private const double FalseDiscoveries = 0.05;

    /// <summary>Inputs named in a sentence.</summary>
    private const int MostNamed = 5;

    /// <summary>Positions of the features that have a reference.</summary>
    private readonly ImmutableArray<int> compared = [.. Enumerable.Range(0, version.Features.Length).Where(i => version.Features[i].Reference is { Profile.Bins.Length: > 0 })];

    /// <summary>One feature in one window.</summary>
    internal sealed record Judged(int Position, PsiEstimate? Estimate, DriftVerdict Verdict, Figure Distance);

    /// <param name="parts">The window in parts, which are taken as independent where there are enough of them.</param>
    public ImmutableArray<Judged> Judge(IReadOnlyList<WindowSum> parts)
    {
        var estimates = compared.Select(position => Estimate(position, parts)).ToArray();
        var tested = Enumerable.Range(0, estimates.Length).Where(i => IsEnough(estimates[i])).ToArray();
        var found = FalseDiscovery.BenjaminiYekutieli([.. tested.Select(i => estimates[i]!.AtMost(limit))], FalseDiscoveries);
        var verdicts = new DriftVerdict[estimates.Length];
        for (var i = 0; i < tested.Length; i++)
            verdicts[tested[i]] = found[i] ? DriftVerdict.Drift : estimates[tested[i]]!.Interval(Confidence).High <= limit ? DriftVerdict.NoDrift : DriftVerdict.InsufficientEvidence;
        return [.. compared.Select((position, i) => new Judged(position, estimates[i], verdicts[i], Figure(estimates[i])))];
    }

    /// <summary>The largest distance of any input, with an interval that holds for all of them together (Bonferroni), and the input that has it; null where nothing is compared.</summary>
    public (Figure? Figure, string? Of) Largest(ImmutableArray<Judged> judged)
    {
        var inputs = judged.Where(feature => !version.Features[feature.Position].IsOutput).ToArray();
        var known = inputs.Where(feature => feature.Estimate is not null).ToArray();
        if (known.Length == 0)
            return (null, null);
        var sure = known.Where(feature => IsEnough(feature.Estimate)).ToArray();
        var largest = (sure.Length == 0 ? known : sure).MaxBy(feature => feature.Estimate!.Value)!;
        var of = version.Features[largest.Position].Name;
        if (sure.Length == 0)
            return (largest.Distance, of);
        var intervals = sure.Select(feature => feature.Estimate!.Interval(1 - ((1 - Confidence) / sure.Length))).ToArray();
        var low = Round(intervals.Max(interval => interval.Low));
        // How far an input is that nobody sees, nobody knows: the largest is at least what is known, and may be more.
        string[] unseen = [.. inputs.Where(feature => !IsEnough(feature.Estimate)).Select(feature => version.Features[feature.Position].Name)];
        return unseen.Length > 0
            ? (new(Round(largest.Estimate!.Value), low, null, largest.Estimate.Count, $"too few values of {string.Join(", ", unseen.Take(MostNamed))}{(unseen.Length > MostNamed ? " and others" : "")} were profiled, which may be further off"), of)
            : (new(Round(largest.Estimate!.Value), low, Round(intervals.Max(interval => interval.High)), largest.Estimate.Count), of);
    }

    /// <param name="judged">Of the window that ends the span.</param>
    /// <param name="current">That window as a whole.</param>
    /// <param name="series">Of the span, oldest first.</param>
    public ImmutableArray<FeatureDrift> Tell(ImmutableArray<Judged> judged, WindowSum current, IReadOnlyList<(long Start, long Length, ImmutableArray<Judged> Judged)> series) =>
    [
        .. judged.Select((feature, i) =>
        {
            var known = version.Features[feature.Position];
            ImmutableArray<DriftPoint> points = [.. series.Select(window => new DriftPoint(window.Start, window.Length, window.Judged[i].Distance, window.Judged[i].Verdict))];
            var (since, orBefore) = feature.Verdict == DriftVerdict.Drift ? Since([.. points.Select(point => (point.Start, point.Verdict))]) : default;
            return new FeatureDrift(
                known.Name, known.IsOutput, "psi", feature.Distance, limit, feature.Verdict, since, known.Reference!, Profile(current, feature.Position) ?? Empty(known), points)
            { SinceOrBefore = orBefore };
        }),
    ];

    /// <summary>The first window of those that end the series and show drift; one that shows nothing either way, such as a night without traffic, is no break.</summary>
    /// <param name="points">By start, oldest first.</param>
    /// <returns>Also whether it may have begun before: where no window shows that there was none.</returns>
    public static (long? Since, bool OrBefore) Since(ImmutableArray<(long Start, DriftVerdict Verdict)> points)
    {
        var (since, i) = ((long?)null, points.Length - 1);
        for (; i >= 0 && points[i].Verdict != DriftVerdict.NoDrift; i--)
            since = points[i].Verdict == DriftVerdict.Drift ? points[i].Start : since;
        return (since, since is not null && i < 0);
    }

    private PsiEstimate? Estimate(int position, IReadOnlyList<WindowSum> parts)
    {
        var counts = new List<long[]>(parts.Count);
        foreach (var part in parts)
        {
            if (Profile(part, position) is { } profile)
                counts.Add([.. profile.Bins, profile.Missing]);
        }

        var reference = version.Features[position].Reference!.Profile;
        return PsiEstimate.Of([.. reference.Bins, reference.Missing], counts);
    }

    private static bool IsEnough(PsiEstimate? estimate) => estimate is { Count: >= PsiEstimate.LeastCount };

    private static Figure Figure(PsiEstimate? estimate)
    {
        if (estimate is null)
            return new(0, null, null, 0, "no value was profiled");
        if (!IsEnough(estimate))
            return new(Round(estimate.Value), null, null, estimate.Count, $"{estimate.Count} values were profiled, and {PsiEstimate.LeastCount} are the least that say anything");
        var (low, high) = estimate.Interval(Confidence);
        return new(Round(estimate.Value), Round(low), Round(high), estimate.Count);
    }

    private static ColumnProfile? Profile(WindowSum sum, int position) => position < sum.Features.Length ? sum.Features[position] : null;

    private static ColumnProfile Empty(VersionFeature feature) => new(0, 0, [.. new long[feature.BinCount]], null);

    private static double Round(double value) => SignificantDigits.Round(value);
}
