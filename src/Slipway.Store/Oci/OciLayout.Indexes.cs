using System.Collections.Immutable;
using System.Text.Json;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;
using Slipway.Primitives.Files;

namespace Slipway.Store.Oci;

/// <summary>Tags, and indexes inside the layout: several variants of a bundle under one tag.</summary>
public sealed partial class OciLayout
{
    /// <summary>Lists documents that came from elsewhere and whose blobs are here already: all appear at once, or none. Their exact bytes are kept.</summary>
    /// <param name="documents">Manifests and indexes.</param>
    /// <param name="tagged">The one that gets the tag.</param>
    /// <param name="replace">Whether the tag may have named an index before where it gets a bundle now, or the other way round.</param>
    /// <param name="mayMove">Whether the tag may have named something else of its kind before; what replaces may.</param>
    /// <exception cref="JsonException">One of them is neither.</exception>
    /// <exception cref="SlipwayException">Content that one of them names is missing, or the tag is malformed, of the other kind or taken (exit 2); no space, or the layout stays locked (exit 3).</exception>
    public void PutAll(IEnumerable<ReadOnlyMemory<byte>> documents, Digest tagged, string? tag, bool replace, CancellationToken cancellation = default, bool mayMove = true)
    {
        using var writing = BeginWriting(cancellation);
        var stored = documents.Select(Stored).ToList();
        using var alone = TakeLock(cancellation);
        List(stored, tagged, tag, replace, mayMove);
    }

    /// <summary>Gives a manifest or an index that is here a tag.</summary>
    /// <param name="replace">Whether the tag may have named something else before, which then loses it.</param>
    /// <exception cref="SlipwayException">It is not here, or damaged, or the tag is malformed or taken (exit 2).</exception>
    public void Tag(Digest manifest, string tag, bool replace, CancellationToken cancellation = default)
    {
        var read = ReadBlob(manifest, OciManifest.MaxBytes);
        if (read.State != BlobState.Intact)
            throw Unusable("manifest-missing", $"manifest {manifest} is not in {Folder}, or is damaged", Folder);
        try
        {
            PutAll([read.Bytes], manifest, tag, replace, cancellation, mayMove: false);
        }
        catch (JsonException e)
        {
            throw Unusable("manifest-shape", $"{manifest} is no manifest and no index: {e.Message}", Folder);
        }
    }

    /// <summary>Makes a manifest a variant under a tag; other variants of the tag stay as they are.</summary>
    /// <param name="replace">Whether the tag may have named a bundle before, which then loses it.</param>
    /// <returns>The digest of the new index.</returns>
    /// <exception cref="SlipwayException">The manifest is not here, or the tag names a bundle (exit 2).</exception>
    public Digest TagVariant(Digest manifest, string tag, string variant, bool replace, CancellationToken cancellation = default)
    {
        if (TryReadManifest(manifest).Manifest is not { } bundle)
            throw Unusable("manifest-missing", $"{manifest} is no manifest in {Folder}, or is damaged", Folder);
        var entry = new OciDescriptor(OciManifest.ManifestMediaType, manifest, FileStamp.Of(BlobPath(manifest))!.Value.Size, bundle.ArtifactType);
        using var writing = BeginWriting(cancellation);
        using var alone = TakeLock(cancellation);
        var before = Tags().GetValueOrDefault(tag);
        var index = (before is null ? null : ReadNested(before)) ?? OciVariants.None;
        var document = index.With(variant, entry).ToBytes();
        List([Stored(document)], Digest.Of(document), tag, replace);
        return Digest.Of(document);
    }

    /// <summary>What a digest names, as far as the index or the bytes themselves tell; a manifest where neither does.</summary>
    public OciDescriptor Describe(Digest digest)
    {
        if (Find(digest) is { } listed)
            return listed;
        var read = ReadBlob(digest, OciManifest.MaxBytes);
        var type = read.State == BlobState.Intact && TryReadNested(digest) is not null ? OciIndex.IndexMediaType : OciManifest.ManifestMediaType;
        return new OciDescriptor(type, digest, read.Bytes.Length);
    }

    /// <summary>The index that an entry names; null where it names a manifest.</summary>
    /// <exception cref="SlipwayException">It names an index that is missing, damaged or none (exit 2).</exception>
    public OciIndex? ReadNested(OciDescriptor entry)
    {
        if (entry.MediaType != OciIndex.IndexMediaType)
            return null;
        return TryReadNested(entry.Digest) ?? throw Unusable("index-damaged", $"index {entry.Digest} is missing, damaged, or none", Folder, "fetch it again from where it came from");
    }

    /// <summary>What stands for itself: bundles and indexes; not what is attached, and not the variants of an index that is here.</summary>
    public IReadOnlyList<OciDescriptor> Bundles()
    {
        var entries = ReadIndex().Manifests.Where(entry => !IsAttached(entry)).DistinctBy(entry => entry.Digest).ToList();
        var variants = entries.Select(entry => entry.MediaType == OciIndex.IndexMediaType ? TryReadNested(entry.Digest) : null).OfType<OciIndex>()
            .SelectMany(index => index.Manifests).Select(entry => entry.Digest).ToHashSet();
        return [.. entries.Where(entry => !variants.Contains(entry.Digest))];
    }

    /// <summary>Deletes those of these blobs that nothing in the index leads to: what is left of content that was refused.</summary>
    /// <returns>
    /// False where somebody adds to the layout, who may be about to list one of them: then nothing is deleted, and what nobody lists is left for who collects.
    /// </returns>
    /// <remarks>Not to be called while holding the right to write.</remarks>
    /// <exception cref="SlipwayException">No permission, or the layout stays locked (exit 3).</exception>
    public bool DeleteUnreferenced(IReadOnlyCollection<Digest> blobs, CancellationToken cancellation = default)
    {
        using var collecting = FolderLock.TryTake(WritersLock);
        if (collecting is null)
            return false;
        using var alone = TakeLock(cancellation);
        foreach (var blob in UnreferencedBlobs().Intersect(blobs))
            DeleteBlob(blob);
        return true;
    }

    private (OciDescriptor Entry, IEnumerable<OciDescriptor> Needs) Stored(ReadOnlyMemory<byte> json)
    {
        if (!OciVariants.IsIndex(json.Span))
        {
            var manifest = OciManifest.Parse(json.Span);
            return (Entry(manifest, AddBlob(json.Span)), manifest.Blobs);
        }

        var index = OciIndex.Parse(json.Span);
        var stored = AddBlob(json.Span);
        var annotations = index.Subject is { } subject ? (index.Annotations ?? Sorted).SetItem(SubjectAnnotation, subject.Digest.ToString()) : null;
        return (new OciDescriptor(OciIndex.IndexMediaType, stored.Digest, stored.Size, index.ArtifactType, annotations), index.Manifests);
    }

    private OciIndex? TryReadNested(Digest digest)
    {
        var read = ReadBlob(digest, OciManifest.MaxBytes);
        if (read.State != BlobState.Intact || !OciVariants.IsIndex(read.Bytes))
            return null;
        try
        {
            return OciIndex.Parse(read.Bytes);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}

/// <summary>What layouts and registries have in common in how variants stand under a tag.</summary>
internal static class OciVariants
{
    public static OciIndex None { get; } = new(2, ImmutableArray<OciDescriptor>.Empty, OciIndex.IndexMediaType);

    /// <summary>Whether a document is an index rather than a manifest, by what it says or, where it says nothing, by its members.</summary>
    /// <returns>False for what is no JSON: then it is no manifest either, which its parser says.</returns>
    public static bool IsIndex(ReadOnlySpan<byte> json)
    {
        try
        {
            var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = 16 });
            var hasManifests = false;
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
                return false;
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var (isType, isList) = (reader.ValueTextEquals("mediaType"u8), reader.ValueTextEquals("manifests"u8));
                reader.Read();
                if (isType && reader.TokenType == JsonTokenType.String)
                    return reader.ValueTextEquals(OciIndex.IndexMediaType);
                hasManifests |= isList;
                reader.Skip();
            }

            return hasManifests;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    /// <summary>A tag that names a bundle does not come to name a list of variants, nor the other way round, unless somebody says so.</summary>
    /// <exception cref="SlipwayException">The two kinds differ (exit 2).</exception>
    public static void RequireKind(string before, string now, string tag, string place)
    {
        var wasIndex = before == OciIndex.IndexMediaType;
        if (wasIndex == (now == OciIndex.IndexMediaType))
            return;
        throw new SlipwayException(ExitCode.UnusableInput, wasIndex
            ? new Fault(
                "tag-has-variants", $"the tag '{tag}' names a list of variants, and would name one bundle alone", place,
                Help: "`slipway tag REF TAG --variant NAME` puts a bundle into the list; or choose another tag, or say --force")
            : new Fault(
                "tag-is-bundle", $"the tag '{tag}' names a bundle, and would name a list of variants", place,
                Help: "choose another tag, or say --force: the bundle then loses this one"));
    }

    /// <summary>A tag does not come to name another bundle where nobody said so: what has no tag is soon collected.</summary>
    /// <exception cref="SlipwayException">It names something else (exit 2).</exception>
    public static void RequireSame(Digest before, Digest now, string tag, string place)
    {
        if (before != now)
            throw new SlipwayException(ExitCode.UnusableInput, new Fault(
                "tag-taken", $"the tag '{tag}' names {before} already, and would name {now}", place,
                Help: "choose another tag, or say --force: the other then loses this one, and `slipway gc` may delete it"));
    }
}
