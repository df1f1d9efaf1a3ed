using System.Collections.Immutable;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;
using Slipway.Primitives.Files;
using Slipway.Store.Archives;
using Slipway.Store.Oci;

namespace Slipway.Trust.Verification;

/// <summary>A bundle whose every byte a trusted key vouches for. Only <see cref="BundleVerifier"/> makes one.</summary>
/// <remarks>
/// What is in memory is what was verified; what is still on disk is hashed again while it is used, so a change after verification
/// is found. Immutable and thread-safe.
/// </remarks>
public sealed class VerifiedBundle
{
    private readonly OciLayout layout;
    private readonly StrictManifest shape;

    internal VerifiedBundle(OciLayout layout, Digest digest, StrictManifest shape, Contents contents, ImmutableArray<VerifiedStatement> statements)
    {
        (this.layout, this.shape) = (layout, shape);
        (Digest, Config, Documents, Statements) = (digest, contents.Config, contents.Documents, statements);
    }

    /// <summary>The manifest's digest: the bundle's identity.</summary>
    public Digest Digest { get; }

    public OciManifest Manifest => shape.Manifest;

    public ImmutableArray<BundleLayer> Layers => shape.Layers;

    /// <summary>The ModelPack config's bytes.</summary>
    public ReadOnlyMemory<byte> Config { get; }

    /// <summary>Slipway's own documents by name below <c>slipway/</c>, such as <c>spec.json</c>.</summary>
    public ImmutableSortedDictionary<string, ReadOnlyMemory<byte>> Documents { get; }

    /// <summary>At least one; in the order of the layout's index, which means nothing.</summary>
    public ImmutableArray<VerifiedStatement> Statements { get; }

    /// <summary>Unpacks all layers into a new folder: whole, or not at all.</summary>
    /// <param name="folder">Must not be there, or be empty; its parents are made.</param>
    /// <exception cref="SlipwayException">The folder is taken (exit 2); a blob changed since it was verified (exit 1); no space, no permission (exit 3).</exception>
    public void Unpack(string folder, CancellationToken cancellation = default)
    {
        var target = Path.GetFullPath(folder);
        if (FileStamp.Of(target, followLinks: false) is { } there && (there.Kind != FileKind.Folder || Directory.EnumerateFileSystemEntries(target).Any()))
            throw new SlipwayException(ExitCode.UnusableInput, new Fault("folder-taken", $"{folder} is there already and is not an empty folder", folder, Help: "name a new folder"));

        var temporary = AtomicFile.TemporaryBeside(target);
        AtomicFile.CreateFolder(temporary);
        try
        {
            foreach (var layer in Layers)
            {
                var state = layer.IsArchive
                    ? Read(layer, tar => DeterministicTar.Extract(tar, temporary, ArchiveLimits.Default, layer.Path, cancellation), cancellation)
                    : CopyRaw(layer, temporary, cancellation);
                if (state != BlobState.Intact)
                    throw Changed(layer, state);
            }

            AtomicFile.FlushFileSystem(temporary);
            AtomicFile.Publish(temporary, target);
        }
        catch
        {
            Directory.Delete(temporary, recursive: true);
            throw;
        }
    }

    /// <summary>Hands a layer's bytes to <paramref name="read"/>; what was read counts only when this returns.</summary>
    /// <exception cref="SlipwayException">The blob changed since it was verified (exit 1).</exception>
    public void ReadLayer(BundleLayer layer, Action<Stream> read, CancellationToken cancellation = default)
    {
        var state = Read(layer, read, cancellation);
        if (state != BlobState.Intact)
            throw Changed(layer, state);
    }

    /// <summary>What an archive layer holds now, by content: a pass that hashes the files, and not the layer a second time.</summary>
    /// <remarks>A layer that changed since it was verified lists other digests, and is for the caller to hold against what is sealed.</remarks>
    /// <exception cref="SlipwayException">It is no longer such an archive (exit 1).</exception>
    public ImmutableArray<ArchivedFile> ListLayer(BundleLayer layer, CancellationToken cancellation = default)
    {
        using var file = layout.OpenBlob(layer.Blob.Digest) ?? throw Changed(layer, BlobState.Missing);
        try
        {
            return DeterministicTar.List(file, ArchiveLimits.Default, cancellation);
        }
        catch (SlipwayException e) when (e.Exit == ExitCode.UnusableInput)
        {
            throw Changed(layer, BlobState.Changed);
        }
    }

    private BlobState Read(BundleLayer layer, Action<Stream> read, CancellationToken cancellation)
    {
        var state = BlobState.Missing;
        try
        {
            return layout.ReadBlob(layer.Blob, read, cancellation);
        }
        catch (SlipwayException e) when (e.Exit == ExitCode.UnusableInput && (state = layout.CheckBlob(layer.Blob, cancellation)) != BlobState.Intact)
        {
            // What is refused now was good when it was verified: what is wrong is that it changed.
            return state;
        }
    }

    private BlobState CopyRaw(BundleLayer layer, string root, CancellationToken cancellation)
    {
        var path = Path.Combine(root, layer.Path);
        AtomicFile.CreateFolder(Path.GetDirectoryName(path)!);
        try
        {
            using var file = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 0);
            return layout.CopyBlob(layer.Blob, file, cancellation);
        }
        catch (Exception e) when (AtomicFile.Explain(e, path) is { } explained)
        {
            throw explained;
        }
    }

    private SlipwayException Changed(BundleLayer layer, BlobState state) =>
        new(ExitCode.BadVerdict, BundleVerifier.BlobProblem(layer.Blob, shape, state));
}
