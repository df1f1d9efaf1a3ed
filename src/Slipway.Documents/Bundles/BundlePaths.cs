using Slipway.Trust.Verification;

namespace Slipway.Documents.Bundles;

/// <summary>Where things lie in an unpacked bundle.</summary>
public static class BundlePaths
{
    /// <summary>Folder of the code: the project's files at their paths relative to the project's root. A served command runs in it.</summary>
    public const string Code = "code";

    /// <summary>Folder of the model: the artifact's single file below its own name, or the artifact's folder itself.</summary>
    public const string Model = "model";

    /// <summary>The model's file or folder, relative to the unpacked bundle's root.</summary>
    public static string ModelOf(VerifiedBundle bundle) => bundle.Layers.First(layer => layer.Kind == LayerKind.Weight).Path;
}
