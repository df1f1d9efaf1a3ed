using System.Collections.Concurrent;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;
using Slipway.Store.Oci;

namespace Slipway.Store.Registries;

/// <summary>Copies a bundle with what belongs to it: blobs at first, several at once; what is there is not sent again; nothing is visible before all is there.</summary>
/// <remarks>Idempotent: after an end at any instant the same transfer goes on with the blobs that had not arrived.</remarks>
public sealed class BundleTransfer(IBundleSource source, IBundleTarget target)
{
    /// <summary>Blobs under way at once: enough that small ones do not wait for answers, few enough for the buffers.</summary>
    private const int AtOnce = 4;

    /// <summary>Told of every piece and every blob; from several threads.</summary>
    public Action<TransferEvent> Observe { get; init; } = static _ => { };

    /// <summary>Copies, and publishes where nobody objects.</summary>
    /// <param name="tag">Null for none.</param>
    /// <param name="replace">Whether the tag may have named a list of variants before where it gets a bundle now, or the other way round.</param>
    /// <param name="judge">Called with the blobs that came now, when all content is there and nothing is visible yet; what it throws ends the transfer.</param>
    /// <exception cref="SlipwayException">Content is not what its digest says (exit 1); missing (exit 2); no answer, no room (exit 3).</exception>
    public async Task<TransferReport> RunAsync(TransferPlan plan, string? tag, bool replace, CancellationToken cancellation, Action<IReadOnlyCollection<Digest>>? judge = null)
    {
        using var writing = target.BeginWriting(cancellation);
        var before = tag is null ? null : await target.CheckTagAsync(plan.Root, tag, replace, cancellation);
        Observe(new TransferStarted(plan.Blobs.Sum(blob => (decimal)blob.Size)));
        long sent = 0, skipped = 0, mounted = 0;
        var arrived = new ConcurrentBag<Digest>();
        await Parallel.ForEachAsync(plan.Blobs, new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = cancellation }, async (blob, stop) =>
        {
            var arrival = BlobArrival.WasThere;
            if (!await target.HasBlobAsync(blob, stop))
            {
                Observe(new BlobStarted(blob));
                arrival = await target.TakeBlobAsync(blob, source, bytes => Observe(new BytesMoved(bytes)), stop) ? BlobArrival.TakenOver : BlobArrival.Sent;
                arrived.Add(blob.Digest);
            }

            Interlocked.Add(ref arrival == BlobArrival.Sent ? ref sent : ref arrival == BlobArrival.TakenOver ? ref mounted : ref skipped, blob.Size);
            Observe(new BlobEnded(blob, arrival));
        });

        judge?.Invoke([.. arrived]);
        await target.PublishAsync(plan.Manifests, plan.Root, tag, replace, cancellation);
        return new TransferReport(plan.Root.Digest, sent, skipped, mounted, before == plan.Root.Digest ? null : before);
    }
}

/// <summary>What a transfer did with the bytes of its blobs.</summary>
/// <param name="Root">Digest of the bundle's manifest, or of the index of its variants.</param>
/// <param name="Sent">Bytes that went from source to target.</param>
/// <param name="Skipped">Bytes that were there already.</param>
/// <param name="Mounted">Bytes that the registry took over from another of its repositories.</param>
/// <param name="Before">What the tag named before; null where it was new, or named the same.</param>
public sealed record TransferReport(Digest Root, long Sent, long Skipped, long Mounted, Digest? Before);

/// <summary>How a blob came to be at the target.</summary>
public enum BlobArrival
{
    WasThere,
    TakenOver,
    Sent,
}

/// <summary>Something that happened in a transfer, for who watches.</summary>
public abstract record TransferEvent;

/// <param name="Bytes">Of all blobs, those that are there already too.</param>
public sealed record TransferStarted(decimal Bytes) : TransferEvent;

public sealed record BlobStarted(OciDescriptor Blob) : TransferEvent;

/// <param name="Bytes">More of some blob; bytes that are sent again after a cut count again.</param>
public sealed record BytesMoved(long Bytes) : TransferEvent;

public sealed record BlobEnded(OciDescriptor Blob, BlobArrival How) : TransferEvent;
