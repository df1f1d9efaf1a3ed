namespace Slipway.Server.Storage;

/// <summary>What one server at a time may do, over all servers of a database: held for a while, kept by holding it again, fenced by its epoch.</summary>
/// <remarks>
/// Time is the database's own, so servers' clocks need not agree. If that clock steps forward, a lease may pass on while its holder still
/// lives; if it steps back, what ends later than any lease could is taken as ended. Neither can harm: changes come one after another, and
/// one that asks <see cref="IsInForceAsync"/> does nothing from the moment on that another holder's epoch was committed.
/// </remarks>
internal sealed class Lease(Database database)
{
    /// <summary>Takes the lease, or holds it on.</summary>
    /// <param name="holder">This process; differs at every start.</param>
    /// <param name="duration">The same for all who want it: that is how what a stepped clock left behind is told.</param>
    /// <returns>The epoch, which grows whenever another holder takes over; null while somebody else holds it.</returns>
    public Task<long?> TryHoldAsync(string name, string holder, TimeSpan duration, CancellationToken cancellation) => database.ChangeAsync<long?>(
        async session =>
        {
            var now = await session.NowAsync();
            var until = now + (long)duration.TotalMilliseconds;
            await session.ExecuteAsync("INSERT INTO leases (name, holder, epoch, until) VALUES (@name, '', 0, 0) ON CONFLICT (name) DO NOTHING", new { name });
            await session.ExecuteAsync(
                """
                UPDATE leases SET epoch = CASE WHEN holder = @holder THEN epoch ELSE epoch + 1 END, holder = @holder, until = @until
                WHERE name = @name AND (holder = @holder OR until <= @now OR until > @until)
                """,
                new { name, holder, now, until });
            return await session.FindAsync<long?>("SELECT epoch FROM leases WHERE name = @name AND holder = @holder", new { name, holder });
        },
        cancellation);

    /// <summary>Lets go of it, so that the next one need not wait.</summary>
    public Task ReleaseAsync(string name, string holder, CancellationToken cancellation) =>
        database.ChangeAsync(async session => await session.ExecuteAsync("UPDATE leases SET until = @now WHERE name = @name AND holder = @holder", new { name, holder, now = await session.NowAsync() }), cancellation);

    /// <summary>Ends it, whoever holds it: for whoever knows that nobody alive does. The next one has the next epoch all the same.</summary>
    public Task VacateAsync(string name, CancellationToken cancellation) =>
        database.ChangeAsync(async session => await session.ExecuteAsync("UPDATE leases SET until = @now WHERE name = @name", new { name, now = await session.NowAsync() }), cancellation);

    /// <summary>How long nobody has held it; zero while somebody does, and before anybody did.</summary>
    public static async Task<TimeSpan> VacantForAsync(Session session, string name) =>
        await session.FindAsync<long?>("SELECT until FROM leases WHERE name = @name", new { name }) is { } until && await session.NowAsync() - until is > 0 and var past ? TimeSpan.FromMilliseconds(past) : TimeSpan.Zero;

    /// <returns>The latest epoch; 0 before anybody held it.</returns>
    public static async Task<long> EpochAsync(Session session, string name) =>
        await session.FindAsync<long?>("SELECT epoch FROM leases WHERE name = @name", new { name }) ?? 0;

    /// <summary>Whether nobody took over since this epoch: to be asked inside the change that rests on it.</summary>
    public static async Task<bool> IsInForceAsync(Session session, string name, long epoch) => await EpochAsync(session, name) == epoch;
}
