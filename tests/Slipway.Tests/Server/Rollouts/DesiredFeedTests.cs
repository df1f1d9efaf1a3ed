using System.Diagnostics;
using System.Net;
using Slipway.Documents.Rollouts;
using Slipway.Server.Rollouts;
using Slipway.Server.Storage;
using Slipway.Tests.Server.Storage;

namespace Slipway.Tests.Server.Rollouts;

public sealed class DesiredFeedTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public static TheoryData<DatabaseKind> Kinds => TestDatabase.Kinds;

    [Theory, MemberData(nameof(Kinds))]
    public async Task Whoever_waits_hears_of_a_change_of_this_server_or_another(DatabaseKind kind)
    {
        await using var store = await TestDatabase.OpenAsync(kind);
        using var here = new DesiredFeed(store.Database, TimeProvider.System);
        using var there = new DesiredFeed(await store.OpenAgainAsync(), TimeProvider.System);
        var waiting = new[] { here.NextAsync(Sample.Channel, (0, 0), Cancellation), there.NextAsync(Sample.Channel, (0, 0), Cancellation) };
        await Task.Delay(200, Cancellation);
        Assert.All(waiting, task => Assert.False(task.IsCompleted));
        await DeriveAsync(store, epoch: 1);
        Assert.All(await Task.WhenAll(waiting), state => Assert.Equal((1, 1), (state.Epoch, state.Revision)));
    }

    [Fact]
    public async Task What_is_new_is_answered_at_once_and_what_is_not_after_the_hold()
    {
        await using var store = await TestDatabase.OpenAsync(DatabaseKind.Sqlite);
        using var feed = new DesiredFeed(store.Database, TimeProvider.System);
        await DeriveAsync(store, epoch: 3);
        Assert.Equal(3, (await feed.NextAsync(Sample.Channel, (0, 0), Cancellation)).Epoch);
        var clock = Stopwatch.StartNew();
        Assert.Equal((3, 1), await feed.NextAsync(Sample.Channel, (3, 1), Cancellation) is var state ? (state.Epoch, state.Revision) : default);
        Assert.True(clock.Elapsed >= DesiredFeed.Hold);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task The_same_state_derived_again_is_no_news(DatabaseKind kind)
    {
        await using var store = await TestDatabase.OpenAsync(kind);
        await DeriveAsync(store, epoch: 1);
        await DeriveAsync(store, epoch: 1);
        Assert.Equal((1, 1), await MarkAsync(store));
        await DeriveAsync(store, epoch: 2);
        Assert.Equal((2, 2), await MarkAsync(store));
        // An epoch never goes back, whoever derives.
        await DeriveAsync(store, epoch: 1);
        Assert.Equal((2, 2), await MarkAsync(store));
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task A_state_lends_less_time_the_longer_nobody_drives(DatabaseKind kind)
    {
        await using var store = await TestDatabase.OpenAsync(kind);
        using var feed = new DesiredFeed(store.Database, TimeProvider.System);
        var lease = new Lease(store.Database);
        await lease.TryHoldAsync(RolloutChanges.DriverLease, "a", TimeSpan.FromHours(1), Cancellation);
        await DeriveAsync(store, epoch: 1);
        Assert.Equal(DesiredState.DefaultLease, await LentAsync());
        await EndAsync(TimeSpan.FromSeconds(10));
        Assert.InRange((await LentAsync()).Seconds, 1, 20);
        await EndAsync(TimeSpan.FromSeconds(31));
        Assert.Equal(Sample.Seconds(0.001), await LentAsync());
        await lease.TryHoldAsync(RolloutChanges.DriverLease, "b", TimeSpan.FromHours(1), Cancellation);
        Assert.Equal(DesiredState.DefaultLease, await LentAsync());

        async Task<Slipway.Primitives.Units.Duration> LentAsync() => (await feed.NextAsync(Sample.Channel, (0, 0), Cancellation)).Lease;

        Task EndAsync(TimeSpan ago) => store.Database.ChangeAsync(
            async session => await session.ExecuteAsync("UPDATE leases SET until = @until", new { until = await session.NowAsync() - (long)ago.TotalMilliseconds }), Cancellation);
    }

    [Fact]
    public async Task A_server_that_stops_lets_nobody_hang()
    {
        await using var stage = await RolloutStage.OpenAsync();
        var state = await TestServer.GetAsync(stage.GatewayClient, $"/api/v1/gateway/desired?channel={Sample.Channel}", RolloutJson.Default.DesiredState);
        var waiting = stage.GatewayClient.GetAsync($"/api/v1/gateway/desired?channel={Sample.Channel}&after={state.Epoch}.{state.Revision}", Cancellation);
        await Task.Delay(200, Cancellation);
        await stage.Server.RestartAsync(async () =>
        {
            using var response = await waiting;
            Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
        });
    }

    [Theory]
    [InlineData("?channel=elsewhere", HttpStatusCode.NotFound)]
    [InlineData("", HttpStatusCode.NotFound)]
    [InlineData("?channel=production&after=7", HttpStatusCode.BadRequest)]
    [InlineData("?channel=production&after=-1.2", HttpStatusCode.BadRequest)]
    [InlineData("?channel=production&after=1.2.3", HttpStatusCode.BadRequest)]
    public async Task A_malformed_question_is_refused(string query, HttpStatusCode status)
    {
        await using var stage = await RolloutStage.OpenAsync();
        using var response = await stage.GatewayClient.GetAsync("/api/v1/gateway/desired" + query, Cancellation);
        Assert.Equal(status, response.StatusCode);
    }

    private static Task DeriveAsync(TestDatabase store, long epoch) => store.Database.ChangeAsync(session => DesiredStateTable.DeriveAsync(session, Sample.Channel, epoch), Cancellation);

    private static Task<(long, long)> MarkAsync(TestDatabase store) => store.Database.ReadAsync(session => DesiredStateTable.MarkAsync(session, Sample.Channel), Cancellation);
}
