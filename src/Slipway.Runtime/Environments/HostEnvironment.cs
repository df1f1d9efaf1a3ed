using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;
using Slipway.Documents.Environments;
using Slipway.Documents.Specs;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;
using Slipway.Primitives.Files;

namespace Slipway.Runtime.Environments;

/// <summary>Fingerprints the software that a host environment declares: its Debian packages and all that they depend on.</summary>
/// <remarks>
/// Recommended packages are no part of it, and nothing outside the package database is: what stages of such an environment
/// may start is therefore looked up in /usr/bin and /bin only. The answer is kept beside the database's stamp, so that asking
/// again costs one stat.
/// </remarks>
/// <param name="cacheFile">Where answers are kept; a missing or damaged file is an empty one.</param>
/// <param name="clock">The one that stamps files.</param>
/// <param name="statusFile">Debian's package database.</param>
public sealed class HostEnvironment(string cacheFile, TimeProvider clock, string statusFile = HostEnvironment.DebianStatus)
{
    public const string DebianStatus = "/var/lib/dpkg/status";

    private DpkgStatus? status;

    /// <exception cref="SlipwayException">A package is not installed, or the host has no package database (exit 3).</exception>
    public HostFingerprint Fingerprint(EnvironmentSpec environment)
    {
        var look = (clock.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks * 100;
        var stamp = FileStamp.Of(statusFile);
        var cache = ReadCache();
        if (stamp is { } now && cache.Stamp == Text(now))
        {
            var known = cache.Environments.FirstOrDefault(entry => entry.Fingerprint.Name == environment.Name && entry.Declared.SequenceEqual(environment.HostPackages));
            if (known is not null)
                return known.Fingerprint;
        }

        var fresh = Compute(environment);
        if (stamp is { } before && !before.IsRacy(look) && FileStamp.Of(statusFile) == before)
        {
            var others = cache.Stamp == Text(before) ? cache.Environments.Where(entry => entry.Fingerprint.Name != environment.Name) : [];
            WriteCache(new FingerprintCache(Text(before), [.. others, new CachedFingerprint(environment.HostPackages, fresh)]));
        }

        return fresh;
    }

    private HostFingerprint Compute(EnvironmentSpec environment)
    {
        status ??= DpkgStatus.Read(statusFile);
        var missing = environment.HostPackages.Where(name => status.VersionOf(name) is null).ToList();
        if (missing.Count > 0)
        {
            throw new SlipwayException(ExitCode.NotThere, [.. missing.Select(name => environment.At.Fault(
                "missing-package",
                $"environment {environment.Name} needs the Debian package {name}, which is not installed",
                Help(name, missing)))]);
        }

        var closure = new SortedDictionary<string, string>(StringComparer.Ordinal);
        var open = new Stack<string>(environment.HostPackages);
        while (open.TryPop(out var package))
        {
            if (!closure.TryAdd(package, status.VersionOf(package)!))
                continue;
            // Every installed alternative counts: which of them a program uses is not for us to guess.
            foreach (var next in status.DependenciesOf(package).SelectMany(alternatives => alternatives.SelectMany(status.Satisfying)))
                open.Push(next);
        }

        return HostFingerprint.Of(environment.Name, status.Architecture, closure.ToImmutableSortedDictionary(StringComparer.Ordinal));
    }

    private string Help(string name, IReadOnlyList<string> missing) =>
        NearestName.Of(name, status!.Names) is { } near && missing.Count == 1
            ? $"sudo apt-get install {name}; or, if {near} was meant, write that"
            : $"sudo apt-get install {string.Join(' ', missing)}";

    private FingerprintCache ReadCache()
    {
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(cacheFile), FingerprintJson.Default.FingerprintCache) ?? FingerprintCache.Empty;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            return FingerprintCache.Empty;
        }
    }

    private void WriteCache(FingerprintCache cache)
    {
        try
        {
            AtomicFile.Write(cacheFile, CanonicalJson.Serialize(cache, FingerprintJson.Default.FingerprintCache));
        }
        catch (SlipwayException)
        {
            // A cache only: without it the next look reads the database again.
        }
    }

    private static string Text(FileStamp stamp) => $"{stamp.Size} {stamp.Modified} {stamp.Changed} {stamp.Inode} {stamp.Device}";
}

/// <param name="Stamp">The package database's, when these were computed.</param>
internal sealed record FingerprintCache(string Stamp, ImmutableArray<CachedFingerprint> Environments)
{
    public static FingerprintCache Empty { get; } = new("", []);
}

internal sealed record CachedFingerprint(ImmutableArray<string> Declared, HostFingerprint Fingerprint);

[JsonSourceGenerationOptions(JsonSerializerDefaults.Strict, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(FingerprintCache))]
internal sealed partial class FingerprintJson : JsonSerializerContext;
