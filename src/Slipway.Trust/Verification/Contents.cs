using System.Collections.Immutable;
using Slipway.Primitives.Faults;
using Slipway.Store.Archives;
using Slipway.Store.Oci;

namespace Slipway.Trust.Verification;

/// <summary>The small parts of a bundle in memory, out of the bytes that were hashed.</summary>
internal sealed record Contents(ReadOnlyMemory<byte> Config, ImmutableSortedDictionary<string, ReadOnlyMemory<byte>> Documents)
{
    /// <summary>Opens config and documents, and checks that every layer is an archive that unpacking will accept.</summary>
    /// <returns>Null when there is a problem.</returns>
    public static Contents? Read(OciLayout layout, StrictManifest shape, List<Fault> problems)
    {
        var documents = ImmutableSortedDictionary<string, ReadOnlyMemory<byte>>.Empty;
        foreach (var layer in shape.Layers.Where(layer => layer.IsArchive))
        {
            try
            {
                if (layer is { Kind: LayerKind.Doc, Path: ModelPack.DocumentsPath })
                    documents = Open(Bytes(layout, shape, layer.Blob, StrictManifest.MaxDocumentBytes, problems));
                else
                    Check(layout, shape, layer, problems);
            }
            catch (SlipwayException e) when (e.Exit == ExitCode.UnusableInput)
            {
                problems.AddRange(e.Faults.Select(fault => new Fault("layer-refused", $"layer '{layer.Path}' (blob {layer.Blob.Digest}): {fault.Message} [{fault.Code}]")));
            }
        }

        var config = Bytes(layout, shape, shape.Manifest.Config, StrictManifest.MaxConfigBytes, problems);
        return problems.Count == 0 ? new Contents(config, documents) : null;
    }

    private static ImmutableSortedDictionary<string, ReadOnlyMemory<byte>> Open(byte[]? tar)
    {
        if (tar is null)
            return ImmutableSortedDictionary<string, ReadOnlyMemory<byte>>.Empty;
        const string folder = ModelPack.DocumentsPath + "/";
        var files = DeterministicTar.ReadAll(new MemoryStream(tar, writable: false), StrictManifest.MaxDocumentBytes);
        return files.Keys.FirstOrDefault(path => !path.StartsWith(folder, StringComparison.Ordinal)) is { } stray
            ? throw new SlipwayException(ExitCode.UnusableInput, new Fault("archive-path-outside", $"the archive path '{ForeignText.Shown(stray)}' is outside '{folder}', where this archive belongs"))
            : files.ToImmutableSortedDictionary(file => file.Key[folder.Length..], file => file.Value, StringComparer.Ordinal);
    }

    private static void Check(OciLayout layout, StrictManifest shape, BundleLayer layer, List<Fault> problems)
    {
        using var file = layout.OpenBlob(layer.Blob.Digest);
        if (file is null)
            problems.Add(BundleVerifier.BlobProblem(layer.Blob, shape, BlobState.Missing));
        else
            DeterministicTar.Check(file, ArchiveLimits.Default, layer.Path);
    }

    private static byte[]? Bytes(OciLayout layout, StrictManifest shape, OciDescriptor blob, long maxBytes, List<Fault> problems)
    {
        var read = layout.ReadBlob(blob.Digest, maxBytes);
        if (read.State == BlobState.Intact)
            return read.Bytes;
        problems.Add(BundleVerifier.BlobProblem(blob, shape, read.State));
        return null;
    }
}
