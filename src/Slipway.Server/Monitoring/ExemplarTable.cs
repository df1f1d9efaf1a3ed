using System.Collections.Immutable;
using Slipway.Documents.Monitoring;
using Slipway.Documents.Rollouts;
using Slipway.Server.Storage;

namespace Slipway.Server.Monitoring;

/// <summary>Traces of bad requests: the latest of every model's channel, for people to follow.</summary>
internal static class ExemplarTable
{
    /// <summary>Kept of one model's channel; older ones make room.</summary>
    private const int Most = 500;

    /// <summary>In one answer of one version.</summary>
    private const int MostTold = 20;

    /// <summary>Characters of a trace's id.</summary>
    private const int LongestTrace = 64;

    public static bool IsSound(Exemplar exemplar) =>
        exemplar.Trace.Length is > 0 and <= LongestTrace && exemplar.Trace.All(char.IsAsciiLetterOrDigit)
        && Enum.IsDefined(exemplar.Kind) && exemplar.At > 0 && double.IsFinite(exemplar.Seconds) && exemplar.Seconds >= 0;

    /// <param name="exemplars">Sound ones; the newest are stored.</param>
    public static async Task AddAsync(Session session, string model, string channel, IEnumerable<(int Version, Exemplar Exemplar)> exemplars)
    {
        foreach (var (version, exemplar) in exemplars.OrderByDescending(told => told.Exemplar.At).Take(Most))
        {
            await session.ExecuteAsync(
                """
                INSERT INTO exemplars (model, channel, version, trace, kind, at, seconds) VALUES (@model, @channel, @version, @Trace, @kind, @At, @seconds)
                ON CONFLICT (model, channel, version, trace) DO NOTHING
                """,
                new { model, channel, version = (long)version, exemplar.Trace, kind = (long)exemplar.Kind, exemplar.At, seconds = BitConverter.DoubleToInt64Bits(exemplar.Seconds) });
        }

        if (await session.FindAsync<long?>("SELECT at FROM exemplars WHERE model = @model AND channel = @channel ORDER BY at DESC LIMIT 1 OFFSET @most", new { model, channel, most = Most }) is { } old)
            await session.ExecuteAsync("DELETE FROM exemplars WHERE model = @model AND channel = @channel AND at <= @old", new { model, channel, old });
    }

    /// <summary>Of a span, by version, newest first.</summary>
    public static async Task<ImmutableDictionary<int, ImmutableArray<Exemplar>>> ListAsync(Session session, string model, string channel, long from, long to) =>
        (await session.QueryAsync<Row>(
            "SELECT version AS Version, trace AS Trace, kind AS Kind, at AS At, seconds AS Seconds FROM exemplars WHERE model = @model AND channel = @channel AND at >= @from AND at < @to ORDER BY at DESC, trace",
            new { model, channel, from, to }))
        .GroupBy(row => (int)row.Version)
        .ToImmutableDictionary(group => group.Key, group => group.Take(MostTold).Select(row => new Exemplar(row.Trace, (BadKind)row.Kind, row.At, BitConverter.Int64BitsToDouble(row.Seconds))).ToImmutableArray());

    private sealed record Row
    {
        public long Version { get; init; }

        public string Trace { get; init; } = "";

        public long Kind { get; init; }

        public long At { get; init; }

        public long Seconds { get; init; }
    }
}
