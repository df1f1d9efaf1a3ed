using System.Collections.Immutable;
using Slipway.Documents.Hardware;

namespace Slipway.Runtime.Sandbox;

/// <summary>The device files of a kind of accelerator, as its driver makes them. Their number is the host's, whatever the profile asks for.</summary>
public static class AcceleratorDevices
{
    /// <param name="profile">Null for none.</param>
    /// <param name="folder">Where devices are.</param>
    /// <returns>Absolute paths; empty where the host has none.</returns>
    public static ImmutableArray<string> Of(AcceleratorProfile? profile, string folder = "/dev") => profile?.Kind switch
    {
        "nvidia" => [.. Matching(folder, "nvidia*")],
        "amd" => [.. Matching(folder, "kfd"), .. Matching(folder, "dri")],
        "intel" => [.. Matching(folder, "dri"), .. Matching(folder, "accel")],
        _ => [],
    };

    private static IEnumerable<string> Matching(string folder, string name) => Directory.EnumerateFileSystemEntries(folder, name).Order(StringComparer.Ordinal);
}
