using Slipway.Primitives.Units;

namespace Slipway.Gateway.Sampling;

/// <summary>Which requests are among a share of them, by their id alone: the same at every gateway and at any time.</summary>
internal static class RequestShare
{
    /// <summary>Characters of an id that count: what is beyond changes nothing, and costs nothing.</summary>
    private const int Longest = 64;

    public static bool Has(Ratio share, string id) => share.Value >= 1 || (share.Value > 0 && Hash(id.AsSpan(0, Math.Min(id.Length, Longest))) < share.Value * ulong.MaxValue);

    /// <remarks>FNV-1a over UTF-16 units, and SplitMix64's last steps, without which similar ids stay together. Source: Fowler, Noll and Vo; Steele, Lea and Flood.</remarks>
    private static ulong Hash(ReadOnlySpan<char> id)
    {
        var hash = 0xcbf29ce484222325;
        foreach (var unit in id)
            hash = (hash ^ unit) * 0x100000001b3;
        hash = (hash ^ (hash >> 30)) * 0xbf58476d1ce4e5b9;
        hash = (hash ^ (hash >> 27)) * 0x94d049bb133111eb;
        return hash ^ (hash >> 31);
    }
}
