using System.Collections.Immutable;
using Slipway.Documents.Evaluations;
using Slipway.Expressions;
using Slipway.Expressions.Conditions;
using Slipway.Expressions.Figures;
using Slipway.Primitives.Units;

namespace Slipway.Documents.Monitoring;

/// <summary>Lays the live version's window out for conditions to read. What is not known has no value, and decides nothing.</summary>
public static class MonitoringFigures
{
    /// <param name="view">Over the plan's window, up to now; it ends on a border, and so a little later.</param>
    /// <param name="isHeard">Whether a live gateway is there to tell what happens: without one, what a window lacks may have happened all the same.</param>
    public static FigureSet Of(MonitoringView view, bool isHeard)
    {
        if (view.Live is not { } live)
            return None("nothing is live");
        if (!isHeard)
            return None("no gateway is there to tell what happens");
        var version = view.Versions.FirstOrDefault(version => version.Version == live.Number);
        var total = version?.Total ?? Silent(view);
        var measures = ImmutableSortedDictionary.CreateBuilder<string, FigureReading>(StringComparer.Ordinal);
        measures["requests"] = Count(total.Requests + total.Refused);
        measures["labelled"] = Count(total.Labelled);
        Add("error_rate", total.ErrorRate, "there were no requests");
        Add("refused_rate", Figure.OfShare(total.Refused, total.Requests + total.Refused), "there were no requests");
        Add("drift.max", total.DriftMax, "no feature's drift is known: too little was sampled, or the version has no sealed reference", total.DriftMaxOf);
        foreach (var quantile in AlertVocabulary.Quantiles)
        {
            Add("latency." + quantile, total.Latency.GetValueOrDefault(quantile), "there were no answers");
        }

        foreach (var feature in version?.Drift ?? [])
            Add(AlertCondition.DriftOf(feature.Feature), feature.Distance, "too little was sampled");
        foreach (var metric in AlertVocabulary.Quality)
        {
            var now = total.Quality.GetValueOrDefault(metric);
            Add(metric, now, total.Labelled == 0 ? "no labels are told" : "the labels do not give it");
            measures[metric + ".delta"] = Delta(metric, now, version?.SealedMetrics.GetValueOrDefault(metric));
        }

        var lost = view.Lost > 0 ? $", without {view.Lost} requests that gateways could not tell" : "";
        return new(
            total.Requests, 0, $"over {new Duration(TimeSpan.FromMilliseconds(view.To - view.From))}{lost}", measures.ToImmutable(), ImmutableSortedDictionary<string, ImmutableArray<SliceFigures>>.Empty,
            $"version {live.Number} tells no such figure");

        // Beyond the last bucket, and beyond what a small sample tells, an answer may take any time, and an input that nobody sees may lie anywhere: the interval is
        // open there, and still wholly above a bound below it.
        void Add(string name, Figure? figure, string otherwise, string? of = null) =>
            measures[name] = figure is null ? new(null, null, null, 0, otherwise)
                : figure is { Low: { } low, High: null } ? new(figure.Value, low, double.PositiveInfinity, figure.N, Of: of)
                : figure.Low is null || figure.High is null ? new(figure.Value, null, null, figure.N, figure.Lacks ?? otherwise, of)
                : new(figure.Value, figure.Low, figure.High, figure.N, Of: of);
    }

    private static FigureSet None(string why) =>
        new(0, 0, "", ImmutableSortedDictionary<string, FigureReading>.Empty, ImmutableSortedDictionary<string, ImmutableArray<SliceFigures>>.Empty, why);

    private static FigureReading Count(long count) => new(count, count, count, count);

    /// <summary>Gateways are there, and had no request.</summary>
    private static WindowFigures Silent(MonitoringView view) =>
        new(view.From, view.To - view.From, 0, [], null, ImmutableSortedDictionary<string, Figure>.Empty, null, 0, 0, ImmutableSortedDictionary<string, Figure>.Empty, IntervalBasis.None);

    /// <summary>Live minus sealed.</summary>
    private static FigureReading Delta(string metric, Figure? now, Figure? held)
    {
        if (now is null)
            return new(null, null, null, 0, "no labels are told, or they do not give it");
        if (held is null)
            return new(null, null, null, now.N, $"the sealed evaluation has no {metric}");
        var difference = now.Minus(held);
        return new(difference.Value, difference.Low, difference.High, difference.N, difference.Lacks);
    }
}
