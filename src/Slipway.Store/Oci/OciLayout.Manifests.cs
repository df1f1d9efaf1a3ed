using System.Collections.Immutable;
using System.Text.Json;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;
using Slipway.Primitives.Files;

namespace Slipway.Store.Oci;

public sealed partial class OciLayout
{
    /// <summary>How often a held lock is tried again.</summary>
    private static readonly TimeSpan LockRetry = TimeSpan.FromMilliseconds(20);

    /// <summary>How long to wait for another process's change of the index, which takes milliseconds; then it is a fault.</summary>
    private static readonly TimeSpan LockPatience = TimeSpan.FromSeconds(30);

    /// <summary>Stores a manifest whose blobs are here already, lists it in the index, and moves the tag to it.</summary>
    /// <remarks>
    /// Idempotent. A tag that named another manifest leaves it listed without a tag: nothing is lost. An attached manifest is listed
    /// with its annotations, as image-spec asks for referrers, and with <see cref="SubjectAnnotation"/>.
    /// </remarks>
    /// <exception cref="SlipwayException">A blob is missing, or the tag is malformed (exit 2); no space, or the layout stays locked (exit 3).</exception>
    public OciDescriptor PutManifest(OciManifest manifest, string? tag = null, CancellationToken cancellation = default) =>
        PutManifest(manifest, manifest.ToBytes(), tag, cancellation);

    /// <summary>The same for a manifest that came from elsewhere: its exact bytes are kept, and so its digest.</summary>
    /// <exception cref="JsonException">These bytes are no manifest.</exception>
    public OciDescriptor PutManifest(ReadOnlySpan<byte> json, string? tag = null, CancellationToken cancellation = default) =>
        PutManifest(OciManifest.Parse(json), json, tag, cancellation);

    private OciDescriptor PutManifest(OciManifest manifest, ReadOnlySpan<byte> bytes, string? tag, CancellationToken cancellation)
    {
        var entry = Entry(manifest, AddBlob(bytes));
        using var alone = TakeLock(cancellation);
        List([(entry, manifest.Blobs)], entry.Digest, tag, replace: true);
        return entry;
    }

    /// <summary>Lists manifests in the index in one write, so that all of them appear or none, and moves the tag to one of them.</summary>
    /// <remarks>Under the index's lock: nothing that was not listed yet is deleted between the look at what a manifest needs and the listing.</remarks>
    /// <param name="tagged">The one that gets the tag.</param>
    /// <param name="replace">Whether the tag may have named an index before where it gets a bundle now, or the other way round.</param>
    /// <param name="mayMove">Whether the tag may have named something else of its kind before.</param>
    /// <exception cref="SlipwayException">Content that one of them names is missing, or the tag is malformed, of another kind or taken (exit 2); no space (exit 3).</exception>
    private void List(IReadOnlyList<(OciDescriptor Entry, IEnumerable<OciDescriptor> Needs)> manifests, Digest tagged, string? tag, bool replace, bool mayMove = true)
    {
        if (tag is not null && !IsTag(tag))
            throw Unusable("bad-tag", $"'{tag}' is no tag", tag, "allowed are letters, digits, '.', '_' and '-', at most 128, not beginning with '.' or '-'");
        foreach (var blob in manifests.SelectMany(each => each.Needs))
        {
            if (FileStamp.Of(BlobPath(blob.Digest))?.Size != blob.Size)
                throw Unusable("blob-missing", $"blob {blob.Digest} of {blob.Size} bytes is not in {Folder}", Folder);
        }

        var index = ReadIndex();
        var list = index.Manifests;
        if (!replace && tag is not null && list.FirstOrDefault(entry => entry.Annotation(TagAnnotation) == tag) is { } before)
        {
            OciVariants.RequireKind(before.MediaType, manifests.First(each => each.Entry.Digest == tagged).Entry.MediaType, tag, Folder);
            if (!mayMove)
                OciVariants.RequireSame(before.Digest, tagged, tag, Folder);
        }

        foreach (var (entry, _) in manifests)
        {
            var named = entry.Digest == tagged ? tag : null;
            list = Listed(list, named is null ? entry : entry with { Annotations = (entry.Annotations ?? Sorted).SetItem(TagAnnotation, named) }, named);
        }

        if (!list.SequenceEqual(index.Manifests))
            AtomicFile.Write(IndexFile, (index with { Manifests = list }).ToBytes());
    }

    /// <summary>The manifests of the index that are attached to <paramref name="subject"/>, and those that may be and cannot be read.</summary>
    public ImmutableArray<Referrer> Referrers(Digest subject)
    {
        var found = ImmutableArray.CreateBuilder<Referrer>();
        foreach (var entry in ReadIndex().Manifests.DistinctBy(entry => entry.Digest))
        {
            if (entry.Digest == subject || entry.MediaType != OciManifest.ManifestMediaType)
                continue;
            var hint = entry.Annotation(SubjectAnnotation);
            if (hint is not null && hint != subject.ToString())
                continue;
            var (manifest, flaw) = TryReadManifest(entry.Digest);
            if (manifest is not null ? manifest.Subject?.Digest == subject : hint is not null)
                found.Add(new Referrer(entry, manifest, flaw));
        }

        return found.ToImmutable();
    }

    /// <summary>These manifests as attached to <paramref name="subject"/>, whatever the index says: for a store that keeps its own list.</summary>
    /// <returns>One for each; those that cannot be read, or are attached to another, have no manifest.</returns>
    public ImmutableArray<Referrer> Referrers(Digest subject, IEnumerable<Digest> manifests)
    {
        return [.. manifests.Distinct().Select(Read)];

        Referrer Read(Digest digest)
        {
            var (manifest, flaw) = TryReadManifest(digest);
            if (manifest is not null && manifest.Subject?.Digest != subject)
                (manifest, flaw) = (null, $"is not attached to {subject}");
            return new Referrer(new OciDescriptor(OciManifest.ManifestMediaType, digest, 0), manifest, flaw);
        }
    }

    /// <summary>Whether an entry of the index is attached to another manifest rather than a bundle of its own.</summary>
    internal bool IsAttached(OciDescriptor entry) =>
        entry.Annotation(SubjectAnnotation) is not null
        || (entry.MediaType == OciIndex.IndexMediaType ? TryReadNested(entry.Digest)?.Subject : TryReadManifest(entry.Digest).Manifest?.Subject) is not null;

    /// <summary>image-spec's grammar for tags as registries take them.</summary>
    public static bool IsTag(string text) =>
        text.Length is > 0 and <= 128
        && text[0] is not ('.' or '-')
        && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-');

    private static ImmutableSortedDictionary<string, string> Sorted => ImmutableSortedDictionary.Create<string, string>(StringComparer.Ordinal);

    private static OciDescriptor Entry(OciManifest manifest, StoredBlob stored) => new(
        OciManifest.ManifestMediaType, stored.Digest, stored.Size, manifest.ArtifactType,
        manifest.Subject is { } subject ? (manifest.Annotations ?? Sorted).SetItem(SubjectAnnotation, subject.Digest.ToString()) : null);

    /// <summary>The index's list with this entry in it, and its tag on no other.</summary>
    private static ImmutableArray<OciDescriptor> Listed(ImmutableArray<OciDescriptor> list, OciDescriptor entry, string? tag)
    {
        static string? Tag(OciDescriptor entry) => entry.Annotation(TagAnnotation);
        var entries = list
            .Select(other => tag is not null && other.Digest != entry.Digest && Tag(other) == tag
                ? other with { Annotations = other.Annotations!.Remove(TagAnnotation) }
                : other)
            .ToList();
        if (!entries.Any(other => other.Digest == entry.Digest && (tag is null || Tag(other) == tag)))
            entries.Add(entry);

        // An entry without a tag gives way to the same manifest with one.
        var named = entries.Where(other => Tag(other) is not null).Select(other => other.Digest).ToHashSet();
        return [.. entries.Where(other => Tag(other) is not null || named.Add(other.Digest))];
    }

    private (OciManifest? Manifest, string? Flaw) TryReadManifest(Digest digest)
    {
        var read = ReadBlob(digest, OciManifest.MaxBytes);
        if (read.State != BlobState.Intact)
            return (null, read.State switch
            {
                BlobState.Missing => "is missing",
                BlobState.TooLarge => $"has more than {OciManifest.MaxBytes} bytes",
                _ => "differs from its digest",
            });
        try
        {
            return (OciManifest.Parse(read.Bytes), null);
        }
        catch (JsonException e)
        {
            return (null, "is no manifest: " + e.Message);
        }
    }

    private FolderLock TakeLock(CancellationToken cancellation) => TakeLock(Path.Combine(Folder, ".slipway-index.lock"), shared: false, cancellation);

    private static FolderLock TakeLock(string path, bool shared, CancellationToken cancellation)
    {
        for (var waited = TimeSpan.Zero; waited < LockPatience; waited += LockRetry)
        {
            if (FolderLock.TryTake(path, shared) is { } taken)
                return taken;
            cancellation.WaitHandle.WaitOne(LockRetry);
            cancellation.ThrowIfCancellationRequested();
        }

        throw new SlipwayException(ExitCode.NotThere, new Fault("layout-busy", $"another process has held {path} for {LockPatience.TotalSeconds} seconds", path, Help: "find it with `fuser`, and run again"));
    }
}

/// <summary>A manifest that is attached to another.</summary>
/// <param name="Entry">As the index lists it.</param>
/// <param name="Manifest">Null when it is missing, damaged or malformed.</param>
/// <param name="Flaw">Why there is no manifest: the end of a sentence.</param>
public sealed record Referrer(OciDescriptor Entry, OciManifest? Manifest, string? Flaw);
