using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;

namespace Slipway.Store.Oci;

/// <summary>How people name a bundle: <c>oci:DIR:TAG</c>, <c>oci:DIR@sha256:…</c>, <c>oci:DIR</c>, or a bare tag or digest in the project's own layout.</summary>
/// <param name="Text">As written.</param>
/// <param name="Folder">The layout's folder; null for the project's own.</param>
/// <param name="Tag">Null when a digest is given, or nothing (the layout's only bundle).</param>
public sealed record BundleReference(string Text, string? Folder, string? Tag, Digest? Digest)
{
    private const string Scheme = "oci:";

    /// <exception cref="SlipwayException">No reference (exit 2).</exception>
    public static BundleReference Parse(string text)
    {
        if (Primitives.Bytes.Digest.TryParse(text, out var bare))
            return new BundleReference(text, null, null, bare);
        if (!text.StartsWith(Scheme, StringComparison.Ordinal))
            return OciLayout.IsTag(text) ? new BundleReference(text, null, text, null) : throw Malformed(text, "it is no digest and no tag");

        var rest = text[Scheme.Length..];
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

    /// <summary>Finds the manifest; its bytes are still unverified.</summary>
    /// <param name="ownLayout">Folder of the project's own layout, for references without a folder.</param>
    /// <exception cref="SlipwayException">No layout, no such tag, or no tag given where there are several bundles (exit 2).</exception>
    public (OciLayout Layout, Digest Manifest) Resolve(string ownLayout)
    {
        var layout = OciLayout.Open(Folder ?? ownLayout);
        if (Digest is { } digest)
            return (layout, digest);
        if (Tag is not null)
            return layout.TryResolve(Tag, out var tagged) ? (layout, tagged) : throw NotFound(layout, Tag);

        var bundles = layout.ReadIndex().Manifests.Where(entry => !layout.IsAttached(entry))
            .Select(entry => entry.Digest).Distinct().ToList();
        return bundles is [var only]
            ? (layout, only)
            : throw new SlipwayException(ExitCode.UnusableInput, new Fault("reference-ambiguous", $"{Text} names no bundle: the layout has {bundles.Count}", Folder, Help: Known(layout)));
    }

    private static SlipwayException NotFound(OciLayout layout, string tag)
    {
        var nearest = NearestName.Of(tag, layout.Tags().Keys);
        return new SlipwayException(ExitCode.UnusableInput, new Fault("bundle-not-found", $"there is no tag '{tag}'", layout.Folder, Help: nearest is null ? Known(layout) : $"did you mean '{nearest}'?"));
    }

    private static string Known(OciLayout layout) =>
        layout.Tags() is { Count: > 0 } tags ? "its tags are " + string.Join(", ", tags.Keys.Take(10)) : "it has no tags; run `slipway run` to seal a bundle";

    private static SlipwayException Malformed(string text, string why) =>
        new(ExitCode.UnusableInput, new Fault("bad-reference", $"'{text}' is no bundle reference: {why}", Help: "write oci:DIR:TAG, oci:DIR@sha256:…, oci:DIR, or a tag or digest of this project"));
}
