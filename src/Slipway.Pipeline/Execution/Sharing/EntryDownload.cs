using System.Collections.Immutable;
using System.Text.Json;
using Slipway.Documents.Runs;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;
using Slipway.Store.Content;
using Slipway.Store.Oci;

namespace Slipway.Pipeline.Execution.Sharing;

/// <summary>Takes an entry's objects into the content store: all of them, or none is visible.</summary>
internal sealed class EntryDownload(IStepPlace place, StepEntry entry, ContentStore objects)
{
    /// <summary>Blobs at a time: enough to hide a registry's answering time.</summary>
    public const int AtATime = 4;

    /// <summary>Most bytes of the list of a folder's files: those of as many files as a manifest names, with long paths.</summary>
    private const int MaxTreeBytes = 64 << 20;

    private readonly Dictionary<Digest, long> needed = [];

    /// <param name="outputs">Of a record that was signed and judged.</param>
    /// <exception cref="SlipwayException">Anything is not what it is said to be (exit 1), or missing (exit 2); no room, no answer (exit 3).</exception>
    public async Task RunAsync(ImmutableSortedDictionary<string, Artifact> outputs, CancellationToken cancellation)
    {
        using var batch = objects.Begin();
        var trees = new HashSet<Digest>();
        foreach (var (name, artifact) in outputs)
        {
            if (artifact.Kind != ArtifactKind.Folder)
            {
                Need(artifact.Digest, artifact.Size);
                continue;
            }

            var json = await ReadAsync(place, Blob(artifact.Digest), MaxTreeBytes, cancellation);
            var tree = Tree(name, json);
            // The list may say anything: in 64 bits its sizes could come around to the right sum.
            if (tree.Files.Sum(file => (decimal)file.Size) is var size && size != artifact.Size)
                throw Wrong($"the files of its output {name} have {size} bytes, and it says {artifact.Size}");
            foreach (var file in tree.Files)
                Need(file.Digest, file.Size);
            Need(artifact.Digest, json.Length);
            trees.Add(batch.Add(json));
        }

        if (needed.Count != entry.Objects.Count)
            throw Wrong($"it names {entry.Objects.Count} objects, and its outputs are {needed.Count}");
        var missing = needed.Keys.Except(trees).Select(Blob).Where(blob => !objects.IsSound(blob.Digest, blob.Size)).ToList();
        await Parallel.ForEachAsync(missing, new ParallelOptions { MaxDegreeOfParallelism = AtATime, CancellationToken = cancellation }, async (blob, stop) =>
        {
            await using var source = place.OpenBlob(blob);
            if (!await batch.ReceiveAsync(blob.Digest, blob.Size, source, stop))
                throw Wrong($"what is there as {blob.Digest} is something else, or not {blob.Size} bytes");
        });
        batch.Commit();
    }

    /// <summary>A small blob, checked.</summary>
    /// <exception cref="SlipwayException">Too large, or something else (exit 1); not there (exit 2); no answer (exit 3).</exception>
    public static async Task<byte[]> ReadAsync(IStepPlace place, OciDescriptor blob, int maxBytes, CancellationToken cancellation)
    {
        if (blob.Size > maxBytes)
            throw Wrong($"{blob.Digest} has {blob.Size} bytes, allowed {maxBytes}");
        var bytes = new byte[blob.Size + 1];
        await using var source = place.OpenBlob(blob);
        var read = await source.ReadAtLeastAsync(bytes, bytes.Length, throwOnEndOfStream: false, cancellation);
        return read == blob.Size && Digest.Of(bytes.AsSpan(0, read)) == blob.Digest
            ? bytes[..read]
            : throw Wrong($"what is there as {blob.Digest} is something else, or not {blob.Size} bytes");
    }

    private static FileTree Tree(string name, byte[] json)
    {
        try
        {
            return FileTree.Parse(json);
        }
        catch (JsonException e)
        {
            throw Wrong($"the folder of its output {name} is none: {ForeignText.Shown(e.Message)}");
        }
    }

    private void Need(Digest digest, long size)
    {
        if (needed.TryGetValue(digest, out var other) && other != size)
            throw Wrong($"its object {digest} has {size} and {other} bytes");
        if (Blob(digest).Size != size)
            throw Wrong($"its object {digest} has {Blob(digest).Size} bytes by its manifest, and {size} by what was signed");
        needed[digest] = size;
    }

    private OciDescriptor Blob(Digest digest) => entry.Objects.GetValueOrDefault(digest) ?? throw Wrong($"its manifest does not name {digest}, which its outputs need");

    private static SlipwayException Wrong(string message) => StepEntry.Refused("cache-content", message, "a run with --cache-push that executes the stage puts a sound one there");
}
