using System.Collections.Immutable;
using Slipway.Documents.Charts;
using Slipway.Documents.Incidents;
using Slipway.Documents.Monitoring;
using Slipway.Server.Web.Kit;

namespace Slipway.Server.Web.Pages;

/// <param name="OnlyOpen">Whether closed ones are left out.</param>
public sealed record IncidentsView(ImmutableArray<IncidentSummary> Incidents, bool OnlyOpen);

/// <summary>An incident, with what was known when it was opened drawn as it was then.</summary>
/// <param name="MayOperate">Whether the viewer may add to it.</param>
public sealed record IncidentView(Incident Incident, bool MayOperate) : ICharted
{
    public IEnumerable<Chart> Charts => Monitoring is { } monitoring ? [monitoring.Traffic, monitoring.Errors, monitoring.Kinds, .. monitoring.Drift is { } drift ? [drift] : ImmutableArray<Chart>.Empty, .. Drifted.Select(feature => feature.Histogram)] : [];

    public IEnumerable<FeatureView> Drifted => Monitoring?.Features.Where(feature => feature.Feature.Verdict == DriftVerdict.Drift) ?? [];

    public MonitoringPageView? Monitoring => Incident.Evidence.Monitoring is { Versions.IsEmpty: false } view
        ? new MonitoringPageView(view, null, view.Versions.FirstOrDefault(version => version.Version == view.Live?.Number) ?? view.Versions[0], [])
        : null;
}
