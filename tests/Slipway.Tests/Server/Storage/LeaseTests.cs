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
    public async Task An_epoch_is_in_force_until_another_holder_takes_over(DatabaseKind kind)
    {
        await using var store = await TestDatabase.OpenAsync(kind);
        var lease = new Lease(store.Database);
        await HoldAsync(lease, "a", Long);
        Assert.True(await IsInForceAsync(1));
        await lease.ReleaseAsync(Name, "a", Cancellation);
        // Nobody else has it yet, so nobody can have changed anything meanwhile.
        Assert.True(await IsInForceAsync(1));
        await HoldAsync(lease, "b", Long);
        Assert.Equal((false, true), (await IsInForceAsync(1), await IsInForceAsync(2)));

        Task<bool> IsInForceAsync(long epoch) => store.Database.ReadAsync(session => Lease.IsInForceAsync(session, Name, epoch), Cancellation);
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
