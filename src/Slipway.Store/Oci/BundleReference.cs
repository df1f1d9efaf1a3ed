using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;

namespace Slipway.Store.Oci;

/// <summary>
/// How people name a bundle: <c>oci:DIR:TAG</c>, <c>oci:DIR@sha256:…</c>, <c>oci:DIR</c>, <c>HOST/REPOSITORY:TAG</c>, or a bare tag or digest in the
/// project's own layout; each with <c>#VARIANT</c> where the tag has several.
/// </summary>
/// <param name="Text">As written.</param>
/// <param name="Folder">The layout's folder; null for the project's own, and for a registry.</param>
/// <param name="Tag">Null when none is given.</param>
/// <param name="Digest">Null when none is given.</param>
/// <param name="Registry">Null for a layout.</param>
/// <param name="Variant">What stands behind '#'; null when nothing does.</param>
public sealed record BundleReference(string Text, string? Folder, string? Tag, Digest? Digest, RegistryReference? Registry = null, string? Variant = null)
{
    private const string Scheme = "oci:", Hash = "sha256:";

    /// <exception cref="SlipwayException">No reference (exit 2).</exception>
    public static BundleReference Parse(string text)
    {
        var (rest, variant) = (text, (string?)null);
        if (text.LastIndexOf('#') is > 0 and var hash && text.AsSpan(hash).IndexOf('/') < 0)
        {
            (rest, variant) = (text[..hash], text[(hash + 1)..]);
            if (!OciIndex.IsVariant(variant))
                throw Malformed(text, $"'{variant}' is no variant: a lower-case letter, then up to 62 lower-case letters, digits, '-' and '_'");
        }

        // No host begins so: it is a folder's path.
        if (rest.StartsWith('.') || rest.StartsWith('/'))
            throw Malformed(text, "it is a path", $"a layout's folder is written with oci: before it: did you mean oci:{rest}?");
        if (RegistryReference.IsMeant(rest))
        {
            var place = RegistryReference.Parse(rest);
            return new BundleReference(text, null, place.Tag, place.Digest, place, variant);
        }

        return ParseLayout(text, rest) with { Variant = variant };
    }

    private static BundleReference ParseLayout(string text, string named)
    {
        if (Primitives.Bytes.Digest.TryParse(named, out var bare))
            return new BundleReference(text, null, null, bare);
        if (named.StartsWith(Hash, StringComparison.Ordinal) && !named.Contains('/'))
            throw Malformed(text, $"a digest has 64 lower-case hex digits behind '{Hash}', and this has {named.Length - Hash.Length} characters", "`slipway tags` lists tags with their whole digests");
        if (!named.StartsWith(Scheme, StringComparison.Ordinal))
            return OciLayout.IsTag(named) ? new BundleReference(text, null, named, null) : throw Malformed(text, "it is no digest, no tag, and no place in a registry");

        var rest = named[Scheme.Length..];
        var at = rest.LastIndexOf("@sha", StringComparison.Ordinal);
        if (at >= 0)
        {
            return at > 0 && Primitives.Bytes.Digest.TryParse(rest[(at + 1)..], out var digest)
                ? new BundleReference(text, rest[..at], null, digest)
                : throw Malformed(text, "what follows '@' is no digest: sha256: and 64 lowercase hex digits");
        }

        var colon = rest.LastIndexOf(':');
        var hasTag = colon >= 0 && !rest.AsSpan(colon).Contains('/');
        var (folder, tag) = hasTag ? (rest[..colon], rest[(colon + 1)..]) : (rest, null);
        if (folder.Length == 0)
            throw Malformed(text, "the folder is missing");
        return tag is null || OciLayout.IsTag(tag)
            ? new BundleReference(text, folder, tag, null)
            : throw Malformed(text, $"'{tag}' is no tag");
    }

    /// <summary>Finds the bundle's manifest, through an index where the tag has variants; its bytes are still unverified.</summary>
    /// <param name="ownLayout">Folder of the project's own layout, for references without a folder.</param>
    /// <exception cref="SlipwayException">No layout, no such tag or variant, one not given where there are several, or a reference to a registry (exit 2).</exception>
    public (OciLayout Layout, Digest Manifest) Resolve(string ownLayout)
    {
        var (layout, entry) = Find(ownLayout);
        return (layout, layout.ReadNested(entry) is { } index ? index.Choose(Variant, Text).Digest : entry.Digest);
    }

    /// <summary>Finds what is named: a manifest, or an index of variants where none of them is chosen.</summary>
    /// <inheritdoc cref="Resolve" path="/param"/>
    /// <exception cref="SlipwayException">As <see cref="Resolve"/> (exit 2).</exception>
    public (OciLayout Layout, OciDescriptor Entry) Find(string ownLayout)
    {
        if (Registry is not null)
            throw new SlipwayException(ExitCode.UnusableInput, new Fault(
                "bundle-not-here", $"{Text} is in a registry, and not here yet", Help: $"fetch and verify it first: slipway pull {Text}"));
        var layout = OciLayout.Open(Folder ?? ownLayout);
        var entry = Digest is { } digest ? layout.Describe(digest)
            : Tag is not null ? layout.Tags().GetValueOrDefault(Tag) ?? throw NotFound(layout, Tag)
            : OnlyOne(layout);
        if (Variant is null)
            return (layout, entry);
        return layout.ReadNested(entry) is { } index
            ? (layout, index.Choose(Variant, Text))
            : throw new SlipwayException(ExitCode.UnusableInput, new Fault(
                "variant-not-found", $"{Text[..Text.LastIndexOf('#')]} is a bundle, and has no variants", layout.Folder,
                Help: "name it without '#'"));
    }

    private OciDescriptor OnlyOne(OciLayout layout)
    {
        var bundles = layout.Bundles();
        return bundles is [var only]
            ? only
            : throw new SlipwayException(ExitCode.UnusableInput, new Fault(
                "reference-ambiguous", $"{Text} names no bundle: the layout has {bundles.Count}", Folder, Help: Known(layout)));
    }

    private static SlipwayException NotFound(OciLayout layout, string tag)
    {
        var nearest = NearestName.Of(tag, layout.Tags().Keys);
        return new SlipwayException(ExitCode.UnusableInput, new Fault(
            "bundle-not-found", $"there is no tag '{tag}'", layout.Folder, Help: nearest is null ? Known(layout) : $"did you mean '{nearest}'?"));
    }

    private static string Known(OciLayout layout) =>
        layout.Tags() is { Count: > 0 } tags ? "its tags are " + string.Join(", ", tags.Keys.Take(10)) : "it has no tags; run `slipway run` to seal a bundle";

    private static SlipwayException Malformed(string text, string why, string? help = null) =>
        new(ExitCode.UnusableInput, new Fault(
            "bad-reference", $"'{text}' is no bundle reference: {why}",
            Help: help ?? "write oci:DIR:TAG, oci:DIR@sha256:…, oci:DIR, HOST/REPOSITORY:TAG, or a tag or digest of this project"));
}
