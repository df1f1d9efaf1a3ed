using System.Collections.Immutable;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;
using Slipway.Primitives.Files;

namespace Slipway.Store.Oci;

/// <summary>What leads to what, and how content that nothing leads to goes.</summary>
public sealed partial class OciLayout
{
    private string WritersLock => Path.Combine(Folder, ".slipway-writers.lock");

    /// <summary>The right to add to this layout: held from the first blob until the manifest that names it is listed, so that nobody takes the blob for garbage.</summary>
    /// <remarks>Shared: many may add at once. Waits only for who collects, which takes as long as deleting does.</remarks>
    /// <exception cref="SlipwayException">The layout stays locked (exit 3).</exception>
    public IDisposable BeginWriting(CancellationToken cancellation = default) => TakeLock(WritersLock, shared: true, cancellation);

    /// <summary>The right to delete from this layout what nothing leads to; waits until nobody adds to it.</summary>
    /// <param name="waiting">Called once, when somebody does.</param>
    public async Task<IDisposable> BeginCollectingAsync(Action waiting, CancellationToken cancellation) => await FolderLock.TakeAsync(WritersLock, waiting, cancellation);

    /// <summary>The index's entries: bundles, indexes, and what is attached to them.</summary>
    public ImmutableArray<OciDescriptor> Entries() => ReadIndex().Manifests;

    /// <summary>Takes manifests out of the index; their blobs stay until somebody deletes them.</summary>
    /// <exception cref="SlipwayException">No space, or the layout stays locked (exit 3).</exception>
    public void Unlist(IReadOnlySet<Digest> manifests, CancellationToken cancellation = default)
    {
        using var alone = TakeLock(cancellation);
        var index = ReadIndex();
        var kept = index with { Manifests = [.. index.Manifests.Where(entry => !manifests.Contains(entry.Digest))] };
        if (kept.Manifests.Length < index.Manifests.Length)
            AtomicFile.Write(IndexFile, kept.ToBytes());
    }

    /// <summary>Makes an index of every manifest that is there, after the one that could not be read was set aside. Tags are not known any more.</summary>
    /// <returns>How many manifests and indexes it lists.</returns>
    /// <exception cref="SlipwayException">No space, no permission, or the layout stays locked (exit 3).</exception>
    public int RebuildIndex(string aside, CancellationToken cancellation = default)
    {
        var documents = new List<ReadOnlyMemory<byte>>();
        foreach (var blob in Blobs().Order())
        {
            if (ReadBlob(blob, OciManifest.MaxBytes) is { State: BlobState.Intact } read && (TryReadNested(blob) is not null || TryReadManifest(blob).Manifest is not null))
                documents.Add(read.Bytes);
        }

        using (TakeLock(cancellation))
        {
            if (FileStamp.Of(IndexFile, followLinks: false) is not null)
                AtomicFile.Rename(IndexFile, aside);
            AtomicFile.Write(IndexFile, new OciIndex(2, [.. documents.Select(Stored).Select(stored => stored.Entry)], OciIndex.IndexMediaType).ToBytes());
        }

        return documents.Count;
    }

    /// <summary>Takes a tag off; what it named stays, without a tag where it has no other.</summary>
    /// <returns>What it named; null when there is no such tag.</returns>
    /// <exception cref="SlipwayException">No space, or the layout stays locked (exit 3).</exception>
    public Digest? Untag(string tag, CancellationToken cancellation = default)
    {
        using var alone = TakeLock(cancellation);
        var index = ReadIndex();
        var named = index.Manifests.FirstOrDefault(entry => entry.Annotation(TagAnnotation) == tag);
        if (named is null)
            return null;
        var others = index.Manifests.Where(entry => entry.Annotation(TagAnnotation) != tag).ToImmutableArray();
        // It stays listed: what no tag names is for a collection to take, and not lost by this.
        var kept = others.Any(entry => entry.Digest == named.Digest) ? others : others.Add(named with { Annotations = named.Annotations!.Remove(TagAnnotation) });
        AtomicFile.Write(IndexFile, (index with { Manifests = kept }).ToBytes());
        return named.Digest;
    }

    /// <summary>What tags and these bundles lead to: their manifests, the variants of an index, and what is attached to any of these.</summary>
    /// <exception cref="SlipwayException">One of them is listed and cannot be read, so that nobody knows what it leads to (exit 2).</exception>
    public HashSet<Digest> LedTo(IEnumerable<Digest> bundles)
    {
        var entries = ReadIndex().Manifests;
        var (reached, listed) = (new HashSet<Digest>(), entries.Select(entry => entry.Digest).ToHashSet());
        var open = new Queue<Digest>(entries.Where(entry => entry.Annotation(TagAnnotation) is not null).Select(entry => entry.Digest).Concat(bundles));
        var attached = entries.Select(entry => (Subject: SubjectOf(entry), entry.Digest)).Where(each => each.Subject is not null).ToLookup(each => each.Subject!.Value, each => each.Digest);
        while (open.TryDequeue(out var digest))
        {
            if (!reached.Add(digest))
                continue;
            if ((listed.Contains(digest) || File.Exists(BlobPath(digest))) && TryReadNested(digest) is null && TryReadManifest(digest) is { Manifest: null, Flaw: var flaw })
                throw Unusable("manifest-damaged", $"manifest {digest} {flaw}: what it leads to is not known", Folder, "`slipway doctor` tells what it was, and `slipway doctor --repair` takes it out of the index");
            foreach (var next in attached[digest].Concat(TryReadNested(digest)?.Manifests.Select(entry => entry.Digest) ?? []))
                open.Enqueue(next);
        }

        return reached;
    }

    /// <summary>Blobs that no manifest of the index leads to, in order of their digests.</summary>
    public ImmutableArray<Digest> UnreferencedBlobs() => UnreferencedBlobs(ReadIndex().Manifests);

    /// <summary>The same, as if only these manifests were in the index.</summary>
    public ImmutableArray<Digest> UnreferencedBlobs(IReadOnlySet<Digest> manifests) => UnreferencedBlobs(ReadIndex().Manifests.Where(entry => manifests.Contains(entry.Digest)));

    /// <summary>Every blob by name, unverified, in no order.</summary>
    public IEnumerable<Digest> Blobs() =>
        (Directory.Exists(BlobFolder) ? Directory.EnumerateFiles(BlobFolder) : [])
            .Select(path => Digest.TryParse("sha256:" + Path.GetFileName(path), out var digest) ? digest : (Digest?)null)
            .OfType<Digest>();

    /// <summary>The manifest or index of that digest as far as it can be read; what it names below itself; and else why not, as the end of a sentence.</summary>
    public (OciManifest? Manifest, OciIndex? Index, string? Flaw) Look(Digest digest)
    {
        if (TryReadNested(digest) is { } index)
            return (null, index, null);
        var (manifest, flaw) = TryReadManifest(digest);
        return (manifest, null, flaw);
    }

    private ImmutableArray<Digest> UnreferencedBlobs(IEnumerable<OciDescriptor> entries)
    {
        var reached = new HashSet<Digest>();
        foreach (var entry in entries)
            Reach(entry, reached);
        return [.. Blobs().Where(digest => !reached.Contains(digest)).Order()];
    }

    private void Reach(OciDescriptor top, HashSet<Digest> reached)
    {
        // However deep indexes lie in each other: what is led to is never taken for garbage. Digests cannot form a circle.
        var open = new Stack<OciDescriptor>([top]);
        while (open.TryPop(out var entry))
        {
            if (!reached.Add(entry.Digest))
                continue;
            if (entry.MediaType == OciManifest.ManifestMediaType && TryReadManifest(entry.Digest).Manifest is { } manifest)
                reached.UnionWith(manifest.Blobs.Select(blob => blob.Digest));
            // An unreadable index leads nowhere.
            if (entry.MediaType == OciIndex.IndexMediaType && TryReadNested(entry.Digest) is { } index)
            {
                foreach (var inner in index.Manifests)
                    open.Push(inner);
            }
        }
    }

    private Digest? SubjectOf(OciDescriptor entry) =>
        entry.Annotation(SubjectAnnotation) is { } said && Digest.TryParse(said, out var subject) ? subject
        : entry.MediaType == OciIndex.IndexMediaType ? TryReadNested(entry.Digest)?.Subject?.Digest
        : TryReadManifest(entry.Digest).Manifest?.Subject?.Digest;
}
