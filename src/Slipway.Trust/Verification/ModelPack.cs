using Slipway.Store.Oci;

namespace Slipway.Trust.Verification;

/// <summary>The shape of a sealed bundle. Source: CNCF ModelPack specification, as docs/format narrows it.</summary>
public static class ModelPack
{
    public const string ManifestType = "application/vnd.cncf.model.manifest.v1+json";
    public const string ConfigType = "application/vnd.cncf.model.config.v1+json";

    /// <summary>Where in the unpacked bundle a layer's files lie: the file itself for a raw layer, otherwise the folder above them all.</summary>
    public const string PathAnnotation = "org.cncf.model.filepath";

    /// <summary>The path of the one layer that holds Slipway's own documents.</summary>
    public const string DocumentsPath = "slipway";

    private const string Prefix = "application/vnd.cncf.model.", Tar = ".v1.tar", Raw = ".v1.raw";

    /// <param name="isArchive">False for a weight of a single file, which is stored as it is.</param>
    public static string LayerType(LayerKind kind, bool isArchive) => Prefix + Name(kind) + (isArchive ? Tar : Raw);

    /// <summary>The layer that a descriptor stands for; null for other media types, or where the path is missing.</summary>
    internal static BundleLayer? Layer(OciDescriptor blob)
    {
        if (blob.Annotation(PathAnnotation) is not { } path)
            return null;
        foreach (var kind in Enum.GetValues<LayerKind>())
        {
            if (blob.MediaType == LayerType(kind, isArchive: true))
                return new BundleLayer(blob, kind, path, true);
        }

        return blob.MediaType == LayerType(LayerKind.Weight, isArchive: false) ? new BundleLayer(blob, LayerKind.Weight, path, false) : null;
    }

    private static string Name(LayerKind kind) => kind switch
    {
        LayerKind.Weight => "weight",
        LayerKind.WeightConfig => "weight.config",
        LayerKind.Code => "code",
        LayerKind.Doc => "doc",
        LayerKind.Dataset => "dataset",
        _ => throw new System.Diagnostics.UnreachableException($"layer kind {kind}"),
    };
}

/// <summary>What a layer is for.</summary>
public enum LayerKind
{
    Weight,
    WeightConfig,
    Code,
    Doc,
    Dataset,
}

/// <summary>One layer of a bundle.</summary>
/// <param name="Path">Relative to the unpacked bundle's root; see <see cref="ModelPack.PathAnnotation"/>. No layer's path lies below another's.</param>
/// <param name="IsArchive">A deterministic tar whose paths, from the bundle's root, all lie below <paramref name="Path"/>; otherwise one raw file.</param>
public sealed record BundleLayer(OciDescriptor Blob, LayerKind Kind, string Path, bool IsArchive);
