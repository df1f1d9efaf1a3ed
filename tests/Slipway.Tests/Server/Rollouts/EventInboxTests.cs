using System.Net;
using Slipway.Documents.Rollouts;
using Slipway.Server.Api;
using Slipway.Server.Rollouts;
using Slipway.Tests.Server.Storage;

namespace Slipway.Tests.Server.Rollouts;

public sealed class EventInboxTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public static TheoryData<DatabaseKind> Kinds => TestDatabase.Kinds;

    [Theory, MemberData(nameof(Kinds))]
    public async Task A_batch_is_taken_in_once_by_gateway_boot_and_sequence(DatabaseKind kind)
    {
        await using var store = await TestDatabase.OpenAsync(kind);
        Assert.Equal(1, (await TakeAsync(store, Batch(1)))!.Taken);
        Assert.Equal(1, (await TakeAsync(store, Batch(1)))!.Taken);
        Assert.Equal(2, (await TakeAsync(store, Batch(2)))!.Taken);
        Assert.Equal(2, (await TakeAsync(store, Batch(1)))!.Taken);
        Assert.Equal(1, (await TakeAsync(store, Batch(1, boot: "b2")))!.Taken);
        Assert.Equal(["b1 1", "b1 2", "b2 1"], (await WaitingAsync(store)).Select(waiting => $"{waiting.Batch.Boot} {waiting.Batch.Sequence}"));
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task A_batch_is_still_a_repeat_after_it_was_folded_and_deleted(DatabaseKind kind)
    {
        await using var store = await TestDatabase.OpenAsync(kind);
        await TakeAsync(store, Batch(1));
        foreach (var waiting in await WaitingAsync(store))
            await store.Database.ChangeAsync(session => EventInbox.RemoveAsync(session, waiting.Position), Cancellation);
        Assert.Equal(1, (await TakeAsync(store, Batch(1)))!.Taken);
        Assert.Empty(await WaitingAsync(store));
    }

    [Fact]
    public async Task A_batch_that_leaves_one_out_is_refused_and_not_taken_for_the_missing_one()
    {
        await using var store = await TestDatabase.OpenAsync(DatabaseKind.Sqlite);
        await TakeAsync(store, Batch(1));
        Assert.Equal(409, (await Assert.ThrowsAsync<ApiProblem>(() => TakeAsync(store, Batch(3)))).Status);
        Assert.Equal(2, (await TakeAsync(store, Batch(2)))!.Taken);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task A_boot_that_tells_of_one_channel_cannot_be_silenced_from_another(DatabaseKind kind)
    {
        await using var store = await TestDatabase.OpenAsync(kind);
        await TakeAsync(store, Batch(1));
        Assert.Equal("boot-elsewhere", (await Assert.ThrowsAsync<ApiProblem>(() => TakeAsync(store, Batch(2) with { Channel = "staging" }))).Faults[0].Code);
        Assert.Equal(2, (await TakeAsync(store, Batch(2)))!.Taken);
        Assert.Equal(2, (await WaitingAsync(store)).Length);
    }

    [Fact]
    public void A_batch_with_a_hole_in_a_list_is_refused() =>
        Assert.NotNull(Slipway.Server.Judging.BatchCheck.Fault(Batch(1) with { Rollouts = [null!] }));

    [Fact]
    public async Task What_came_before_the_first_batch_that_is_known_counts_as_lost()
    {
        await using var store = await TestDatabase.OpenAsync(DatabaseKind.Sqlite);
        await TakeAsync(store, Batch(7));
        Assert.Equal(1, Assert.Single(Assert.Single(await WaitingAsync(store)).Batch.Rollouts).Lost);
    }

    [Fact]
    public async Task A_full_inbox_takes_nothing_in_and_forgets_nothing()
    {
        await using var store = await TestDatabase.OpenAsync(DatabaseKind.Sqlite);
        await store.Database.ChangeAsync(
            async session =>
            {
                for (var i = 1; i <= EventInbox.Most; i++)
                    Assert.NotNull(await EventInbox.TakeInAsync(session, Batch(i), 0));
            },
            Cancellation);
        Assert.Null(await TakeAsync(store, Batch(EventInbox.Most + 1)));
        Assert.Equal(EventInbox.Most, (await TakeAsync(store, Batch(EventInbox.Most)))!.Taken);
        await store.Database.ChangeAsync(session => EventInbox.RemoveAsync(session, 1), Cancellation);
        Assert.Equal(EventInbox.Most + 1, (await TakeAsync(store, Batch(EventInbox.Most + 1)))!.Taken);
    }

    [Fact]
    public async Task What_was_put_off_comes_after_what_was_not_tried()
    {
        await using var store = await TestDatabase.OpenAsync(DatabaseKind.Sqlite);
        await TakeAsync(store, Batch(1));
        await TakeAsync(store, Batch(1, boot: "b2"));
        await store.Database.ChangeAsync(session => EventInbox.PutOffAsync(session, 1), Cancellation);
        Assert.True(await store.Database.ReadAsync(EventInbox.HasNewAsync, Cancellation));
        Assert.Equal(["b2", "b1"], (await WaitingAsync(store)).Select(waiting => waiting.Batch.Boot));
        await store.Database.ChangeAsync(session => EventInbox.PutOffAsync(session, 2), Cancellation);
        Assert.False(await store.Database.ReadAsync(EventInbox.HasNewAsync, Cancellation));
        Assert.False(await store.Database.ReadAsync(EventInbox.IsEmptyAsync, Cancellation));
    }

    [Fact]
    public async Task Two_gateways_that_send_at_once_lose_nothing_and_count_nothing_twice()
    {
        await using var stage = await RolloutStage.OpenAsync();
        ScriptedGateway[] gateways = [stage.AddGateway(), stage.AddGateway("g2"), stage.AddGateway("g3")];
        await stage.ReleaseAsync(1);
        var plan = Sample.Plan(Strategy.Canary, new RolloutStep(5_000, Sample.Seconds(3600), null, 0, null), new RolloutStep(Weight.All, default, null, 0, null));
        var rollout = await stage.StartAsync(plan, 2);
        await stage.UntilAsync(rollout.Id, view => view.State.StepSince is not null);
        await Task.WhenAll(gateways.Select(async gateway =>
        {
            for (var i = 0; i < 40; i++)
            {
                var batch = gateway.Batch(gateway.Route!.Rollout!, 100, _ => 0.1);
                await Task.WhenAll(gateway.SendAsync(batch), gateway.SendAsync(batch), gateway.ReportAsync());
            }
        }));
        var view = await stage.UntilAsync(rollout.Id, view => view.Report is { Evidence.Waiting: 0 } report && report.Evidence.Cells[^1].Candidate.Requests >= 6_000);
        var cell = view.Report!.Evidence.Cells[^1];
        Assert.Equal((6_000, 6_000, 0, 3), (cell.Candidate.Requests, cell.Stable.Requests, view.Report.Evidence.Lost, view.Report.Evidence.Gateways));
        Assert.Equal((600, 600), (cell.Bad.Single().Candidate, cell.Bad.Single().Stable));
    }

    [Fact]
    public async Task A_batch_that_makes_no_sense_is_refused()
    {
        await using var stage = await RolloutStage.OpenAsync();
        foreach (var (batch, status) in new[] { (Batch(0), HttpStatusCode.BadRequest), (Batch(1) with { Channel = "elsewhere" }, HttpStatusCode.NotFound), (Batch(1) with { Gateway = "" }, HttpStatusCode.BadRequest) })
        {
            using var response = await stage.GatewayClient.PostAsync("/api/v1/gateway/events", TestServer.Json(batch, RolloutJson.Default.EventBatch), Cancellation);
            Assert.Equal(status, response.StatusCode);
        }
    }

    private static EventBatch Batch(long sequence, string boot = "b1") => new("g1", boot, Sample.Channel, sequence, [new("r1", sequence, 0, [], [], null)]);

    private static Task<EventReceipt?> TakeAsync(TestDatabase store, EventBatch batch) => store.Database.ChangeAsync(session => EventInbox.TakeInAsync(session, batch, 0), Cancellation);

    private static async Task<WaitingBatch[]> WaitingAsync(TestDatabase store) => [.. await store.Database.ReadAsync(session => EventInbox.PeekAsync(session, 1_000), Cancellation)];
}
