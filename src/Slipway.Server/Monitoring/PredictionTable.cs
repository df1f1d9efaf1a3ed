using System.Collections.Immutable;
using Dapper;
using Slipway.Server.Storage;

namespace Slipway.Server.Monitoring;

/// <param name="Key">16 bytes; see <c>PredictionKey</c>.</param>
/// <param name="At">Unix milliseconds on the server's clock.</param>
/// <param name="Label">Null while it waits for one.</param>
internal sealed record KeptPrediction(byte[] Key, int Version, long At, double Score, double? Label)
{
    /// <summary>What tells keys apart in memory.</summary>
    public string Name => Convert.ToHexStringLower(Key);
}

/// <summary>Predictions that are kept for their labels, and labels that wait for their predictions.</summary>
internal static class PredictionTable
{
    /// <summary>Of one model's channel; what is beyond is counted as unkept. Each has some 200 bytes, indexes and all: 1 GB.</summary>
    public const long MostPredictions = 5_000_000;

    /// <summary>Labels of one model's channel that wait.</summary>
    public const long MostWaiting = 100_000;

    /// <summary>How long a label waits for its prediction, which is at most seconds under way unless a gateway is cut off.</summary>
    public static readonly TimeSpan WaitsFor = TimeSpan.FromHours(1);

    /// <summary>Keys of one query: far from what either database allows in parameters.</summary>
    public const int AtOnce = 200;

    /// <summary>Rows of one statement: SQLite finds each parameter by going through their names.</summary>
    private const int RowsAtOnce = 20;

    /// <summary>Predictions deleted in one change: some tens of milliseconds.</summary>
    private const int DeletedAtOnce = 2_000;

    public static async Task<(long Predictions, long Waiting)> CountsAsync(Session session, string model, string channel) =>
        await session.FindAsync<Counts>("SELECT predictions AS Predictions, waiting AS Waiting FROM prediction_counts WHERE model = @model AND channel = @channel", new { model, channel }) is { } row
            ? (row.Predictions, row.Waiting)
            : (0, 0);

    public static Task CountAsync(Session session, string model, string channel, long predictions, long waiting) => session.ExecuteAsync(
        """
        INSERT INTO prediction_counts (model, channel, predictions, waiting) VALUES (@model, @channel, @predictions, @waiting)
        ON CONFLICT (model, channel) DO UPDATE SET predictions = prediction_counts.predictions + excluded.predictions, waiting = prediction_counts.waiting + excluded.waiting
        """,
        new { model, channel, predictions, waiting });

    /// <param name="keys">At most <see cref="AtOnce"/>.</param>
    public static async Task<ILookup<string, KeptPrediction>> FindAsync(Session session, string model, string channel, IEnumerable<byte[]> keys) =>
        (await QueryAsync<Row>(
            session, "SELECT key AS Key, version AS Version, at AS At, score AS Score, label AS Label FROM predictions WHERE model = @model AND channel = @channel AND key IN {0}",
            model, channel, keys)).Select(row => row.Read()).ToLookup(prediction => prediction.Name);

    /// <summary>Writes predictions as they are now, new ones and those whose label came.</summary>
    public static async Task WriteAsync(Session session, string model, string channel, IEnumerable<KeptPrediction> predictions)
    {
        foreach (var chunk in predictions.Chunk(RowsAtOnce))
        {
            var values = new DynamicParameters(new { model, channel });
            for (var i = 0; i < chunk.Length; i++)
            {
                values.Add($"k{i}", chunk[i].Key);
                values.Add($"v{i}", (long)chunk[i].Version);
                values.Add($"a{i}", chunk[i].At);
                values.Add($"s{i}", BitConverter.DoubleToInt64Bits(chunk[i].Score));
                values.Add($"l{i}", chunk[i].Label is { } label ? BitConverter.DoubleToInt64Bits(label) : null, System.Data.DbType.Int64);
            }

            await session.ExecuteAsync(
                $"""
                INSERT INTO predictions (model, channel, key, version, at, score, label) VALUES {string.Join(", ", chunk.Select((_, i) => $"(@model, @channel, @k{i}, @v{i}, @a{i}, @s{i}, @l{i})"))}
                ON CONFLICT (model, channel, key, version) DO UPDATE SET label = excluded.label
                """,
                values);
        }
    }

    /// <summary>Labels that wait, by key.</summary>
    public static async Task<Dictionary<string, double>> WaitingAsync(Session session, string model, string channel, IEnumerable<byte[]> keys) =>
        (await QueryAsync<WaitingRow>(session, "SELECT key AS Key, label AS Label FROM waiting_labels WHERE model = @model AND channel = @channel AND key IN {0}", model, channel, keys))
            .ToDictionary(row => Convert.ToHexStringLower(row.Key), row => BitConverter.Int64BitsToDouble(row.Label));

    public static Task WaitAsync(Session session, string model, string channel, byte[] key, double label, long now) => session.ExecuteAsync(
        "INSERT INTO waiting_labels (model, channel, key, label, until) VALUES (@model, @channel, @key, @bits, @until)",
        new { model, channel, key, bits = BitConverter.DoubleToInt64Bits(label), until = now + (long)WaitsFor.TotalMilliseconds });

    /// <param name="keys">At least one.</param>
    public static Task<int> EndWaitAsync(Session session, string model, string channel, IEnumerable<byte[]> keys)
    {
        var (list, values) = List(model, channel, keys);
        return session.ExecuteAsync($"DELETE FROM waiting_labels WHERE model = @model AND channel = @channel AND key IN {list}", values);
    }

    /// <summary>Deletes some of what is kept no longer.</summary>
    /// <param name="within">By model, how long its plan lets a label come after its prediction, in milliseconds; 0 where it asks for none.</param>
    /// <returns>Whether there may be more.</returns>
    public static async Task<bool> PurgeAsync(Session session, Func<string, Task<long>> within, long now)
    {
        var more = false;
        foreach (var counted in await session.QueryAsync<Counts>("SELECT model AS Model, channel AS Channel, predictions AS Predictions, waiting AS Waiting FROM prediction_counts WHERE predictions > 0 OR waiting > 0"))
        {
            var (model, channel, before) = (counted.Model, counted.Channel, now - await within(counted.Model));
            var due = await session.QueryAsync<long>("SELECT at FROM predictions WHERE model = @model AND channel = @channel AND at < @before ORDER BY at LIMIT @most", new { model, channel, before, most = DeletedAtOnce });
            var predictions = due.Count == 0 ? 0 : await session.ExecuteAsync("DELETE FROM predictions WHERE model = @model AND channel = @channel AND at <= @last", new { model, channel, last = due[^1] });
            var waiting = counted.Waiting == 0 ? 0 : await session.ExecuteAsync("DELETE FROM waiting_labels WHERE model = @model AND channel = @channel AND until < @now", new { model, channel, now });
            if (predictions > 0 || waiting > 0)
                await CountAsync(session, model, channel, -predictions, -waiting);
            more |= due.Count == DeletedAtOnce;
        }

        return more;
    }

    /// <param name="sql"><c>{0}</c> stands for the keys.</param>
    private static Task<IReadOnlyList<T>> QueryAsync<T>(Session session, string sql, string model, string channel, IEnumerable<byte[]> keys)
    {
        var (list, values) = List(model, channel, keys);
        return values.ParameterNames.Count() == 2 ? Task.FromResult<IReadOnlyList<T>>([]) : session.QueryAsync<T>(sql.Replace("{0}", list, StringComparison.Ordinal), values);
    }

    /// <summary>A list of parameters, written out: the two databases take arrays differently.</summary>
    private static (string List, DynamicParameters Values) List(string model, string channel, IEnumerable<byte[]> keys)
    {
        var values = new DynamicParameters();
        values.Add("model", model);
        values.Add("channel", channel);
        var names = new List<string>();
        foreach (var key in keys)
        {
            values.Add($"k{names.Count}", key);
            names.Add($"@k{names.Count}");
        }

        return ($"({string.Join(", ", names)})", values);
    }

    private sealed record Counts
    {
        public string Model { get; init; } = "";

        public string Channel { get; init; } = "";

        public long Predictions { get; init; }

        public long Waiting { get; init; }
    }

    private sealed record WaitingRow
    {
        public byte[] Key { get; init; } = [];

        public long Label { get; init; }
    }

    private sealed record Row
    {
        public byte[] Key { get; init; } = [];

        public long Version { get; init; }

        public long At { get; init; }

        public long Score { get; init; }

        public long? Label { get; init; }

        public KeptPrediction Read() => new(Key, (int)Version, At, BitConverter.Int64BitsToDouble(Score), Label is { } label ? BitConverter.Int64BitsToDouble(label) : null);
    }
}
