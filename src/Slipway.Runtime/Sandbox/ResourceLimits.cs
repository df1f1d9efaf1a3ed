using Slipway.Documents.Hardware;
using Slipway.Primitives.Units;

namespace Slipway.Runtime.Sandbox;

/// <summary>What a command may use at most, with all that it starts.</summary>
/// <param name="Cpus">Processors' worth of time; null for all.</param>
/// <param name="Memory">Of all its processes together.</param>
/// <param name="Processes">Processes and threads.</param>
/// <param name="Disk">Bytes in its own folders; null for what the disk has.</param>
public sealed record ResourceLimits(double? Cpus, ByteSize Memory, int Processes, ByteSize? Disk)
{
    /// <summary>Processes and threads of a command whose hardware profile names no number: far above any training, far below what a host breaks at.</summary>
    public const int DefaultProcesses = 4096;

    /// <summary>Share of the host's memory for a command whose hardware profile names none: what is left keeps the host, and Slipway, answering.</summary>
    private const double DefaultShareOfMemory = 0.9;

    /// <summary>Bytes of memory that this host has, as <c>/proc/meminfo</c> says.</summary>
    public static long MemoryOfHost() =>
        1024 * long.Parse(File.ReadLines("/proc/meminfo").First(line => line.StartsWith("MemTotal:", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], System.Globalization.CultureInfo.InvariantCulture);

    /// <param name="profile">Null for a command without one.</param>
    /// <param name="hostMemory">Bytes.</param>
    public static ResourceLimits Of(HardwareProfile? profile, long hostMemory) =>
        new(profile?.Cpus, profile?.Memory ?? new ByteSize((long)(hostMemory * DefaultShareOfMemory)), profile?.Pids ?? DefaultProcesses, profile?.Disk);
}

/// <summary>A limit that a command came up against.</summary>
public enum ExceededLimit
{
    None,
    Memory,
    Processes,
    Disk,
}
