using System.Collections.Immutable;
using Slipway.Server.Storage;

namespace Slipway.Server.Monitoring;

/// <param name="Start">Unix milliseconds.</param>
internal sealed record StoredQuality(int Version, long Start, QualitySum Sum);

/// <summary>Windows of quality in the database, by the time of the predictions.</summary>
internal static class QualityTable
{
    /// <summary>Windows read at once, some 4 kB each.</summary>
    private const int ReadAtOnce = 500;

    public static async Task AddAsync(Session session, string model, string channel, long length, long start, int version, QualitySum more)
    {
        var where = new { model, channel, length, start, version = (long)version };
        var stored = await session.FindAsync<byte[]>("SELECT data FROM quality WHERE model = @model AND channel = @channel AND length = @length AND start = @start AND version = @version", where);
        var sum = stored is null ? new QualitySum() : QualitySum.Read(stored);
        sum.Add(more);
        await session.ExecuteAsync(
            """
            INSERT INTO quality (model, channel, length, start, version, data) VALUES (@model, @channel, @length, @start, @version, @data)
            ON CONFLICT (model, channel, length, start, version) DO UPDATE SET data = excluded.data
            """,
            new { where.model, where.channel, where.length, where.start, where.version, data = sum.ToBytes() });
    }

    /// <summary>Windows that start in a span, by start. Few are in memory at once.</summary>
    public static async IAsyncEnumerable<StoredQuality> ReadAsync(Session session, string model, string channel, long length, long from, long to)
    {
        IReadOnlyList<Row> page;
        var last = new Row { Start = from, Version = -1 };
        do
        {
            page = await session.QueryAsync<Row>(
                """
                SELECT version AS Version, start AS Start, data AS Data FROM quality
                WHERE model = @model AND channel = @channel AND length = @length AND (start, version) > (@Start, @Version) AND start < @to
                ORDER BY start, version LIMIT @most
                """,
                new { model, channel, length, last.Start, last.Version, to, most = (long)ReadAtOnce });
            foreach (var row in page)
                yield return new StoredQuality((int)row.Version, row.Start, QualitySum.Read(row.Data));
            last = page.Count > 0 ? page[^1] : last;
        }
        while (page.Count == ReadAtOnce);
    }

    private sealed record Row
    {
        public long Version { get; init; }

        public long Start { get; init; }

        public byte[] Data { get; init; } = [];
    }
}
