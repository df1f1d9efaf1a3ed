using System.Net;
using System.Text.Json;
using Slipway.Documents.Access;
using Slipway.Documents.Incidents;
using Slipway.Documents.Ledger;
using Slipway.Documents.Monitoring;
using Slipway.Documents.Registry;
using Slipway.Documents.Rollouts;
using Slipway.Primitives.Bytes;
using Slipway.Server.Incidents;
using Slipway.Tests.Server.Alerting;
using Slipway.Tests.Server.Rollouts;
using Slipway.Tests.Server.Storage;

namespace Slipway.Tests.Server.Incidents;

public sealed class IncidentTests
{
    private const string Nasty = "<script>alert(1)</script>\n& \"quotes\" \ud83d\udea8\tfine";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task People_add_to_it_and_close_it_with_its_cause()
    {
        await using var stage = await OpenAsync();
        var client = stage.Monitoring.Operator;
        var opened = await stage.IncidentAsync("inc-000001");
        await NoteAsync(client, Nasty);
        await TestServer.PostAsync(client, "/api/v1/incidents/inc-000001/close", new CloseRequest("a disk was full\nand nobody looked", "it is mended"), IncidentJson.Default.CloseRequest, IncidentJson.Default.Incident);
        await NoteAsync(client, "what is known since");
        var incident = await stage.IncidentAsync("inc-000001");
        Assert.Equal([Nasty, "what is known since"], incident.Timeline.Select(note => note.Text));
        Assert.Equal(("Olga", stage.Monitoring.Now), (incident.Timeline[0].ByName, incident.Timeline[0].At));
        Assert.Equal(("a disk was full\nand nobody looked", stage.Monitoring.Now), (incident.Cause, incident.ClosedAt));
        Assert.Equal(("Olga", "it is mended"), (incident.Closing?.ByName, incident.Closing?.Reason));
        Assert.Equal((409, "incident-closed"), await RefusedAsync(client, "inc-000001/close", TestServer.Json(new CloseRequest("no", "no"), IncidentJson.Default.CloseRequest)));
        Assert.Empty(await stage.IncidentsAsync("?open=true"));
        Assert.Equal(2, Assert.Single(await stage.IncidentsAsync("?open=false&model=flight-delay")).Notes);
        Assert.Equal(["incident.opened", "incident.closed"], await stage.LedgerAsync("incident"));

        // The ledger names it by the digest of what it was opened with, which is still there to the byte.
        var records = await TestServer.GetAsync(stage.Server.Admin, "/api/v1/ledger/entries?action=incident.closed", LedgerJson.Default.ImmutableArrayLedgerRecord);
        var subject = records[0].Entry.Subjects.Single(subject => subject.Name == "models/flight-delay/incidents/inc-000001");
        Assert.Equal(subject.Digest, Digest.Of(CanonicalJson.Serialize(incident with { Timeline = [], ClosedAt = null, Cause = null, Closing = null }, IncidentJson.Default.Incident)));
        Assert.Equal(JsonSerializer.Serialize(opened.Evidence), JsonSerializer.Serialize(incident.Evidence));
    }

    [Fact]
    public async Task A_full_timeline_takes_no_more_notes_and_keeps_those_that_it_has()
    {
        await using var stage = await OpenAsync();
        await stage.Monitoring.Database.ChangeAsync(
            async session =>
            {
                for (var i = 0; i < Incident.MostNotes; i++)
                    Assert.True(await IncidentTable.NoteAsync(session, "inc-000001", new IncidentNote(i, "pri_1", "Olga", $"note {i}")));
                Assert.False(await IncidentTable.NoteAsync(session, "inc-000001", new IncidentNote(0, "pri_1", "Olga", "one too many")));
            },
            Cancellation);
        Assert.Equal((409, "too-many-notes"), await RefusedAsync(stage.Monitoring.Operator, "inc-000001/notes", TestServer.Json(new NoteRequest("one too many"), IncidentJson.Default.NoteRequest)));
        Assert.Equal(Incident.MostNotes, (await stage.IncidentAsync("inc-000001")).Timeline.Length);
    }

    [Theory]
    [InlineData("")]
    [InlineData(" \n ")]
    [InlineData("\u001b[2J")]
    [InlineData("bell\u0007")]
    [InlineData("carriage\rreturn")]
    [InlineData("next\u0085line")]
    public async Task A_note_that_steers_a_terminal_or_says_nothing_is_refused(string text)
    {
        await using var stage = await OpenAsync();
        Assert.Equal((400, "bad-note"), await RefusedAsync(stage.Monitoring.Operator, "inc-000001/notes", TestServer.Json(new NoteRequest(text), IncidentJson.Default.NoteRequest)));
        Assert.Equal((400, "bad-note"), await RefusedAsync(stage.Monitoring.Operator, "inc-000001/notes", TestServer.Json(new NoteRequest(new string('x', Incident.LongestNote + 1)), IncidentJson.Default.NoteRequest)));
        Assert.Equal((400, "bad-cause"), await RefusedAsync(stage.Monitoring.Operator, "inc-000001/close", TestServer.Json(new CloseRequest(text, "a test"), IncidentJson.Default.CloseRequest)));
        Assert.Empty((await stage.IncidentAsync("inc-000001")).Timeline);
    }

    [Fact]
    public async Task An_incident_of_another_model_looks_like_one_that_is_not_there()
    {
        await using var stage = await OpenAsync();
        var other = await stage.Server.AsAsync(Role.Operator, "other-model");
        foreach (var id in (string[])["inc-000001", "inc-000009", "inc-1", "INC-000001", "1"])
        {
            using var answer = await other.GetAsync($"/api/v1/incidents/{id}", Cancellation);
            Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
            Assert.Equal((404, "no-incident"), await RefusedAsync(other, $"{id}/notes", TestServer.Json(new NoteRequest("x"), IncidentJson.Default.NoteRequest)));
        }

        Assert.Empty(await TestServer.GetAsync(other, "/api/v1/incidents", IncidentJson.Default.ImmutableArrayIncidentSummary));
        using (var listed = await other.GetAsync("/api/v1/incidents?model=flight-delay", Cancellation))
            Assert.Equal(HttpStatusCode.NotFound, listed.StatusCode);
        Assert.Empty(await TestServer.GetAsync(other, "/api/v1/alerts", MonitoringJson.Default.ImmutableArrayAlert));

        // Who may read it may not add to it, and learns that.
        var (_, token) = await stage.Server.NewTokenAsync("both", [], new RoleGrant(Role.Operator, "other-model"), new RoleGrant(Role.Viewer, "flight-delay"));
        Assert.Equal((403, "forbidden"), await RefusedAsync(stage.Server.As(token), "inc-000001/notes", TestServer.Json(new NoteRequest("x"), IncidentJson.Default.NoteRequest)));
        Assert.Single(await TestServer.GetAsync(stage.Server.As(token), "/api/v1/alerts", MonitoringJson.Default.ImmutableArrayAlert));
    }

    [Theory, MemberData(nameof(TestDatabase.Kinds), MemberType = typeof(TestDatabase))]
    public async Task A_rollback_because_of_harm_opens_an_incident_with_the_judgement(DatabaseKind kind)
    {
        await using var stage = await RolloutStage.OpenAsync(kind);
        var gateway = stage.AddGateway();
        await stage.ReleaseAsync(1);
        var rollout = await stage.StartAsync(RolloutRunTests.Canary, 2);
        await stage.UntilAsync(rollout.Id, view => view.State.IsOver, () => gateway.ServeAsync(2_000, arm => arm == Arm.Candidate ? 0.5 : 0.01));
        var summary = Assert.Single(await TestServer.GetAsync(stage.Operator, "/api/v1/incidents", IncidentJson.Default.ImmutableArrayIncidentSummary));
        Assert.Equal((IncidentKind.Rollback, rollout.Id, AlertSeverity.Critical), (summary.Kind, summary.Subject, summary.Severity));
        var incident = await TestServer.GetAsync(stage.Operator, $"/api/v1/incidents/{summary.Id}", IncidentJson.Default.Incident);
        Assert.Equal((JudgeVerdict.Harm, RolloutPhase.RollingBack), (incident.Evidence.Rollout!.Report!.Verdict, incident.Evidence.Rollout.State.Phase));
        Assert.StartsWith("version 2 does harm", incident.Evidence.Reason);
        Assert.NotEmpty(incident.Evidence.Ledger);
        Assert.Equal(1, incident.Evidence.Monitoring!.Live!.Number);

        // A person's rollback is no incident.
        var next = await stage.StartAsync(RolloutRunTests.Canary, 3);
        await stage.TellAsync(next.Id, "rollback");
        await stage.UntilAsync(next.Id, view => view.State.IsOver);
        Assert.Single(await TestServer.GetAsync(stage.Operator, "/api/v1/incidents", IncidentJson.Default.ImmutableArrayIncidentSummary));
    }

    /// <summary>Harm is ended whatever becomes of its evidence.</summary>
    [Theory, MemberData(nameof(TestDatabase.Kinds), MemberType = typeof(TestDatabase))]
    public async Task A_window_that_cannot_be_read_keeps_no_rollback_waiting(DatabaseKind kind)
    {
        await using var stage = await RolloutStage.OpenAsync(kind);
        var gateway = stage.AddGateway();
        await stage.ReleaseAsync(1);
        await stage.Database.ChangeAsync(session => session.ExecuteAsync("ALTER TABLE telemetry_sources RENAME TO telemetry_sources_elsewhere"), Cancellation);
        var rollout = await stage.StartAsync(RolloutRunTests.Canary, 2);
        var view = await stage.UntilAsync(rollout.Id, view => view.State.IsOver, () => gateway.ServeAsync(2_000, arm => arm == Arm.Candidate ? 0.5 : 0.01));
        Assert.Equal(RolloutPhase.RolledBack, view.State.Phase);
        var incident = await TestServer.GetAsync(stage.Operator, "/api/v1/incidents/inc-000001", IncidentJson.Default.Incident);
        Assert.Null(incident.Evidence.Monitoring);
        Assert.Equal(JudgeVerdict.Harm, incident.Evidence.Rollout!.Report!.Verdict);
        Assert.Contains(stage.Log, line => line.StartsWith("an incident opens without its windows", StringComparison.Ordinal));
    }

    /// <summary>As when a window cannot be read: it can, and what it tells has no form in which it could be kept.</summary>
    [Theory, MemberData(nameof(TestDatabase.Kinds), MemberType = typeof(TestDatabase))]
    public async Task A_window_that_cannot_be_written_keeps_no_rollback_waiting(DatabaseKind kind)
    {
        await using var stage = await RolloutStage.OpenAsync(kind);
        var gateway = stage.AddGateway();
        await stage.ReleaseAsync(1);
        await stage.Database.ChangeAsync(
            session => session.ExecuteAsync(
                """
                INSERT INTO telemetry_sources (gateway, boot, channel, taken, at, clock_off, load)
                VALUES ('beyond', 'b', 'production', 1, 1, NULL, '{"cpu":1,"inFlight":0,"loadAverage":null,"memory":9223372036854775807,"processors":1}')
                """),
            Cancellation);
        var rollout = await stage.StartAsync(RolloutRunTests.Canary, 2);
        var view = await stage.UntilAsync(rollout.Id, view => view.State.IsOver, () => gateway.ServeAsync(2_000, arm => arm == Arm.Candidate ? 0.5 : 0.01));
        Assert.Equal(RolloutPhase.RolledBack, view.State.Phase);
        Assert.Null((await TestServer.GetAsync(stage.Operator, "/api/v1/incidents/inc-000001", IncidentJson.Default.Incident)).Evidence.Monitoring);
    }

    /// <summary>A stage on which one alert fires.</summary>
    private static async Task<AlertStage> OpenAsync()
    {
        var stage = await AlertStage.OpenAsync();
        await stage.PassUntilAsync(AlertState.Firing, errors: 90);
        return stage;
    }

    private static Task<Incident> NoteAsync(HttpClient client, string text) =>
        TestServer.PostAsync(client, "/api/v1/incidents/inc-000001/notes", new NoteRequest(text), IncidentJson.Default.NoteRequest, IncidentJson.Default.Incident);

    private static async Task<(int, string)> RefusedAsync(HttpClient client, string path, HttpContent body)
    {
        using var answer = await client.PostAsync("/api/v1/incidents/" + path, body, Cancellation);
        return ((int)answer.StatusCode, JsonSerializer.Deserialize(await answer.Content.ReadAsStringAsync(Cancellation), RegistryJson.Default.ErrorDocument)!.Faults[0].Code);
    }
}
