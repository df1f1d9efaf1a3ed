using System.Collections.Immutable;
using Slipway.Documents.Charts;
using Slipway.Documents.Incidents;
using Slipway.Documents.Monitoring;
using Slipway.Documents.Rollouts;
using Slipway.Server.Web.Kit;

namespace Slipway.Server.Web.Pages;

/// <param name="OnlyOpen">Whether closed ones are left out.</param>
public sealed record IncidentsView(ImmutableArray<IncidentSummary> Incidents, bool OnlyOpen);

/// <summary>An incident, with what was known when it was opened, and what gateways have told of that time since.</summary>
/// <param name="MayOperate">Whether the viewer may add to it.</param>
/// <param name="Now">Unix milliseconds.</param>
/// <param name="ByNow">The same span and a while more, as it reads today: what was on its way when the incident opened is in here. Null where its windows are kept no longer.</param>
public sealed record IncidentView(Incident Incident, bool MayOperate, long Now, MonitoringView? ByNow) : ICharted
{
    public IEnumerable<Chart> Charts => [.. Afterwards, .. Then];

    /// <summary>As it reads today.</summary>
    public IEnumerable<Chart> Afterwards => ChartsOf(Drawn(ByNow, Now));

    /// <summary>As it was kept.</summary>
    public IEnumerable<Chart> Then => ChartsOf(Monitoring).Select(chart => chart with { Name = "then-" + chart.Name });

    public MonitoringPageView? Monitoring => Drawn(Incident.Evidence.Monitoring, Incident.OpenedAt);

    /// <summary>The candidate of a rollback, as it was counted by whom; empty for other incidents.</summary>
    public ImmutableArray<TellCount> Counts
    {
        get
        {
            if (Incident.Evidence.Rollout is not { Report: { } report, State: var state } || Incident.Kind != IncidentKind.Rollback)
                return [];
            var judged = report.Evidence.Cells.Select(cell => cell.Candidate).ToArray();
            return
            [
                new($"by the judge, up to {TimeText.Full(report.At)}", judged.Sum(arm => arm.Requests), judged.Sum(arm => arm.BadRequests + arm.OverBudget), judged.Sum(arm => arm.OverBudget)),
                .. Of("by the gateways, told when it opened", Incident.Evidence.Monitoring), .. Of("by the gateways, told by now", ByNow),
            ];

            IEnumerable<TellCount> Of(string who, MonitoringView? view) => (view?.Versions ?? []).Where(version => version.Version == state.Candidate.Number)
                .Select(version => new TellCount(who, version.Total.Requests, version.Total.Bad.Sum(), version.Total.Bad.ElementAtOrDefault((int)BadKind.Latency)));
        }
    }

    private static IEnumerable<Chart> ChartsOf(MonitoringPageView? monitoring) => monitoring is null ? [] :
    [
        monitoring.Traffic, monitoring.Errors, monitoring.Kinds, .. monitoring.Latency,
        .. monitoring.Drift is { } drift && monitoring.Features.Any(IsKnown) ? [drift] : ImmutableArray<Chart>.Empty,
        .. monitoring.Features.Where(feature => feature.Feature.Verdict == DriftVerdict.Drift).Select(feature => feature.Histogram),
    ];

    private static bool IsKnown(FeatureView feature) => feature.Feature.Verdict != DriftVerdict.InsufficientEvidence;

    /// <summary>About the candidate that was taken back, or else the version that was live.</summary>
    private MonitoringPageView? Drawn(MonitoringView? view, long now)
    {
        var about = Incident.Evidence.Rollout is { } rollout && Incident.Kind == IncidentKind.Rollback ? rollout.State.Candidate.Number : Incident.Evidence.Monitoring?.Live?.Number;
        return view is { Versions.IsEmpty: false } ? new MonitoringPageView(view, now, null, view.Versions.FirstOrDefault(version => version.Version == about) ?? view.Versions[0], []) : null;
    }
}
