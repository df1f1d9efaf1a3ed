using System.Diagnostics;

namespace Slipway.Tests.Architecture.Planted.Impure;

/// <summary>Does what mathematics may not: a clock, a file, chance, the environment.</summary>
internal static class Sinner
{
    internal static long Clock() => Stopwatch.GetTimestamp();

    internal static long Ticks() => Environment.TickCount64;

    internal static bool Disk() => File.Exists("/");

    internal static int Chance() => new Random(1).Next();
}
