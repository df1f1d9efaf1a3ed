using System.Collections.Immutable;
using Slipway.Documents.Incidents;
using Slipway.Server.Storage;

namespace Slipway.Server.Captures;

/// <summary>Captured requests between their capture and the end of their time; nobody here can open them.</summary>
internal static class CaptureTable
{
    /// <summary>Bytes of one model's channel; the oldest go when more come.</summary>
    public const long MostBytes = 1024L * 1024 * 1024;

    /// <summary>Of one answer.</summary>
    public const int MostListed = 1_000;

    private const string Columns =
        "id AS Id, model AS Model, channel AS Channel, gateway AS Gateway, from_at AS FromAt, to_at AS ToAt, requests AS Requests, size AS Size, recipient AS Recipient, kept_until AS KeptUntil";

    /// <summary>Stores it once; makes room for it.</summary>
    /// <param name="most">Bytes of the model's channel.</param>
    public static async Task AddAsync(Session session, CaptureInfo info, byte[] content, long most = MostBytes)
    {
        if (await session.FindAsync<long>("SELECT COUNT(*) FROM captures WHERE id = @Id", new { info.Id }) > 0)
            return;
        var held = await session.FindAsync<long?>("SELECT SUM(size) FROM captures WHERE model = @Model AND channel = @Channel", new { info.Model, info.Channel }) ?? 0;
        while (held + info.Size > most && await OldestAsync(session, info.Model, info.Channel) is { } oldest)
        {
            await session.ExecuteAsync("DELETE FROM captures WHERE id = @Id", new { oldest.Id });
            held -= oldest.Size;
        }

        await session.ExecuteAsync(
            """
            INSERT INTO captures (id, model, channel, gateway, from_at, to_at, requests, size, recipient, kept_until, content)
            VALUES (@Id, @Model, @Channel, @Gateway, @From, @To, @Requests, @Size, @Recipient, @KeptUntil, @content)
            """,
            new { info.Id, info.Model, info.Channel, info.Gateway, info.From, info.To, Requests = (long)info.Requests, info.Size, info.Recipient, info.KeptUntil, content });
    }

    /// <summary>Those with requests between the two times, oldest first; at most one more than <see cref="MostListed"/>.</summary>
    public static async Task<ImmutableArray<CaptureInfo>> ListAsync(Session session, string model, string channel, long from, long to, long now) =>
    [
        .. (await session.QueryAsync<Row>(
            $"SELECT {Columns} FROM captures WHERE model = @model AND channel = @channel AND to_at >= @from AND from_at <= @to AND kept_until > @now ORDER BY from_at, id LIMIT {MostListed + 1}",
            new { model, channel, from, to, now })).Select(row => row.Info),
    ];

    /// <returns>Null when there is none, or its time is over.</returns>
    public static Task<byte[]?> ContentAsync(Session session, string model, string id, long now) =>
        session.FindAsync<byte[]>("SELECT content FROM captures WHERE model = @model AND id = @id AND kept_until > @now", new { model, id, now });

    public static Task<int> PurgeAsync(Session session, long now) => session.ExecuteAsync("DELETE FROM captures WHERE kept_until <= @now", new { now });

    public static Task<int> EraseAsync(Session session, string model) => session.ExecuteAsync("DELETE FROM captures WHERE model = @model", new { model });

    /// <summary>By this server's clock: what a gateway says of its times must not push another's out.</summary>
    private static Task<Row?> OldestAsync(Session session, string model, string channel) =>
        session.FindAsync<Row>($"SELECT {Columns} FROM captures WHERE model = @model AND channel = @channel ORDER BY kept_until, id LIMIT 1", new { model, channel });

    private sealed record Row
    {
        public string Id { get; init; } = "";

        public string Model { get; init; } = "";

        public string Channel { get; init; } = "";

        public string Gateway { get; init; } = "";

        public long FromAt { get; init; }

        public long ToAt { get; init; }

        public long Requests { get; init; }

        public long Size { get; init; }

        public string Recipient { get; init; } = "";

        public long KeptUntil { get; init; }

        public CaptureInfo Info => new(Id, Model, Channel, Gateway, FromAt, ToAt, (int)Requests, Size, Recipient, KeptUntil);
    }
}
