using Slipway.Documents.Environments;

namespace Slipway.Pipeline.Locking;

/// <summary>What became of a host environment's packages, in words.</summary>
internal static class PackageChanges
{
    /// <summary>Packages that are named before the rest is counted.</summary>
    private const int Shown = 5;

    /// <returns>Null when nothing changed.</returns>
    public static string? Between(HostFingerprint was, HostFingerprint found)
    {
        var changes = new List<string>();
        if (was.Architecture != found.Architecture)
            changes.Add($"architecture {was.Architecture} → {found.Architecture}");
        foreach (var name in was.Packages.Keys.Union(found.Packages.Keys).Order(StringComparer.Ordinal))
        {
            var (before, now) = (was.Packages.GetValueOrDefault(name), found.Packages.GetValueOrDefault(name));
            if (before != now)
                changes.Add(now is null ? $"{name} {before} is gone" : before is null ? $"{name} {now} is new" : $"{name} {before} → {now}");
        }

        if (changes.Count == 0)
            return was.Digest == found.Digest ? null : $"its digest is pinned as {was.Digest}, found {found.Digest} for the same packages: the lock was edited";
        var rest = changes.Count - Shown;
        return string.Join(", ", changes.Take(Shown)) + (rest > 0 ? $", and {rest} more" : "");
    }
}
