namespace Slipway.Primitives.Files;

/// <summary>Where a path leads when every link on it is followed.</summary>
public static class RealPath
{
    /// <returns>Whether it leads to a folder or to something in it; false where either is not there.</returns>
    public static bool IsWithin(string path, string folder) =>
        Posix.RealPath(path) is { } real && Posix.RealPath(folder) is { } whole && (real == whole || real.StartsWith(whole.TrimEnd('/') + "/", StringComparison.Ordinal));
}
