using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;
using Slipway.Primitives.Bytes;

namespace Slipway.Documents.Environments;

/// <summary>What a host environment was: the declared Debian packages and all that they depend on, with versions.</summary>
/// <param name="Name">The environment's name in the spec.</param>
/// <param name="Digest">Of the canonical JSON of architecture and packages.</param>
/// <param name="Architecture">Debian's name: amd64.</param>
/// <param name="Packages">Version by package name.</param>
public sealed record HostFingerprint(string Name, Digest Digest, string Architecture, ImmutableSortedDictionary<string, string> Packages)
{
    public static HostFingerprint Of(string name, string architecture, ImmutableSortedDictionary<string, string> packages) =>
        new(name, DigestOf(architecture, packages), architecture, packages);

    /// <summary>Whether the digest is that of what is listed.</summary>
    public bool IsConsistent() => Digest == DigestOf(Architecture, Packages);

    /// <summary>What differs, in words and by name: <c>python3-sklearn 1.2.1 → 1.2.2</c>, <c>+ libfoo 1</c>, <c>- libbar 2</c>. Empty when nothing does.</summary>
    public static IReadOnlyList<string> Differences(HostFingerprint was, HostFingerprint now)
    {
        var differences = new List<string>();
        if (was.Architecture != now.Architecture)
            differences.Add($"architecture {was.Architecture} → {now.Architecture}");
        foreach (var name in was.Packages.Keys.Union(now.Packages.Keys).Order(StringComparer.Ordinal))
        {
            switch (was.Packages.GetValueOrDefault(name), now.Packages.GetValueOrDefault(name))
            {
                case (null, { } added):
                    differences.Add($"+ {name} {added}");
                    break;
                case ({ } removed, null):
                    differences.Add($"- {name} {removed}");
                    break;
                case var (before, after) when before != after:
                    differences.Add($"{name} {before} → {after}");
                    break;
            }
        }

        return differences;
    }

    private static Digest DigestOf(string architecture, ImmutableSortedDictionary<string, string> packages) =>
        Digest.Of(CanonicalJson.Serialize(new FingerprintContent(architecture, packages), FingerprintContentJson.Default.FingerprintContent));
}

/// <summary>What a fingerprint's digest is of.</summary>
internal sealed record FingerprintContent(string Architecture, ImmutableSortedDictionary<string, string> Packages);

[JsonSourceGenerationOptions(JsonSerializerDefaults.Strict, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(FingerprintContent))]
internal sealed partial class FingerprintContentJson : JsonSerializerContext;
