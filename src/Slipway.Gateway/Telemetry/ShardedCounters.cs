using System.Numerics;

namespace Slipway.Gateway.Telemetry;

/// <summary>A row of counters, kept once for each processor, so that counting never waits for another core's cache line. Thread-safe.</summary>
internal sealed class ShardedCounters
{
    /// <summary>Counters between one processor's and the next one's in memory: two cache lines of 64 bytes.</summary>
    private const int Apart = 16;

    /// <summary>More processors than this share: a row costs memory for each.</summary>
    private const int MaxShards = 32;

    private static readonly int Shards = (int)BitOperations.RoundUpToPowerOf2((uint)Math.Min(Environment.ProcessorCount, MaxShards));

    private readonly long[][] shards;

    /// <param name="count">How many counters the row has.</param>
    public ShardedCounters(int count)
    {
        shards = new long[Shards][];
        for (var i = 0; i < Shards; i++)
            shards[i] = new long[count + Apart];
        Count = count;
    }

    public int Count { get; }

    public void Increment(int index) => Interlocked.Increment(ref shards[Thread.GetCurrentProcessorId() & (Shards - 1)][index]);

    public void Add(int index, long amount) => Interlocked.Add(ref shards[Thread.GetCurrentProcessorId() & (Shards - 1)][index], amount);

    /// <summary>Every increment that happened before is in it.</summary>
    public long Sum(int index)
    {
        var sum = 0L;
        foreach (var shard in shards)
            sum += Interlocked.Read(ref shard[index]);
        return sum;
    }

    /// <summary>Hands out what was counted and starts the counter anew: each increment is handed out exactly once.</summary>
    public long Take(int index)
    {
        var sum = 0L;
        foreach (var shard in shards)
        {
            if (Volatile.Read(ref shard[index]) != 0)
                sum += Interlocked.Exchange(ref shard[index], 0);
        }

        return sum;
    }
}
