using Slipway.Primitives.Bytes;
using Slipway.Store.Archives;
using Slipway.Store.Content;
using Slipway.Trust.Verification;

namespace Slipway.Documents.Bundles;

/// <summary>The model as its weight layer holds it.</summary>
/// <param name="Path">In the unpacked bundle.</param>
/// <param name="Digest">As a stage's output has it: of the file's bytes, or of the folder's list of files.</param>
internal sealed record SealedModel(string Path, Digest Digest, bool IsFolder)
{
    /// <remarks>The digest is to be held against the lineage's: it is of what is there now.</remarks>
    /// <returns>Null unless there is exactly one weight layer.</returns>
    public static SealedModel? Of(VerifiedBundle bundle, CancellationToken cancellation)
    {
        if (bundle.Layers.Where(layer => layer.Kind == LayerKind.Weight).ToArray() is not [var layer])
            return null;
        if (!layer.IsArchive)
            return new SealedModel(layer.Path, layer.Blob.Digest, false);

        var tree = FileTree.Of(bundle.ListLayer(layer, cancellation).Select(file => new FileTreeEntry(file.Path[(layer.Path.Length + 1)..], file.Executable, file.Size, file.Digest)));
        return new SealedModel(layer.Path, tree.Digest, true);
    }
}
