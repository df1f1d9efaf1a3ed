using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;

namespace Slipway.Gateway.Admission;

/// <summary>How many requests one caller may send.</summary>
/// <param name="PerSecond">Over a long time; more than 0.</param>
/// <param name="Burst">At once, after a pause; at least 1.</param>
/// <param name="Header">Names the caller, where something in front sets it; null, or a request without it, is known by its remote address.</param>
public sealed record RateLimit(double PerSecond, int Burst, string? Header);

/// <summary>A token bucket for each caller. Thread-safe.</summary>
/// <remarks>
/// Source: the generic cell rate algorithm, ITU-T I.371, Annex A, "virtual scheduling": a bucket is the one time at which it would be
/// full again.
/// </remarks>
internal sealed class CallerLimit(RateLimit limit, TimeProvider time)
{
    /// <summary>
    /// Callers that are told apart, about 100 bytes each. When there are more, those whose buckets are full again are forgotten; while there
    /// are none, new callers share one bucket.
    /// </summary>
    public const int MaxCallers = 65_536;

    private readonly ConcurrentDictionary<UInt128, Bucket> buckets = new();
    private readonly Bucket shared = new();
    private readonly Lock sweeping = new();
    private readonly double perRequest = time.TimestampFrequency / limit.PerSecond;
    private long sweptAt = long.MinValue;

    /// <summary>Takes a token of the caller's.</summary>
    /// <returns>Zero when there was one; otherwise how long the caller has to wait for the next.</returns>
    public TimeSpan Take(UInt128 caller)
    {
        var now = time.GetTimestamp();
        var bucket = BucketOf(caller, now);
        var room = (long)(perRequest * limit.Burst);
        while (true)
        {
            var full = Volatile.Read(ref bucket.FullAt);
            var next = Math.Max(full, now) + (long)perRequest;
            if (next - now > room)
                return TimeSpan.FromSeconds((next - now - room) / (double)time.TimestampFrequency);
            if (Interlocked.CompareExchange(ref bucket.FullAt, next, full) == full)
                return TimeSpan.Zero;
        }
    }

    /// <summary>A caller by what a header says of it.</summary>
    public static UInt128 CallerOf(string header) => Of(1, Encoding.UTF8.GetBytes(header));

    /// <summary>A caller by its address; of IPv6 the first 64 bits, since anyone at home has all the others.</summary>
    public static UInt128 CallerOf(IPAddress? address)
    {
        if (address is null)
            return default;
        var bytes = address.IsIPv4MappedToIPv6 ? address.MapToIPv4().GetAddressBytes() : address.GetAddressBytes();
        return address.AddressFamily == AddressFamily.InterNetworkV6 && bytes.Length == 16 ? Of(2, bytes.AsSpan(0, 8)) : Of(3, bytes);
    }

    private static UInt128 Of(byte kind, ReadOnlySpan<byte> name)
    {
        Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData([kind, .. name], digest);
        return BinaryPrimitives.ReadUInt128BigEndian(digest);
    }

    private Bucket BucketOf(UInt128 caller, long now)
    {
        if (buckets.TryGetValue(caller, out var known))
            return known;
        if (buckets.Count >= MaxCallers)
            Sweep(now);
        return buckets.Count < MaxCallers ? buckets.GetOrAdd(caller, static _ => new Bucket()) : shared;
    }

    /// <summary>A full bucket and none are the same. At most once a second: it looks at every caller.</summary>
    private void Sweep(long now)
    {
        lock (sweeping)
        {
            if (sweptAt != long.MinValue && now - sweptAt < time.TimestampFrequency)
                return;
            sweptAt = now;
            foreach (var (caller, bucket) in buckets)
            {
                if (Volatile.Read(ref bucket.FullAt) <= now)
                    buckets.TryRemove(caller, out _);
            }
        }
    }

    private sealed class Bucket
    {
        /// <summary>On the monotonic clock; in the past when it is full.</summary>
        public long FullAt;
    }
}
