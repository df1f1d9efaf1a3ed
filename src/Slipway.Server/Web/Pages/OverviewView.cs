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
/// <param name="Incidents">Those that are open, newest first.</param>
public sealed record OverviewView(ImmutableArray<OverviewModel> Models, ImmutableArray<RunningRollout> Running, ImmutableArray<Alert> Alerts, ImmutableArray<IncidentSummary> Incidents) : ICharted
{
    public IEnumerable<Chart> Charts => Models.SelectMany(model => model.Channels).Select(channel => channel.Traffic).OfType<Chart>();
}

public sealed record OverviewModel(string Name, ImmutableArray<OverviewChannel> Channels);

/// <param name="Live">What answers now; null for nothing yet.</param>
/// <param name="Last">What happened to the channel last.</param>
/// <param name="Traffic">Requests by hour over a day; null where none came.</param>
/// <param name="ErrorRate">Share of bad answers over that day.</param>
public sealed record OverviewChannel(string Name, VersionRef? Live, long? Since, HistoryEntry? Last, Chart? Traffic, Figure? ErrorRate);

public sealed record RunningRollout(RolloutState State, JudgeReport? Report);
