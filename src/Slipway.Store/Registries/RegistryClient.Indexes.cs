using System.Collections.Immutable;
using System.Text.Json;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;
using Slipway.Store.Oci;

namespace Slipway.Store.Registries;

/// <summary>What is attached to a manifest, and lists that several writers change: variants under a tag, and the fallback tag for what is attached.</summary>
public sealed partial class RegistryClient
{
    /// <summary>Manifests attached to one, at most; more is an endless list, and a fault.</summary>
    private const int MaxReferrers = 10_000;

    /// <summary>How often a list is written again because another writer was faster.</summary>
    private const int MaxRaces = 10;

    /// <summary>What is attached to a manifest: from the referrers API, or from the fallback tag where the registry has no such API.</summary>
    /// <exception cref="SlipwayException">Denied, or no answer that the specification knows (exit 3).</exception>
    public async Task<ImmutableArray<OciDescriptor>> ReferrersAsync(Digest subject, CancellationToken cancellation)
    {
        var found = ImmutableArray.CreateBuilder<OciDescriptor>();
        var isWithoutApi = false;
        await foreach (var body in PagesAsync(At($"referrers/{subject}"), "referrers", () => isWithoutApi = true, cancellation))
        {
            found.AddRange(ReadIndex(body).Manifests);
            if (found.Count > MaxReferrers)
                throw RegistryFault.Strange(Place.Name, $"lists more than {MaxReferrers} manifests attached to {subject}");
        }

        return isWithoutApi
            ? (await GetManifestAsync(ReferrersTag.Of(subject), cancellation))?.Index?.Manifests.DistinctBy(entry => entry.Digest).ToImmutableArray() ?? []
            : [.. found.DistinctBy(entry => entry.Digest)];
    }

    /// <summary>Lists attached manifests under the fallback tag of their subject, beside those that are there: for a registry that did not do so itself.</summary>
    /// <exception cref="SlipwayException">Denied, or other writers were always faster (exit 3).</exception>
    public Task ListReferrersAsync(Digest subject, IReadOnlyCollection<OciDescriptor> attached, CancellationToken cancellation) => ChangeIndexAsync(
        ReferrersTag.Of(subject),
        index => index with { Manifests = [.. index.Manifests, .. attached.Where(entry => !Lists(index, entry))] },
        index => attached.All(entry => Lists(index, entry)),
        replace: false,
        cancellation);

    /// <summary>Gives a manifest or index that is there a tag.</summary>
    /// <param name="replace">Whether the tag may have named something else before, which then loses it.</param>
    /// <returns>What the tag named before; null for nothing.</returns>
    /// <remarks>Not every registry lets two that tag at once be told apart: then the later wins.</remarks>
    /// <exception cref="SlipwayException">The tag is of the other kind, or taken (exit 2); denied (exit 3).</exception>
    public async Task<Digest?> TagAsync(RegistryManifest manifest, string tag, bool replace, CancellationToken cancellation)
    {
        var before = await FindManifestAsync(tag, cancellation);
        if (!replace && before is not null)
        {
            OciVariants.RequireKind(before.MediaType, manifest.Descriptor.MediaType, tag, Place.Name);
            OciVariants.RequireSame(before.Digest, manifest.Descriptor.Digest, tag, Place.Name);
        }

        await PutManifestAsync(tag, manifest.Descriptor.MediaType, manifest.Bytes, cancellation);
        return before?.Digest;
    }

    /// <summary>Makes a manifest that is there a variant under a tag; other variants of the tag stay as they are.</summary>
    /// <param name="replace">Whether the tag may have named a bundle before, which then loses it.</param>
    /// <returns>The digest of the new index.</returns>
    /// <exception cref="SlipwayException">The tag names a bundle, or the manifest is an index itself (exit 2); denied, or other writers were always faster (exit 3).</exception>
    public Task<Digest> TagVariantAsync(RegistryManifest manifest, string tag, string variant, bool replace, CancellationToken cancellation) =>
        manifest.Index is null
            ? ChangeIndexAsync(tag, index => index.With(variant, manifest.Descriptor), index => index.Has(variant, manifest.Descriptor.Digest), replace, cancellation)
            : throw new SlipwayException(ExitCode.UnusableInput, new Fault(
                "variant-of-variants", $"{manifest.Descriptor.Digest} is a list of variants, and cannot be a variant itself",
                Help: "name one of them with #VARIANT"));

    private static bool Lists(OciIndex index, OciDescriptor entry) => index.Manifests.Any(other => other.Digest == entry.Digest);

    /// <summary>Reads, changes and writes the index under a tag until it is as wanted and stays so.</summary>
    /// <remarks>
    /// A registry that heeds If-Match lets nobody be overwritten. One that does not may lose what another writer listed between our reading and writing, so
    /// the list is read again after a while: whoever was overwritten by a writer that had read before sees it then, and lists its own again.
    /// </remarks>
    private async Task<Digest> ChangeIndexAsync(string tag, Func<OciIndex, OciIndex> change, Func<OciIndex, bool> isDone, bool replace, CancellationToken cancellation)
    {
        for (var races = 0; races < MaxRaces; races++)
        {
            var before = await GetManifestAsync(tag, cancellation);
            if (before is { Index: { } done } && isDone(done))
                return before.Descriptor.Digest;
            if (before is not null && !replace)
                OciVariants.RequireKind(before.Descriptor.MediaType, OciIndex.IndexMediaType, tag, Place.Name);
            var document = change(before?.Index ?? OciVariants.None).ToBytes();
            if (document.Length > OciManifest.MaxBytes)
                throw new SlipwayException(ExitCode.NotThere, new Fault(
                    "index-full", $"the list under {Place.Name}:{tag} would have {document.Length} bytes, allowed {OciManifest.MaxBytes}",
                    Help: "use another repository"));
            var (isThere, _) = await PutManifestAsync(tag, OciIndex.IndexMediaType, document, cancellation, before is null ? "" : before.EntityTag);
            await connection.SettleAsync(cancellation);
            if (isThere && await GetManifestAsync(tag, cancellation) is { Index: { } after } now && isDone(after))
                return now.Descriptor.Digest;
        }

        throw new SlipwayException(ExitCode.NotThere, new Fault(
            "index-contended", $"other writers changed the list under {Place.Name}:{tag} {MaxRaces} times in between",
            Help: "run the same command again: what was sent is kept"));
    }

    private OciIndex ReadIndex(byte[] body)
    {
        try
        {
            return OciIndex.Parse(body);
        }
        catch (JsonException e)
        {
            throw RegistryFault.Strange(Place.Name, $"answers something else than an index: {ForeignText.Shown(e.Message)}");
        }
    }
}
