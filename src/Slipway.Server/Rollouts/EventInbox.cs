using System.Collections.Immutable;
using Slipway.Documents.Rollouts;
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
    public static async Task<EventReceipt?> TakeInAsync(Session session, EventBatch batch, long now)
    {
        var taken = await session.FindAsync<long?>("SELECT taken FROM event_cursors WHERE gateway = @Gateway AND boot = @Boot", new { batch.Gateway, batch.Boot }) ?? 0;
        if (batch.Sequence <= taken)
            return new(batch.Gateway, batch.Boot, taken);
        if (await session.FindAsync<long>("SELECT COUNT(*) FROM event_batches") >= Most)
            return null;
        await session.ExecuteAsync("DELETE FROM event_cursors WHERE at < @before", new { before = now - (long)CursorLife.TotalMilliseconds });
        await session.ExecuteAsync(
            """
            INSERT INTO event_cursors (gateway, boot, taken, at) VALUES (@Gateway, @Boot, @Sequence, @now)
            ON CONFLICT (gateway, boot) DO UPDATE SET taken = excluded.taken, at = excluded.at
            """,
            new { batch.Gateway, batch.Boot, batch.Sequence, now });
        var whole = batch.Sequence == taken + 1 ? batch : Incomplete(batch);
        await session.ExecuteAsync(
            "INSERT INTO event_batches (position, batch) SELECT COALESCE(MAX(position), 0) + 1, @text FROM event_batches",
            new { text = StoredJson.Text(whole, RolloutJson.Default.EventBatch) });
        return new(batch.Gateway, batch.Boot, batch.Sequence);
    }

    public static async Task<bool> AnyAsync(Session session) => await session.FindAsync<long>("SELECT COUNT(*) FROM event_batches") > 0;

    /// <summary>The oldest ones.</summary>
    public static async Task<ImmutableArray<WaitingBatch>> PeekAsync(Session session, int most) =>
    [
        .. (await session.QueryAsync<Row>("SELECT position AS Position, batch AS Batch FROM event_batches ORDER BY position LIMIT @most", new { most }))
            .Select(row => new WaitingBatch(row.Position, StoredJson.Read(row.Batch, RolloutJson.Default.EventBatch))),
    ];

    /// <summary>To be called in the change that stores what they were folded into.</summary>
    public static Task RemoveThroughAsync(Session session, long position) => session.ExecuteAsync("DELETE FROM event_batches WHERE position <= @position", new { position });

    /// <summary>Batches before it are missing, as after the database was set back: how much they held nobody knows, and it was not nothing.</summary>
    private static EventBatch Incomplete(EventBatch batch) => batch with { Rollouts = [.. batch.Rollouts.Select(events => events with { Lost = events.Lost + 1 })] };

    private sealed record Row
    {
        public long Position { get; init; }

        public string Batch { get; init; } = "";
    }
}
