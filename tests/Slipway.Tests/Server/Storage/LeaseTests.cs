using Slipway.Primitives.Faults;
using Slipway.Server.Storage;

namespace Slipway.Tests.Server.Storage;

public sealed class LeaseTests
{
    private const string Name = "rollouts";

    private static readonly TimeSpan Long = TimeSpan.FromHours(1), Short = TimeSpan.FromMilliseconds(20);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public static TheoryData<DatabaseKind> Kinds => TestDatabase.Kinds;

    [Theory, MemberData(nameof(Kinds))]
    public async Task One_holds_it_and_keeps_its_epoch_and_another_waits(DatabaseKind kind)
    {
        await using var store = await TestDatabase.OpenAsync(kind);
        var (first, second) = (new Lease(store.Database), new Lease(await store.OpenAgainAsync()));
        Assert.Equal(1, await HoldAsync(first, "a", Long));
        Assert.Null(await HoldAsync(second, "b", Long));
        Assert.Equal(1, await HoldAsync(first, "a", Long));
        Assert.Equal(1, await EpochAsync(store));
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task An_ended_lease_is_taken_over_with_the_next_epoch_and_the_late_holder_gets_none(DatabaseKind kind)
    {
        await using var store = await TestDatabase.OpenAsync(kind);
        var lease = new Lease(store.Database);
        Assert.Equal(1, await HoldAsync(lease, "a", Short));
        long? epoch = null;
        while (epoch is null)
        {
            epoch = await HoldAsync(lease, "b", Long);
            await Task.Delay(Short, Cancellation);
        }

        Assert.Equal(2, epoch);
        Assert.Null(await HoldAsync(lease, "a", Long));
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task A_released_lease_is_free_at_once(DatabaseKind kind)
    {
        await using var store = await TestDatabase.OpenAsync(kind);
        var lease = new Lease(store.Database);
        await HoldAsync(lease, "a", Long);
        await lease.ReleaseAsync(Name, "b", Cancellation);
        Assert.Null(await HoldAsync(lease, "b", Long));
        await lease.ReleaseAsync(Name, "a", Cancellation);
        Assert.Equal(2, await HoldAsync(lease, "b", Long));
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task A_change_that_rests_on_an_old_epoch_is_refused_whole(DatabaseKind kind)
    {
        await using var store = await TestDatabase.OpenAsync(kind);
        var lease = new Lease(store.Database);
        await HoldAsync(lease, "a", Long);
        await store.Database.ChangeAsync(session => Lease.RequireEpochAsync(session, Name, 1), Cancellation);
        await lease.ReleaseAsync(Name, "a", Cancellation);
        await HoldAsync(lease, "b", Long);
        var refused = await Assert.ThrowsAsync<SlipwayException>(() => store.Database.ChangeAsync(
            async session =>
            {
                await session.ExecuteAsync("UPDATE leases SET holder = 'a'");
                await Lease.RequireEpochAsync(session, Name, 1);
            },
            Cancellation));
        Assert.Equal("lease-lost", refused.Faults[0].Code);
        Assert.Equal(2, await HoldAsync(lease, "b", Long));
    }

    /// <summary>What a clock that stepped back an hour leaves: a lease of 20 ms that would last for an hour.</summary>
    [Theory, MemberData(nameof(Kinds))]
    public async Task A_lease_that_ends_later_than_any_could_has_ended(DatabaseKind kind)
    {
        await using var store = await TestDatabase.OpenAsync(kind);
        var lease = new Lease(store.Database);
        await HoldAsync(lease, "a", Long);
        Assert.Equal(2, await HoldAsync(lease, "b", Short));
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task Of_many_at_once_one_gets_it(DatabaseKind kind)
    {
        await using var store = await TestDatabase.OpenAsync(kind);
        var other = await store.OpenAgainAsync();
        var epochs = await Task.WhenAll(Enumerable.Range(0, 20).Select(n => HoldAsync(new Lease(n % 2 == 0 ? store.Database : other), $"holder {n}", Long)));
        Assert.Equal(1, Assert.Single(epochs, epoch => epoch is not null));
    }

    private static Task<long?> HoldAsync(Lease lease, string holder, TimeSpan duration) => lease.TryHoldAsync(Name, holder, duration, Cancellation);

    private static Task<long> EpochAsync(TestDatabase store) => store.Database.ReadAsync(session => Lease.EpochAsync(session, Name), Cancellation);
}
