using System.Collections.Immutable;
using Slipway.Documents.Charts;
using Slipway.Documents.Monitoring;

namespace Slipway.Server.Web.Pages;

/// <summary>One feature's drift, drawn.</summary>
/// <param name="Number">Among its version's features, from 1: names are anybody's, and go into no link.</param>
public sealed record FeatureView(FeatureDrift Feature, int Number, MonitoringView View)
{
    public IEnumerable<Chart> Charts => [Histogram, ByTime];

    public PairedHistogram Histogram => new(
        $"feature-{Number}", $"{Feature.Feature}: sealed reference and now",
        $"Share of the values in each bin of the sealed reference. {Moments()}",
        "reference", "now", Bins());

    public TimeChart ByTime => new(
        $"feature-{Number}-by-time", $"{Feature.Feature}: drift over time (PSI)",
        $"The band is the interval of each window by itself; the dashed line is the limit, {NumberText.Short(Feature.Limit, ChartUnit.Number)}.",
        ChartUnit.Number, View.From, View.To,
        [new TimeSeries(Feature.Feature, [.. Feature.Series.Select(point => new TimePoint(point.Start, point.Distance.Value, point.Distance.Low, point.Distance.High, point.Distance.N))], Feature.Series.Length > 0 ? Feature.Series[0].Length : null)],
        [new ReferenceLine(Feature.Limit, "limit")],
        Feature.Since is { } since ? [new TimeMarker(since, Feature.SinceOrBefore ? "drifts since, or before" : "drifts since")] : []);

    private ImmutableArray<PairedBin> Bins()
    {
        var (reference, current) = (Feature.Reference.Profile, Feature.Current);
        var names = Feature.Reference.Edges is { } edges ? Numeric(edges) : [.. Feature.Reference.Categories ?? [], "all others"];
        return
        [
            .. names.Select((name, i) => new PairedBin(name, At(reference.Bins, i), At(current.Bins, i))),
            .. reference.Missing + current.Missing > 0 ? [new PairedBin("missing", reference.Missing, current.Missing)] : ImmutableArray<PairedBin>.Empty,
        ];

        static long At(ImmutableArray<long> bins, int i) => !bins.IsDefault && i < bins.Length ? bins[i] : 0;
    }

    private static ImmutableArray<string> Numeric(ImmutableArray<double> edges) => edges.IsEmpty ? ["any value"] :
    [
        $"≤ {Edge(edges[0])}",
        .. edges.Skip(1).Select((edge, i) => $"{Edge(edges[i])} – {Edge(edge)}"),
        $"> {Edge(edges[^1])}",
    ];

    private static string Edge(double edge) => NumberText.Exact(edge, ChartUnit.Number);

    private string Moments() => Feature is { Reference.Profile.Moments: { Count: > 0 } reference, Current.Moments: { Count: > 0 } current }
        ? $"Mean {NumberText.Short(reference.Mean, ChartUnit.Number)} then, {NumberText.Short(current.Mean, ChartUnit.Number)} now; from {NumberText.Short(reference.Min, ChartUnit.Number)} to {NumberText.Short(reference.Max, ChartUnit.Number)} then, from {NumberText.Short(current.Min, ChartUnit.Number)} to {NumberText.Short(current.Max, ChartUnit.Number)} now."
        : "";
}
