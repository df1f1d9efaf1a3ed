using System.Security.Cryptography;

namespace Slipway.Gateway.Telemetry;

/// <summary>Makes ids: unique within this process, and spread over 128 bits so that two processes' do not meet. Thread-safe, without a lock.</summary>
internal sealed class IdSource
{
    private readonly ulong high, low;
    private long count;

    public IdSource()
    {
        Span<byte> seed = stackalloc byte[16];
        RandomNumberGenerator.Fill(seed);
        (high, low) = (BitConverter.ToUInt64(seed), BitConverter.ToUInt64(seed[8..]));
    }

    /// <summary>Never zero as a whole.</summary>
    public UInt128 Next()
    {
        var number = (ulong)Interlocked.Increment(ref count);
        return new UInt128(Mix(high + number), Mix(low ^ number) | 1);
    }

    /// <summary>A bijection: different numbers stay different. Source: SplitMix64, Steele, Lea and Flood, OOPSLA 2014.</summary>
    private static ulong Mix(ulong x)
    {
        x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
        x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
        return x ^ (x >> 31);
    }
}
