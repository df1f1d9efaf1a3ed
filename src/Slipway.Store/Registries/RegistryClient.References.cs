using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;
using Slipway.Store.Oci;

namespace Slipway.Store.Registries;

public sealed partial class RegistryClient
{
    /// <summary>What a reference to this repository names: a bundle's manifest, or an index of variants where none of them is chosen.</summary>
    /// <exception cref="SlipwayException">No such tag, digest or variant, none said where there are several, or a tag that contradicts the digest (exit 2); denied, no answer (exit 3).</exception>
    public async Task<RegistryManifest> ResolveAsync(BundleReference reference, CancellationToken cancellation)
    {
        var named = reference switch
        {
            { Digest: { } digest } => await GetManifestAsync(digest.ToString(), cancellation) ?? throw await NotFoundAsync(digest.ToString(), cancellation),
            { Tag: { } tag } => await GetManifestAsync(tag, cancellation) ?? throw await NotFoundAsync(tag, cancellation),
            _ => await OnlyOneAsync(reference, cancellation),
        };
        if (reference is { Digest: not null, Tag: { } also } && await FindManifestAsync(also, cancellation) is { } tagged && tagged.Digest != named.Descriptor.Digest)
            throw new SlipwayException(ExitCode.UnusableInput, new Fault(
                "reference-contradiction", $"{reference.Text} says two things: its tag '{also}' names {tagged.Digest} now",
                Help: "leave out the tag to get what the digest says, or the digest to get what the tag names now"));
        if (reference.Variant is null)
            return named;
        if (named.Index is null)
            throw new SlipwayException(ExitCode.UnusableInput, new Fault(
                "variant-not-found", $"{reference.Registry} is a bundle, and has no variants", Help: "name it without '#'"));
        var chosen = named.Index.Choose(reference.Variant, reference.Text).Digest;
        return await GetManifestAsync(chosen.ToString(), cancellation) ?? throw await NotFoundAsync(chosen.ToString(), cancellation);
    }

    private async Task<RegistryManifest> OnlyOneAsync(BundleReference reference, CancellationToken cancellation)
    {
        var tags = await TagsAsync(cancellation);
        return tags is [var only] && await GetManifestAsync(only, cancellation) is { } manifest
            ? manifest
            : throw new SlipwayException(ExitCode.UnusableInput, new Fault(
                "reference-ambiguous", $"{reference.Text} names no bundle: the repository has {tags.Length} tags",
                Help: "add :TAG or @DIGEST" + Known(tags)));
    }

    private async Task<SlipwayException> NotFoundAsync(string tagOrDigest, CancellationToken cancellation)
    {
        var tags = await TagsAsync(PagesForHelp, cancellation);
        var isDigest = Digest.TryParse(tagOrDigest, out _);
        var nearest = isDigest ? null : NearestName.Of(tagOrDigest, tags);
        return new SlipwayException(ExitCode.UnusableInput, new Fault(
            "bundle-not-found", isDigest ? $"{Place.Name} has no manifest {tagOrDigest}" : $"{Place.Name} has no tag '{tagOrDigest}'",
            Help: nearest is null ? "`slipway tags` lists a repository" + Known(tags) : $"did you mean '{nearest}'?"));
    }

    private static string Known(IEnumerable<string> tags) => tags.Any() ? ": its tags are " + string.Join(", ", tags.Take(10)) : ": it has no tags";
}
