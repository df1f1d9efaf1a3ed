using System.Diagnostics.CodeAnalysis;
using Slipway.Primitives.Faults;
using Slipway.Store.Oci;

namespace Slipway.Documents.Specs;

/// <summary>Where a step cache is shared: a folder, or a repository of a registry. docs/format/step-cache.md says what is there.</summary>
/// <param name="Folder">As written: absolute, or beginning with <c>./</c> or <c>../</c>; null for a repository.</param>
/// <param name="Repository">Without tag and digest; null for a folder.</param>
public sealed record CachePlace(string? Folder, RegistryReference? Repository)
{
    internal const string Allowed = "a folder (./cache, ../cache, /srv/cache) or a repository (registry.example.org/team/cache)";

    internal const string Pattern = @"^(\.{0,2}/.*|[^/]*[.:][^/]*/.+|localhost/.+)$";

    public override string ToString() => Folder ?? Repository!.Name;

    public static bool TryParse(string text, [MaybeNullWhen(false)] out CachePlace place)
    {
        place = text.StartsWith('/') || text.StartsWith("./", StringComparison.Ordinal) || text.StartsWith("../", StringComparison.Ordinal) ? new CachePlace(text, null) : null;
        if (place is not null || !RegistryReference.IsMeant(text))
            return place is not null && !text.Contains('\0');
        try
        {
            var repository = RegistryReference.Parse(text);
            place = repository is { Tag: null, Digest: null } ? new CachePlace(null, repository) : null;
        }
        catch (SlipwayException)
        {
            // Whoever asks names what is allowed.
        }

        return place is not null;
    }

    /// <param name="from">What says so, for the message.</param>
    /// <exception cref="SlipwayException">It is neither (exit 2).</exception>
    public static CachePlace Parse(string text, string from) => TryParse(text, out var place)
        ? place
        : throw new SlipwayException(ExitCode.UnusableInput, new Fault("bad-cache", $"{from} is '{ForeignText.Shown(text)}', allowed is {Allowed}", Help: "a registry's tags are Slipway's own there: name the repository alone"));
}
