using System.Collections.Immutable;

namespace Slipway.Runtime.Hardware;

/// <summary>What this host has for stages: what a schedule may give out at a time.</summary>
/// <param name="Cpus">Processors that this process may use; a control group's share counts.</param>
/// <param name="Memory">Bytes; a control group's limit counts.</param>
/// <param name="Accelerators">How many, by maker: nvidia, amd, intel. One that is not named here is not there.</param>
public sealed record HostCapacity(double Cpus, long Memory, ImmutableSortedDictionary<string, int> Accelerators)
{
    /// <summary>Vendor ids as the kernel lists them (PCI SIG), by the name that a hardware profile gives the maker.</summary>
    private static readonly (string Id, string Maker)[] vendors = [("0x10de", "nvidia"), ("0x1002", "amd"), ("0x8086", "intel")];

    /// <summary>Bounds nothing; for where the caller knows better.</summary>
    public static HostCapacity Unbounded { get; } = new(double.MaxValue, long.MaxValue, vendors.ToImmutableSortedDictionary(vendor => vendor.Maker, _ => int.MaxValue, StringComparer.Ordinal));

    /// <summary>Looks at this host.</summary>
    public static HostCapacity Read() =>
        new(Environment.ProcessorCount, GC.GetGCMemoryInfo().TotalAvailableMemoryBytes, AcceleratorsBelow("/"));

    /// <summary>Counts what drivers have made usable: a card without its driver is none.</summary>
    /// <param name="root">Where <c>dev</c> and <c>sys</c> are.</param>
    internal static ImmutableSortedDictionary<string, int> AcceleratorsBelow(string root)
    {
        var found = new SortedDictionary<string, int>(StringComparer.Ordinal);
        // NVIDIA's own driver need not make a render node; its devices are numbered from 0, beside nvidiactl and nvidia-uvm.
        var nvidia = Names(Path.Combine(root, "dev"), "nvidia*").Count(name => name.Length > 6 && name.AsSpan(6).IndexOfAnyExceptInRange('0', '9') < 0);
        if (nvidia > 0)
            found["nvidia"] = nvidia;
        foreach (var node in Names(Path.Combine(root, "sys/class/drm"), "renderD*"))
        {
            var id = Text(Path.Combine(root, "sys/class/drm", node, "device/vendor"));
            if (vendors.FirstOrDefault(vendor => vendor.Id == id).Maker is { } maker && !(maker == "nvidia" && nvidia > 0))
                found[maker] = found.GetValueOrDefault(maker) + 1;
        }

        return found.ToImmutableSortedDictionary(StringComparer.Ordinal);
    }

    private static IEnumerable<string> Names(string folder, string pattern)
    {
        try
        {
            return [.. Directory.EnumerateFileSystemEntries(folder, pattern).Select(path => Path.GetFileName(path))];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];      // a container without them
        }
    }

    private static string Text(string file)
    {
        try
        {
            return File.ReadAllText(file).Trim();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }
}
