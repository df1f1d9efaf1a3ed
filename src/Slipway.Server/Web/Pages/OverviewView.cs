using System.Collections.Immutable;
using Slipway.Documents.Charts;
using Slipway.Documents.Evaluations;
using Slipway.Documents.Incidents;
using Slipway.Documents.Monitoring;
using Slipway.Documents.Rollouts;
using Slipway.Server.Web.Kit;

namespace Slipway.Server.Web.Pages;

/// <summary>What the first page shows, as far as the viewer may see it.</summary>
/// <param name="Running">Rollouts that run, with their latest judgement.</param>
/// <param name="Alerts">Those that fire, or are about to.</param>
/// <param name="Unjudged">Rules that cannot be judged: too little traffic, no labels, no reference.</param>
/// <param name="Incidents">Those that are open, newest first.</param>
public sealed record OverviewView(ImmutableArray<OverviewModel> Models, ImmutableArray<RunningRollout> Running, ImmutableArray<Alert> Alerts, int Unjudged, ImmutableArray<IncidentSummary> Incidents) : ICharted
{
    /// <summary>Live in production, and asked nothing any more.</summary>
    public IEnumerable<(OverviewModel Model, OverviewChannel Channel)> Silent =>
        Models.SelectMany(model => model.Channels.Where(channel => channel.IsSilent && channel.Name == ReleasePlan.Production).Select(channel => (model, channel)));

    public IEnumerable<Chart> Charts => Models.SelectMany(model => model.Channels).Select(channel => channel.Traffic).OfType<Chart>();
}

public sealed record OverviewModel(string Name, ImmutableArray<OverviewChannel> Channels);

/// <param name="Live">What answers now; null for nothing yet.</param>
/// <param name="Why">How the live version came there; null for none, or where that is not known.</param>
/// <param name="Last">What happened to the channel last.</param>
/// <param name="Traffic">Requests by hour over a day; null where none came.</param>
/// <param name="ErrorRate">Share of bad answers since <paramref name="CountedFrom"/>.</param>
/// <param name="CountedFrom">Unix milliseconds.</param>
/// <param name="LastTraffic">Where the traffic ends, Unix milliseconds; null where none was told.</param>
/// <param name="IsSilent">Whether a version is live and gets no requests.</param>
public sealed record OverviewChannel(string Name, VersionRef? Live, long? Since, HistoryEntry? Why, HistoryEntry? Last, Chart? Traffic, Figure? ErrorRate, long CountedFrom, long? LastTraffic, bool IsSilent);

public sealed record RunningRollout(RolloutState State, JudgeReport? Report);
