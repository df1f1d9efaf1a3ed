using System.Collections.Immutable;
using Slipway.Documents.Cards;
using Slipway.Documents.Charts;
using Slipway.Documents.Evaluations;
using Slipway.Documents.Registry;
using Slipway.Documents.Rollouts;
using Slipway.Server.Web.Kit;

namespace Slipway.Server.Web.Pages;

/// <summary>A model: its versions side by side, what its channels serve, and what happened to them.</summary>
/// <param name="Versions">Newest first.</param>
/// <param name="History">Newest first.</param>
/// <param name="Promotions">Newest first.</param>
/// <param name="TakenBack">Which of the versions were taken back, and from where.</param>
public sealed record ModelView(
    string Name, ImmutableArray<SeenVersion> Versions, int Count, ImmutableArray<ChannelState> Channels, ImmutableArray<HistoryEntry> History, PlanVersion Plan, ImmutableArray<Promotion> Promotions, ImmutableArray<TakenBack> TakenBack) : ICharted
{
    public IEnumerable<Chart> Charts => Versions.SelectMany(version => version.Evaluation?.Metrics.Keys ?? []).Distinct().Order(StringComparer.Ordinal).Select(Forest);

    public SeenVersion? LiveOn(string channel) => Channels.FirstOrDefault(state => state.Channel == channel)?.Live is { } live ? Versions.FirstOrDefault(seen => seen.Version.Number == live.Number) : null;

    public IEnumerable<string> LiveChannels(ModelVersion version) => Channels.Where(channel => channel.Live?.Number == version.Number).Select(channel => channel.Channel);

    private IntervalChart Forest(string metric)
    {
        var live = LiveOn(ReleasePlan.Production)?.Evaluation?.Metrics.GetValueOrDefault(metric);
        var confidence = Versions.Select(version => version.Evaluation).OfType<Evaluation>().First().Confidence;
        return new(
            $"metric-{metric.Replace('_', '-')}",
            $"{metric} by version, as sealed",
            $"{MetricMeaning.Of(metric)} Intervals of {NumberText.Short(confidence, ChartUnit.Share)}, from resampled units of the held-out predictions.{(live is null ? "" : $" The dashed line is what the live version in production has, {FigureText.Of(live, ChartUnit.Number)}.")}",
            ChartUnit.Number,
            [
                .. Versions.Select(seen => new IntervalRow(
                    $"version {seen.Version.Number}{(LiveChannels(seen.Version).Any() ? " (live)" : "")}", seen.Evaluation?.Metrics.GetValueOrDefault(metric),
                    seen.Evaluation is null ? "no evaluation" : "not measured", LiveChannels(seen.Version).Any())),
            ],
            live is null ? null : new ReferenceLine(live.Value, "live"));
    }
}

/// <param name="Evaluation">Null where its spec asks for none.</param>
public sealed record SeenVersion(ModelVersion Version, Evaluation? Evaluation);
