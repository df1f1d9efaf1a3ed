using System.Collections.Immutable;
using System.Text.Json;
using Slipway.Documents.Bom;
using Slipway.Documents.Bundles;
using Slipway.Documents.Cards;
using Slipway.Primitives.Bytes;
using Slipway.Runtime.Environments;
using Slipway.Store.Content;
using Slipway.Trust.Attestations;

namespace Slipway.Pipeline.Sealing;

/// <summary>The bill of materials as a statement about a sealed bundle.</summary>
internal static class BomStatement
{
    /// <summary>Whether a statement is one of these, and not another tool's of the same type. Reading the host's package lists for another takes a while, and they change from day to day.</summary>
    public static bool IsOurs(Statement statement) =>
        statement is { PredicateType: CycloneDxBom.PredicateType, Predicate: { ValueKind: JsonValueKind.Object } predicate }
        && predicate.TryGetProperty("metadata", out var metadata) && metadata.ValueKind == JsonValueKind.Object
        && metadata.TryGetProperty("tools", out var tools) && tools.ValueKind == JsonValueKind.Object
        && tools.TryGetProperty("components", out var components) && components.ValueKind == JsonValueKind.Array
        && components.EnumerateArray().Any(tool => tool.ValueKind == JsonValueKind.Object && tool.TryGetProperty("name", out var name) && name.ValueKind == JsonValueKind.String && name.ValueEquals(BundleBom.Tool));

    /// <param name="host">What it knows of packages is no part of the bundle, and so may differ between two who attest.</param>
    public static Statement Of(Digest bundle, BundleDocuments documents, ImmutableArray<SealFile> model, ImmutableArray<SealFile> code, HostPackages host, string toolVersion, CancellationToken cancellation)
    {
        var packages = documents.Environments.ToImmutableSortedDictionary(environment => environment.Key, environment => host.Describe(environment.Value, cancellation), StringComparer.Ordinal);
        var bom = new BundleBom(documents, Files(model), Files(code), packages, toolVersion).Build();
        return Statement.About(bundle, documents.Spec.Name, CycloneDxBom.PredicateType, bom.ToJson());

        static FileTreeEntry[] Files(ImmutableArray<SealFile> files) => [.. files.Select(file => new FileTreeEntry(file.Path, file.Executable, file.Size, file.Digest))];
    }
}
