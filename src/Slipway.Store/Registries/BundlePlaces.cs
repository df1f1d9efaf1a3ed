using System.Collections.Immutable;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;
using Slipway.Store.Oci;

namespace Slipway.Store.Registries;

/// <summary>Where a bundle is copied from: a layout, a registry, a server. What it gives is checked by who takes it.</summary>
public interface IBundleSource
{
    /// <summary>For messages.</summary>
    string Name { get; }

    /// <summary>The repository, where blobs may be taken over without sending them; null where there is none.</summary>
    RegistryReference? Repository { get; }

    /// <summary>The bytes of a manifest or index; null where it is not there, and the place's own lists may name it nevertheless.</summary>
    /// <exception cref="SlipwayException">Not there, where the place says that it is (exit 2); something else (exit 1), or no answer (exit 3).</exception>
    Task<ReadOnlyMemory<byte>?> ReadManifestAsync(Digest manifest, CancellationToken cancellation);

    /// <summary>The manifests that are attached to one.</summary>
    Task<ImmutableArray<Digest>> ReferrersAsync(Digest subject, CancellationToken cancellation);

    /// <summary>A blob's bytes from a position on, not yet checked; may end after one byte too many.</summary>
    /// <exception cref="SlipwayException">Not there (exit 2), or no answer (exit 3).</exception>
    Task<Stream> OpenBlobAsync(OciDescriptor blob, long offset, CancellationToken cancellation);
}

/// <summary>Where a bundle is copied to: a layout or a registry. Blobs come first, in any order; then all manifests at once.</summary>
public interface IBundleTarget
{
    /// <summary>For messages.</summary>
    string Name { get; }

    /// <summary>Held from the first blob until all manifests are visible: keeps what is not needed by anything yet.</summary>
    /// <exception cref="SlipwayException">A layout stays locked (exit 3).</exception>
    IDisposable? BeginWriting(CancellationToken cancellation);

    /// <summary>What a tag names there now, before anything is sent; null for nothing.</summary>
    /// <exception cref="SlipwayException">It may not come to name this, as publishing would say too (exit 2); no answer (exit 3).</exception>
    Task<Digest?> CheckTagAsync(PlannedManifest root, string tag, bool replace, CancellationToken cancellation);

    /// <exception cref="SlipwayException">No answer (exit 3).</exception>
    Task<bool> HasBlobAsync(OciDescriptor blob, CancellationToken cancellation);

    /// <summary>Takes a blob whole and with the right digest, or not at all.</summary>
    /// <param name="progress">Told the bytes of each piece that came.</param>
    /// <returns>Whether it was taken over from another repository, and no byte sent.</returns>
    /// <exception cref="SlipwayException">It is something else than its digest says (exit 1); no room, no answer (exit 3).</exception>
    Task<bool> TakeBlobAsync(OciDescriptor blob, IBundleSource from, Action<long> progress, CancellationToken cancellation);

    /// <summary>Makes the manifests visible, whose blobs are all there, and last the tag.</summary>
    /// <param name="manifests">In an order in which each comes after what it refers to, but for its subject.</param>
    /// <param name="root">The one that gets the tag.</param>
    /// <param name="tag">Null for none.</param>
    /// <param name="replace">Whether the tag may have named a list of variants before where it gets a bundle now, or the other way round.</param>
    Task PublishAsync(IReadOnlyList<PlannedManifest> manifests, PlannedManifest root, string? tag, bool replace, CancellationToken cancellation);
}
