using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;
using Slipway.Store.Oci;

namespace Slipway.Pipeline.Execution.Sharing;

/// <summary>Where entries are shared: a folder or a repository. Nothing that it gives is believed; whoever takes it checks it. Thread-safe.</summary>
internal interface IStepPlace : IDisposable
{
    /// <summary>For messages.</summary>
    string Name { get; }

    /// <summary>The manifest under a step key, its bytes unchecked.</summary>
    /// <returns>Null where there is none.</returns>
    /// <exception cref="SlipwayException">Too large, or no manifest (exit 1, 2); no answer (exit 3).</exception>
    Task<ReadOnlyMemory<byte>?> FindAsync(Digest key, CancellationToken cancellation);

    /// <summary>A blob's bytes, unchecked; read asynchronously alone.</summary>
    /// <exception cref="SlipwayException">Not there (exit 2), or no answer (exit 3), also while it is read.</exception>
    Stream OpenBlob(OciDescriptor blob);

    /// <summary>Puts a blob there, whole and with the right digest, or not at all.</summary>
    /// <param name="open">Opens the content at its beginning.</param>
    /// <param name="anew">Whether one that is there is looked at, and not only its name.</param>
    /// <exception cref="SlipwayException">The content is something else (exit 1); no room, denied, no answer (exit 3).</exception>
    Task SendBlobAsync(OciDescriptor blob, Func<Stream> open, bool anew, CancellationToken cancellation);

    /// <summary>Puts a manifest under a step key in one step, in place of what was there. Its blobs are there.</summary>
    /// <exception cref="SlipwayException">No room, denied, no answer (exit 3).</exception>
    Task PublishAsync(Digest key, ReadOnlyMemory<byte> manifest, CancellationToken cancellation);
}
