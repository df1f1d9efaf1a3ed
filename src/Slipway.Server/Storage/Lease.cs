namespace Slipway.Server.Storage;

/// <summary>What one server at a time may do, over all servers of a database: held for a while, kept by holding it again, fenced by its epoch.</summary>
internal sealed class Lease(Database database, TimeProvider time)
{
    /// <summary>Takes the lease, or holds it on.</summary>
    /// <param name="holder">This process; differs at every start.</param>
    /// <returns>The epoch, which grows whenever another holder takes over; null while somebody else holds it.</returns>
    public Task<long?> TryHoldAsync(string name, string holder, TimeSpan duration, CancellationToken cancellation) => database.ChangeAsync<long?>(
        async session =>
        {
            var now = time.GetUtcNow().ToUnixTimeMilliseconds();
            var until = now + (long)duration.TotalMilliseconds;
            await session.ExecuteAsync("INSERT INTO leases (name, holder, epoch, until) VALUES (@name, '', 0, 0) ON CONFLICT (name) DO NOTHING", new { name });
            // A lease that ends later than any could was given before the clock stepped back.
            await session.ExecuteAsync(
                """
                UPDATE leases SET epoch = CASE WHEN holder = @holder THEN epoch ELSE epoch + 1 END, holder = @holder, until = @until
                WHERE name = @name AND (holder = @holder OR until <= @now OR until > @until)
                """,
                new { name, holder, now, until });
            return await session.FindAsync<long?>("SELECT epoch FROM leases WHERE name = @name AND holder = @holder", new { name, holder });
        },
        cancellation);

    /// <summary>Whether this epoch is still the lease's: to be asked inside the change that rests on it.</summary>
    public static async Task<bool> IsInForceAsync(Session session, string name, long epoch) => await EpochAsync(session, name) == epoch;

    /// <returns>0 before anybody held it.</returns>
    public static async Task<long> EpochAsync(Session session, string name) =>
        await session.FindAsync<long?>("SELECT epoch FROM leases WHERE name = @name", new { name }) ?? 0;

    /// <summary>Lets go of it, so that the next one need not wait.</summary>
    public Task ReleaseAsync(string name, string holder, CancellationToken cancellation) =>
        database.ChangeAsync(session => session.ExecuteAsync("UPDATE leases SET until = 0 WHERE name = @name AND holder = @holder", new { name, holder }), cancellation);
}
