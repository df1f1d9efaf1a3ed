using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;
using Slipway.Documents.Charts;

namespace Slipway.Server.Web.Kit;

/// <summary>What the script that zooms into a chart needs beside its numbers, so that it draws what the picture does.</summary>
/// <param name="Unit">A <see cref="ChartUnit"/>, in small letters.</param>
/// <param name="Step">Milliseconds between points that follow each other; null connects all.</param>
/// <param name="Series">In the order of their colours and dashes.</param>
internal sealed record ZoomData(string Unit, bool FromZero, long? Step, ImmutableArray<string> Series, ImmutableArray<ReferenceLine> Limits, ImmutableArray<TimeMarker> Markers)
{
    public static string Of(TimeChart chart) => JsonSerializer.Serialize(
        new ZoomData(
            chart.Unit.ToString().ToLowerInvariant(), chart.FromZero, chart.Series.FirstOrDefault()?.Step, [.. chart.Series.Take(TimeChart.MostSeries).Select(series => series.Name)],
            [.. chart.Limits.Where(limit => double.IsFinite(limit.Value))], [.. chart.Markers.Where(marker => marker.At >= chart.From && marker.At <= chart.To).OrderBy(marker => marker.At)]),
        ZoomJson.Default.ZoomData);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(ZoomData))]
internal sealed partial class ZoomJson : JsonSerializerContext;
