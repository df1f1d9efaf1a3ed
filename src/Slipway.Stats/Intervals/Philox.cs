namespace Slipway.Stats.Intervals;

/// <summary>
/// Philox4x32-10: a counter-based generator. The draws of one stream depend on (seed, stream) alone, so that streams can be
/// drawn on any thread, in any order.
/// </summary>
/// <remarks>
/// Source: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011; known answers of Random123.
/// A stream has 2^34 draws. A mutable struct: pass it by <c>ref</c>. Not for cryptography.
/// </remarks>
/// <param name="seed">The key.</param>
/// <param name="stream">Such as the resample's number.</param>
internal struct Philox(long seed, ulong stream)
{
    private const int Rounds = 10;

    private readonly uint key0 = (uint)seed;
    private readonly uint key1 = (uint)((ulong)seed >> 32);
    private uint block;
    private int left;
    private (uint A, uint B, uint C, uint D) drawn;

    /// <summary>The next 32 bits, uniform.</summary>
    public uint Next()
    {
        if (left == 0)
        {
            drawn = Block((block++, 0, (uint)stream, (uint)(stream >> 32)), (key0, key1));
            left = 4;
        }

        return left-- switch { 4 => drawn.A, 3 => drawn.B, 2 => drawn.C, _ => drawn.D };
    }

    /// <summary>Uniform in [0, <paramref name="bound"/>), without bias.</summary>
    /// <remarks>Lemire, "Fast random integer generation in an interval", 2019: multiply, and draw again in the short first strip.</remarks>
    public uint Below(uint bound)
    {
        var product = (ulong)Next() * bound;
        if ((uint)product < bound)
        {
            var strip = (uint)-bound % bound;
            while ((uint)product < strip)
                product = (ulong)Next() * bound;
        }

        return (uint)(product >> 32);
    }

    internal static (uint, uint, uint, uint) Block((uint A, uint B, uint C, uint D) counter, (uint A, uint B) key)
    {
        for (var round = 0; round < Rounds; round++)
        {
            var first = (ulong)0xD2511F53 * counter.A;
            var second = (ulong)0xCD9E8D57 * counter.C;
            counter = ((uint)(second >> 32) ^ counter.B ^ key.A, (uint)second, (uint)(first >> 32) ^ counter.D ^ key.B, (uint)first);
            key = (key.A + 0x9E3779B9, key.B + 0xBB67AE85);
        }

        return counter;
    }
}
