using System.Collections.Immutable;
using System.Globalization;
using Slipway.Documents.Monitoring;
using Slipway.Server.Storage;

namespace Slipway.Server.Monitoring;

/// <param name="Start">Unix milliseconds, a multiple of the window's length.</param>
internal readonly record struct WindowKey(string Model, string Channel, long Length, long Start, int Version, TrafficArm Arm);

/// <param name="Start">Unix milliseconds.</param>
internal sealed record StoredWindow(int Version, TrafficArm Arm, long Start, WindowSum Sum);

/// <summary>Requests of a channel in a window.</summary>
internal sealed record TrafficCount
{
    public string Model { get; init; } = "";

    public string Channel { get; init; } = "";

    /// <summary>Unix milliseconds.</summary>
    public long Start { get; init; }

    public long Requests { get; init; }

    public long Bad { get; init; }
}

/// <summary>Requests of a version in a span.</summary>
internal sealed record TrafficSum
{
    public long Requests { get; init; }

    /// <summary>Of these, with any kind of bad answer, late ones among them.</summary>
    public long Bad { get; init; }
}

/// <summary>Where the traffic of a channel of a model ended.</summary>
internal sealed record LastTraffic
{
    public string Model { get; init; } = "";

    public string Channel { get; init; } = "";

    /// <summary>Unix milliseconds, to the length of a window; null where none was ever told, or none is kept.</summary>
    public long? Until { get; init; }
}

/// <summary>Windows of traffic in the database.</summary>
internal static class WindowTable
{
    /// <summary>Windows deleted in one change: some milliseconds.</summary>
    private const int DeletedAtOnce = 500;

    /// <summary>Windows read at once, some 6 kB each.</summary>
    private const int ReadAtOnce = 500;

    /// <returns>False where there is no room for it: then nothing is added.</returns>
    public static async Task<bool> AddAsync(Session session, WindowKey key, WindowSum more)
    {
        var where = new { key.Model, key.Channel, key.Length, key.Start, version = (long)key.Version, arm = (long)key.Arm };
        var stored = await session.FindAsync<byte[]>(
            "SELECT data FROM windows WHERE model = @Model AND channel = @Channel AND length = @Length AND start = @Start AND version = @version AND arm = @arm", where);
        var sum = stored is null ? new WindowSum() : WindowSum.Read(stored);
        if (!sum.HasRoomFor(more))
            return false;
        sum.Add(more);
        await session.ExecuteAsync(
            """
            INSERT INTO windows (model, channel, length, start, version, arm, requests, bad, data) VALUES (@Model, @Channel, @Length, @Start, @version, @arm, @Requests, @bad, @data)
            ON CONFLICT (model, channel, length, start, version, arm) DO UPDATE SET requests = excluded.requests, bad = excluded.bad, data = excluded.data
            """,
            new { where.Model, where.Channel, where.Length, where.Start, where.version, where.arm, sum.Requests, bad = sum.Bad.Sum(), data = sum.ToBytes() });
        return true;
    }

    /// <summary>Windows that start in a span, by start, all arms but shadow: a shadow's answers went to nobody. Few are in memory at once.</summary>
    /// <param name="version">Null for all.</param>
    public static async IAsyncEnumerable<StoredWindow> ReadAsync(Session session, string model, string channel, long length, long from, long to, int? version = null)
    {
        IReadOnlyList<Row> page;
        var last = new Row { Start = from, Version = -1, Arm = -1 };
        do
        {
            page = await session.QueryAsync<Row>(
                $"""
                SELECT version AS Version, arm AS Arm, start AS Start, data AS Data FROM windows
                WHERE model = @model AND channel = @channel AND length = @length AND (start, version, arm) > (@Start, @Version, @Arm) AND start < @to AND arm <> @shadow{(version is null ? "" : " AND version = @only")}
                ORDER BY start, version, arm LIMIT @most
                """,
                new { model, channel, length, last.Start, last.Version, last.Arm, to, only = (long?)version, shadow = (long)TrafficArm.Shadow, most = (long)ReadAtOnce });
            foreach (var row in page)
                yield return new StoredWindow((int)row.Version, (TrafficArm)row.Arm, row.Start, WindowSum.Read(row.Data));
            last = page.Count > 0 ? page[^1] : last;
        }
        while (page.Count == ReadAtOnce);
    }

    /// <summary>Start of a version's last window in a span with any traffic but shadows'; null where there is none.</summary>
    public static Task<long?> LastAsync(Session session, string model, string channel, long length, int version, long from, long to) => session.FindAsync<long?>(
        """
        SELECT MAX(start) FROM windows
        WHERE model = @model AND channel = @channel AND length = @length AND start >= @from AND start < @to AND version = @version AND arm <> @shadow AND requests > 0
        """,
        new { model, channel, length, version = (long)version, from, to, shadow = (long)TrafficArm.Shadow });

    /// <summary>Requests and bad answers of every channel of every model by window, all versions and arms but shadow: out of the index alone.</summary>
    public static Task<IReadOnlyList<TrafficCount>> CountAsync(Session session, long length, long from) => session.QueryAsync<TrafficCount>(
        """
        SELECT model AS Model, channel AS Channel, start AS Start, CAST(SUM(requests) AS BIGINT) AS Requests, CAST(SUM(bad) AS BIGINT) AS Bad FROM windows
        WHERE length = @length AND start >= @from AND arm <> @shadow GROUP BY model, channel, start
        """,
        new { length, from, shadow = (long)TrafficArm.Shadow });

    /// <summary>Requests and bad answers of a version in a span, all arms but shadow, by the shortest windows that are still kept of it.</summary>
    /// <param name="from">Unix milliseconds; the window that holds it is the first.</param>
    public static async Task<TrafficSum> SumAsync(Session session, string model, string channel, int version, long from, long to)
    {
        var horizons = await HorizonsAsync(session);
        var length = WindowLength.All.First(length => length == WindowLength.Longest || length.StartOf(from) >= horizons.GetValueOrDefault(length.Milliseconds));
        return await session.FindAsync<TrafficSum>(
            """
            SELECT CAST(COALESCE(SUM(requests), 0) AS BIGINT) AS Requests, CAST(COALESCE(SUM(bad), 0) AS BIGINT) AS Bad FROM windows
            WHERE model = @model AND channel = @channel AND length = @length AND start >= @from AND start < @to AND version = @version AND arm <> @shadow
            """,
            new { model, channel, length = length.Milliseconds, from = length.StartOf(from), to, version = (long)version, shadow = (long)TrafficArm.Shadow }) ?? new();
    }

    /// <summary>Of every live version's channel, where its last window with any traffic ends: by the shortest that is still kept. One look into the index for each length.</summary>
    public static Task<IReadOnlyList<LastTraffic>> LastOfLiveAsync(Session session) => session.QueryAsync<LastTraffic>(
        $"SELECT l.model AS Model, l.channel AS Channel, COALESCE({string.Join(", ", WindowLength.All.Select(LastEnd))}) AS Until FROM live_versions l", new { shadow = (long)TrafficArm.Shadow });

    private static string LastEnd(WindowLength length) => string.Create(
        CultureInfo.InvariantCulture,
        $"(SELECT w.start + {length.Milliseconds} FROM windows w WHERE w.model = l.model AND w.channel = l.channel AND w.length = {length.Milliseconds} AND w.requests > 0 AND w.arm <> @shadow ORDER BY w.start DESC LIMIT 1)");

    /// <summary>By length, the moment before which its windows are deleted; a length that is not there lost none yet.</summary>
    public static async Task<ImmutableDictionary<long, long>> HorizonsAsync(Session session) =>
        (await session.QueryAsync<Horizon>("SELECT length AS Length, before AS Before FROM window_horizons")).ToImmutableDictionary(row => row.Length, row => row.Before);

    /// <summary>Deletes some of the windows that are kept no longer.</summary>
    /// <returns>Whether there may be more.</returns>
    public static async Task<bool> PurgeAsync(Session session, long now)
    {
        var more = false;
        foreach (var length in WindowLength.All)
        {
            var keep = now - length.Keep;
            foreach (var table in new[] { "windows", "quality" })
            {
                var due = await session.QueryAsync<long>($"SELECT start FROM {table} WHERE length = @length AND start < @keep ORDER BY start LIMIT @most", new { length = length.Milliseconds, keep, most = DeletedAtOnce });
                if (due.Count == 0)
                    continue;
                var before = due[^1] + 1;
                await session.ExecuteAsync($"DELETE FROM {table} WHERE length = @length AND start < @before", new { length = length.Milliseconds, before });
                await session.ExecuteAsync(
                    """
                    INSERT INTO window_horizons (length, before) VALUES (@length, @before)
                    ON CONFLICT (length) DO UPDATE SET before = CASE WHEN window_horizons.before < excluded.before THEN excluded.before ELSE window_horizons.before END
                    """,
                    new { length = length.Milliseconds, before });
                more |= due.Count == DeletedAtOnce;
            }
        }

        return more;
    }

    private sealed record Row
    {
        public long Version { get; init; }

        public long Arm { get; init; }

        public long Start { get; init; }

        public byte[] Data { get; init; } = [];
    }

    private sealed record Horizon
    {
        public long Length { get; init; }

        public long Before { get; init; }
    }
}
