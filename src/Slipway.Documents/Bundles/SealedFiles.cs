using System.Collections.Immutable;
using Slipway.Store.Archives;
using Slipway.Store.Content;
using Slipway.Trust.Verification;

namespace Slipway.Documents.Bundles;

/// <summary>The sealed code's files, by their paths in the project.</summary>
internal static class SealedFiles
{
    /// <remarks>Costs one pass over the code layer.</remarks>
    /// <exception cref="Primitives.Faults.SlipwayException">The blob changed since the bundle was verified (exit 1).</exception>
    public static ImmutableSortedDictionary<string, FileTreeEntry> Of(VerifiedBundle bundle, CancellationToken cancellation)
    {
        var files = ImmutableSortedDictionary<string, FileTreeEntry>.Empty;
        if (bundle.Layers.FirstOrDefault(layer => layer.Kind == LayerKind.Code) is { } code)
        {
            bundle.ReadLayer(
                code,
                tar => files = DeterministicTar.List(tar, ArchiveLimits.Default, cancellation)
                    .Select(file => new FileTreeEntry(file.Path[(code.Path.Length + 1)..], file.Executable, file.Size, file.Digest))
                    .ToImmutableSortedDictionary(file => file.Path, file => file, StringComparer.Ordinal),
                cancellation);
        }

        return files;
    }
}
