using System.Text.Json;
using Slipway.Documents.Incidents;
using Slipway.Documents.Monitoring;
using Slipway.Documents.Rollouts;
using Slipway.Tests.Server.Monitoring;
using Slipway.Tests.Server.Storage;

namespace Slipway.Tests.Server.Alerting;

/// <summary>A real server with gateways' telemetry: alerts fire, open incidents, are told to webhooks and in the ledger, and end.</summary>
public sealed class AlertRunTests
{
    [Theory, MemberData(nameof(TestDatabase.Kinds), MemberType = typeof(TestDatabase))]
    public async Task An_alert_fires_opens_an_incident_is_told_and_is_resolved(DatabaseKind kind)
    {
        await using var stage = await AlertStage.OpenAsync(kind);
        await stage.AddWebhookAsync();
        await stage.PassUntilAsync(AlertState.Inactive);
        await stage.PassUntilAsync(AlertState.Firing, errors: 90);
        var alert = (await stage.AlertAsync())!;
        Assert.Contains("is wholly > 10 %", alert.Reason);
        var incident = await stage.IncidentAsync(Assert.Single(await stage.IncidentsAsync("?open=true")).Id);
        Assert.Equal(("inc-000001", IncidentKind.Alert, "failing", AlertSeverity.Critical, alert.Reason), (incident.Id, incident.Kind, incident.Subject, incident.Severity, incident.Evidence.Reason));
        Assert.Equal(incident.Id, alert.Incident);
        Assert.Equal(1, incident.Evidence.Monitoring!.Live!.Number);
        Assert.True(incident.Evidence.Monitoring.Versions.Single().Total.ErrorRate!.Value > 0.1);
        Assert.Equal("g1", incident.Evidence.Monitoring.Gateways.Single().Gateway);

        await stage.PassUntilAsync(AlertState.Resolved);
        Assert.Equal(["incident.opened", "alert.firing", "alert.resolved"], await stage.EventsAsync(3));
        Assert.Equal(["alert.firing", "alert.resolved"], await stage.LedgerAsync("alert"));
        Assert.Equal(["incident.opened"], await stage.LedgerAsync("incident"));
        var told = JsonSerializer.Deserialize(stage.Receiver.Taken.ElementAt(1).Body, MonitoringJson.Default.CloudEvent)!;
        Assert.Equal(("docs/runbooks/failing.md", AlertSeverity.Critical, 1, incident.Id), (told.Data.Remedy, told.Data.Severity, told.Data.Version, told.Data.Incident));
        Assert.StartsWith("the alert is resolved", Assert.Single((await stage.IncidentAsync(incident.Id)).Timeline).Text);
        // What it was opened with does not change.
        Assert.Equal(Text(incident.Evidence), Text((await stage.IncidentAsync(incident.Id)).Evidence));
    }

    [Fact]
    public async Task While_no_gateway_is_heard_it_neither_fires_nor_is_resolved()
    {
        await using var stage = await AlertStage.OpenAsync();
        for (var i = 0; i < 2; i++)
            await stage.PassAsync(requests: 0, hears: false);
        // Silence beside what looks like harm: it does not fire.
        for (var i = 0; i < 2; i++)
            await stage.PassAsync(errors: 90, hears: false);
        Assert.Equal(AlertState.InsufficientEvidence, (await stage.AlertAsync())!.State);
        Assert.Contains("no gateway is there", (await stage.AlertAsync())!.Reason);

        await stage.PassUntilAsync(AlertState.Firing, errors: 90);
        for (var i = 0; i < 4; i++)
            await stage.PassAsync(requests: 0, hears: false);
        var alert = (await stage.AlertAsync())!;
        Assert.Equal((AlertState.Firing, "still firing, since it cannot be judged now: error_rate could not be had: no gateway is there to tell what happens"), (alert.State, alert.Reason));

        // Gateways are there, and have no requests: no answer is no good answer either.
        for (var i = 0; i < 4; i++)
            await stage.PassAsync(requests: 0);
        Assert.Equal(AlertState.Firing, (await stage.AlertAsync())!.State);
        await stage.PassUntilAsync(AlertState.Resolved);
    }

    [Fact]
    public async Task A_flapping_alert_adds_to_its_open_incident()
    {
        await using var stage = await AlertStage.OpenAsync();
        for (var i = 0; i < 3; i++)
        {
            await stage.PassUntilAsync(AlertState.Firing, errors: 90);
            await stage.PassUntilAsync(AlertState.Resolved);
        }

        var incident = await stage.IncidentAsync(Assert.Single(await stage.IncidentsAsync()).Id);
        Assert.Equal(["the alert is resolved", "the alert fires again", "the alert is resolved", "the alert fires again", "the alert is resolved"], incident.Timeline.Select(note => note.Text.Split(':')[0]));
        // Each time with what was known then: the third firing has other numbers than the first.
        Assert.Equal([false, true, false, true, false], incident.Timeline.Select(note => note.Evidence is not null));
        Assert.All(incident.Timeline.Where(note => note.Evidence is not null), note =>
        {
            Assert.EndsWith(note.Evidence!.Reason, note.Text);
            Assert.True(note.Evidence.Monitoring!.Versions.Single().Total.ErrorRate!.Value > 0.1);
        });
        // Once people have closed it, it is another one.
        await TestServer.PostAsync(stage.Monitoring.Operator, $"/api/v1/incidents/{incident.Id}/close", new CloseRequest("a full disk", "it is mended"), IncidentJson.Default.CloseRequest, IncidentJson.Default.Incident);
        await stage.PassUntilAsync(AlertState.Firing, errors: 90);
        Assert.Equal(["inc-000002", "inc-000001"], (await stage.IncidentsAsync()).Select(known => known.Id));
    }

    [Fact]
    public async Task However_often_it_fires_again_an_incident_holds_little_evidence()
    {
        await using var stage = await AlertStage.OpenAsync();
        for (var i = 0; i < Incident.MostLaterEvidence + 3; i++)
        {
            await stage.PassUntilAsync(AlertState.Firing, errors: 90);
            await stage.PassUntilAsync(AlertState.Resolved);
        }

        var incident = await stage.IncidentAsync(Assert.Single(await stage.IncidentsAsync()).Id);
        Assert.Equal(Incident.MostLaterEvidence + 2, incident.Timeline.Count(note => note.Text.StartsWith("the alert fires again", StringComparison.Ordinal)));
        Assert.Equal(Incident.MostLaterEvidence, incident.Timeline.Count(note => note.Evidence is not null));
    }

    [Fact]
    public async Task An_hour_later_it_is_another_incident()
    {
        await using var stage = await AlertStage.OpenAsync();
        await stage.PassUntilAsync(AlertState.Firing, errors: 90);
        await stage.PassUntilAsync(AlertState.Resolved);
        stage.Monitoring.Clock.Step(TimeSpan.FromHours(1));
        await stage.PassUntilAsync(AlertState.Firing, errors: 90);
        Assert.Equal(["inc-000002", "inc-000001"], (await stage.IncidentsAsync("?open=true")).Select(known => known.Id));
    }

    [Fact]
    public async Task The_alert_of_a_rule_that_is_gone_ends()
    {
        await using var stage = await AlertStage.OpenAsync();
        await stage.PassUntilAsync(AlertState.Firing, errors: 90);
        await stage.Monitoring.SetPlanAsync(AlertStage.Plan());
        await stage.PassUntilAsync(async () => (await stage.AlertsAsync()).Length == 0);
        Assert.Equal(["alert.firing", "alert.resolved"], await stage.LedgerAsync("alert"));
    }

    [Fact]
    public async Task A_condition_of_a_feature_that_is_not_there_is_insufficient_evidence_and_the_others_are_judged()
    {
        await using var stage = await AlertStage.OpenAsync(plan: AlertStage.Plan(
            AlertStage.Failing(), AlertStage.Failing() with { Name = "gone", When = "drift.altitude > 0.2" }, AlertStage.Failing() with { Name = "spoilt", When = "drift.max >" }));
        await stage.PassUntilAsync(AlertState.Firing, errors: 90);
        Assert.Equal(AlertState.InsufficientEvidence, (await stage.AlertAsync("gone"))!.State);
        Assert.Contains("version 1 tells no such figure", (await stage.AlertAsync("gone"))!.Reason);
        Assert.Contains("the condition cannot be read", (await stage.AlertAsync("spoilt"))!.Reason);
    }

    [Fact]
    public async Task A_restarted_server_goes_on_where_it_was_and_tells_nothing_twice()
    {
        await using var stage = await AlertStage.OpenAsync();
        await stage.PassUntilAsync(AlertState.Firing, errors: 90);
        await stage.Server.RestartAsync();
        await stage.PassAsync(errors: 90);
        Assert.Equal(AlertState.Firing, (await stage.AlertAsync())!.State);
        await stage.PassUntilAsync(AlertState.Resolved);
        Assert.Equal(["alert.firing", "alert.resolved"], await stage.LedgerAsync("alert"));
    }

    private static string Text(IncidentEvidence evidence) => JsonSerializer.Serialize(evidence);
}
