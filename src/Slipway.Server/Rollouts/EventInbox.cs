using System.Collections.Immutable;
using Slipway.Documents.Rollouts;
using Slipway.Server.Api;
using Slipway.Server.Storage;

namespace Slipway.Server.Rollouts;

/// <summary>A batch that waits to be folded.</summary>
internal sealed record WaitingBatch(long Position, EventBatch Batch);

/// <summary>Gateways' batches between their arrival and the judge, each taken in once. Full, it makes gateways wait rather than lose anything.</summary>
internal static class EventInbox
{
    /// <summary>
    /// Batches that wait, over all gateways; a full one has about 1.5 MiB. The server that drives rollouts takes them away in milliseconds, so
    /// as many lie here only while none drives.
    /// </summary>
    public const int Most = 256;

    /// <summary>When a gateway that was made to wait may ask again, in seconds.</summary>
    public const int RetryAfterSeconds = 1;

    /// <summary>How long a boot's cursor is kept after its last batch; a repeat comes within seconds.</summary>
    private static readonly TimeSpan CursorLife = TimeSpan.FromDays(7);

    /// <returns>What is stored now of this boot; null when the inbox is full.</returns>
    /// <exception cref="ApiProblem">The one before never came, or the boot tells of another channel (409): who borrows it there would silence it.</exception>
    public static async Task<EventReceipt?> TakeInAsync(Session session, EventBatch batch, long now)
    {
        if (await session.FindAsync<string>("SELECT channel FROM event_cursors WHERE gateway = @Gateway AND boot = @Boot", new { batch.Gateway, batch.Boot }) is { } other && other != batch.Channel)
            throw ApiProblem.Conflict("boot-elsewhere", $"this boot of {batch.Gateway} told of {other} before, and a boot tells of one channel", "start the gateway again: each start is a boot of its own");
        var taken = await session.FindAsync<long?>("SELECT taken FROM event_cursors WHERE gateway = @Gateway AND boot = @Boot", new { batch.Gateway, batch.Boot }) ?? 0;
        if (batch.Sequence <= taken)
            return new(batch.Gateway, batch.Boot, taken);
        if (taken > 0 && batch.Sequence > taken + 1)
            throw ApiProblem.Conflict("batch-missing", $"batch {batch.Sequence} of gateway {batch.Gateway} came, and {taken + 1} is the next: the database was set back, or another gateway uses this name", "restart the gateway; what it could not tell counts as lost");
        if (await session.FindAsync<long>("SELECT COUNT(*) FROM event_batches") >= Most)
            return null;
        await session.ExecuteAsync("DELETE FROM event_cursors WHERE at < @before", new { before = now - (long)CursorLife.TotalMilliseconds });
        await session.ExecuteAsync(
            """
            INSERT INTO event_cursors (gateway, boot, channel, taken, at) VALUES (@Gateway, @Boot, @Channel, @Sequence, @now)
            ON CONFLICT (gateway, boot) DO UPDATE SET channel = excluded.channel, taken = excluded.taken, at = excluded.at
            """,
            new { batch.Gateway, batch.Boot, batch.Channel, batch.Sequence, now });
        var whole = batch.Sequence == 1 || taken > 0 ? batch : Incomplete(batch);
        await session.ExecuteAsync(
            "INSERT INTO event_batches (position, put_off, batch) SELECT COALESCE(MAX(position), 0) + 1, 0, @text FROM event_batches",
            new { text = StoredJson.Text(whole, RolloutJson.Default.EventBatch) });
        return new(batch.Gateway, batch.Boot, batch.Sequence);
    }

    /// <summary>Whether a batch waits that was not tried yet.</summary>
    public static async Task<bool> HasNewAsync(Session session) => await session.FindAsync<long?>("SELECT MIN(put_off) FROM event_batches") == 0;

    public static async Task<bool> IsEmptyAsync(Session session) => await session.FindAsync<long?>("SELECT MIN(put_off) FROM event_batches") is null;

    /// <summary>The oldest ones, those that were put off after the others.</summary>
    public static async Task<ImmutableArray<WaitingBatch>> PeekAsync(Session session, int most) =>
    [
        .. (await session.QueryAsync<Row>("SELECT position AS Position, batch AS Batch FROM event_batches ORDER BY put_off, position LIMIT @most", new { most }))
            .Select(row => new WaitingBatch(row.Position, StoredJson.Read(row.Batch, RolloutJson.Default.EventBatch))),
    ];

    /// <summary>Something must come first, such as another gateway's events of the same time.</summary>
    public static Task PutOffAsync(Session session, long position) => session.ExecuteAsync("UPDATE event_batches SET put_off = put_off + 1 WHERE position = @position", new { position });

    /// <summary>To be called in the change that stores what the batch was folded into.</summary>
    public static Task RemoveAsync(Session session, long position) => session.ExecuteAsync("DELETE FROM event_batches WHERE position = @position", new { position });

    /// <summary>The first that is known of a boot is not its first, as after the database was set back: what the ones before held nobody knows.</summary>
    private static EventBatch Incomplete(EventBatch batch) => batch with { Rollouts = [.. batch.Rollouts.Select(events => events with { Lost = events.Lost + 1 })] };

    private sealed record Row
    {
        public long Position { get; init; }

        public string Batch { get; init; } = "";
    }
}
