using System.Collections.Immutable;
using Slipway.Documents.Runs;
using Slipway.Pipeline.Execution.Steps;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;
using Slipway.Store.Content;
using Slipway.Store.Oci;
using Slipway.Trust.Verification;

namespace Slipway.Pipeline.Execution.Sharing;

/// <summary>Puts an entry there: its blobs in any order, and then, in one step, the manifest that makes them one.</summary>
/// <param name="anew">Whether blobs that are there are looked at: they were found wanting.</param>
internal sealed class EntryUpload(IStepPlace place, ContentStore objects, bool anew)
{
    /// <param name="signed">The record with its signature.</param>
    /// <returns>Bytes of the outputs.</returns>
    /// <exception cref="SlipwayException">An object is gone or damaged (exit 1, 2); denied, no room, no answer (exit 3).</exception>
    public async Task<long> RunAsync(StepRecord record, byte[] signed, CancellationToken cancellation)
    {
        var statement = new OciDescriptor(SignedDocument.MediaType, Digest.Of(signed), signed.Length);
        if (signed.Length > StepEntry.MaxRecordBytes)
            throw StepEntry.Refused("cache-entry-large", $"its record has {signed.Length} bytes, allowed {StepEntry.MaxRecordBytes}");
        var entry = new StepEntry(statement, Objects(record.Outputs).DistinctBy(blob => blob.Digest).ToImmutableDictionary(blob => blob.Digest));
        var manifest = entry.ToManifest();
        await place.SendBlobAsync(StepEntry.Config, StepEntry.OpenConfig, anew, cancellation);
        await place.SendBlobAsync(statement, () => new MemoryStream(signed, writable: false), anew, cancellation);
        await Parallel.ForEachAsync(
            entry.Objects.Values,
            new ParallelOptions { MaxDegreeOfParallelism = EntryDownload.AtATime, CancellationToken = cancellation },
            async (blob, stop) => await place.SendBlobAsync(blob, () => objects.OpenRead(blob.Digest), anew, stop));
        await place.PublishAsync(record.Step.Key(), manifest, cancellation);
        return record.Outputs.Values.Sum(output => output.Size);
    }

    private IEnumerable<OciDescriptor> Objects(ImmutableSortedDictionary<string, Artifact> outputs)
    {
        foreach (var artifact in outputs.Values)
        {
            if (artifact.Kind != ArtifactKind.Folder)
            {
                yield return new OciDescriptor(StepEntry.ObjectType, artifact.Digest, artifact.Size);
                continue;
            }

            var tree = objects.ReadTree(artifact.Digest);
            yield return new OciDescriptor(StepEntry.ObjectType, artifact.Digest, tree.ToJson().Length);
            foreach (var file in tree.Files)
                yield return new OciDescriptor(StepEntry.ObjectType, file.Digest, file.Size);
        }
    }
}
