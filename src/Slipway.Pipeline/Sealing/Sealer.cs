using System.Collections.Immutable;
using System.Diagnostics;
using Slipway.Documents.Bundles;
using Slipway.Documents.Specs;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;
using Slipway.Store.Archives;
using Slipway.Store.Content;
using Slipway.Store.Oci;
using Slipway.Trust.Verification;

namespace Slipway.Pipeline.Sealing;

/// <summary>Makes a bundle out of what a run gave. Its digest depends on content alone.</summary>
/// <remarks>
/// Format: docs/format. Idempotent: the same request gives the same blobs and manifest. Every blob is durable before the layout's
/// index names the manifest, so a crash leaves either no bundle or all of it.
/// </remarks>
internal static class Sealer
{
    /// <exception cref="SlipwayException">
    /// Exit 2: no model in the spec, a file that no longer has its digest, outputs that contradict each other. Exit 3: no space, no permission.
    /// </exception>
    public static SealedBundle Seal(SealRequest request, OciLayout layout, CancellationToken cancellation = default)
    {
        var model = request.Spec.Model
            ?? throw Unusable("model-unspecified", "the spec names no model, so there is nothing to seal", "add `model:` to the spec");
        RequireModel(request, model);

        var documents = Documents(request);
        if (documents.FindContradictions() is { IsEmpty: false } contradictions)
            throw new UnreachableException("the documents to seal contradict each other: " + string.Join("; ", contradictions));
        using var writing = layout.BeginWriting(cancellation);
        var layers = new List<OciDescriptor> { ModelLayer(request, model, layout, cancellation) };
        if (!request.Code.IsEmpty)
            layers.Add(CodeLayer(request, layout, cancellation));
        layers.Add(DocumentLayer(documents, request.Spec, layout, cancellation));

        var config = layout.AddBlob(Config(documents.Spec, layers).ToBytes()).As(ModelPack.ConfigType);
        var manifest = new OciManifest(2, config, [.. layers], OciManifest.ManifestMediaType, ModelPack.ManifestType);
        var entry = layout.PutManifest(manifest, request.Spec.Name, cancellation);
        return new SealedBundle(entry.Digest, entry.Size + manifest.Blobs.Sum(blob => blob.Size), request.Spec.Name);
    }

    /// <summary>The documents of the bundle that <see cref="Seal"/> would make.</summary>
    public static BundleDocuments Documents(SealRequest request) => new(
        request.Spec.ForSeal(),
        request.Lock,
        request.Snapshots.ToImmutableSortedDictionary(snapshot => snapshot.Name, snapshot => snapshot, StringComparer.Ordinal),
        request.Lock.Environments,
        request.Spec.Hardware,
        request.Lineage,
        request.Rerun,
        request.Evaluation,
        request.Replicates,
        request.Curves,
        request.Spec.Model!.Signature,
        request.Reference);

    private static OciDescriptor ModelLayer(SealRequest request, ModelSpec model, OciLayout layout, CancellationToken cancellation)
    {
        if (IsFolder(request.Spec, model))
            return Archive(LayerKind.Weight, BundlePaths.Model, request.Model, request.Spec, layout, cancellation);

        var file = request.Model[0];
        var layer = new OciDescriptor(ModelPack.LayerType(LayerKind.Weight, isArchive: false), file.Digest, file.Size, null, At($"{BundlePaths.Model}/{file.Path}"));
        return layout.AdoptBlob(new StoredBlob(file.Digest, file.Size), file.Source, cancellation) switch
        {
            BlobState.Intact => layer,
            BlobState.Missing => throw Changed(file, "is not there"),
            _ => throw Changed(file, $"no longer has the digest {file.Digest}"),
        };
    }

    private static OciDescriptor CodeLayer(SealRequest request, OciLayout layout, CancellationToken cancellation) =>
        Archive(LayerKind.Code, BundlePaths.Code, request.Code, request.Spec, layout, cancellation);

    private static OciDescriptor Archive(LayerKind kind, string path, ImmutableArray<SealFile> files, Spec spec, OciLayout layout, CancellationToken cancellation)
    {
        var entries = files.Select(file => new ArchiveEntry($"{path}/{file.Path}", file.Executable, file.Source) { Expected = file.Digest }).ToList();
        return Archive(kind, path, entries, spec, layout, cancellation);
    }

    private static OciDescriptor DocumentLayer(BundleDocuments documents, Spec spec, OciLayout layout, CancellationToken cancellation)
    {
        var entries = documents.ToFiles().Select(file => ArchiveEntry.OfBytes($"{ModelPack.DocumentsPath}/{file.Key}", file.Value)).ToList();
        return Archive(LayerKind.Doc, ModelPack.DocumentsPath, entries, spec, layout, cancellation);
    }

    private static OciDescriptor Archive(LayerKind kind, string path, List<ArchiveEntry> entries, Spec spec, OciLayout layout, CancellationToken cancellation) =>
        layout.AddBlob(output => DeterministicTar.Write(output, entries, spec.Determinism.Epoch, cancellation)).As(ModelPack.LayerType(kind, isArchive: true), At(path));

    private static ImmutableSortedDictionary<string, string> At(string path) =>
        ImmutableSortedDictionary.Create<string, string>(StringComparer.Ordinal).Add(ModelPack.PathAnnotation, path);

    private static ModelPackConfig Config(Spec spec, List<OciDescriptor> layers) => new(
        new ModelDescriptor(Name: spec.Name, Licenses: spec.License is { } license ? [license] : null),
        new ModelConfig(Format: spec.Model!.Runtime.IsOnnx ? "onnx" : null),
        new ModelFs(ModelFs.Layers, [.. layers.Select(layer => layer.Digest)]));

    /// <summary>What is handed in as the model must be what the lineage says came out of its stage.</summary>
    private static void RequireModel(SealRequest request, ModelSpec model)
    {
        var isFolder = IsFolder(request.Spec, model);
        if (request.Model.IsEmpty || !isFolder && request.Model.Length > 1)
            throw Unusable("model-empty", $"the model {model.Artifact} has {request.Model.Length} files, expected {(isFolder ? "at least one" : "one")}", "look at what its stage writes");
        var found = isFolder
            ? FileTree.Of(request.Model.Select(file => new FileTreeEntry(file.Path, file.Executable, file.Size, file.Digest))).Digest
            : request.Model[0].Digest;
        var made = Output(request, model.Artifact);
        if (made != found)
            throw Unusable("model-contradicts-lineage", $"the model {model.Artifact} is {found}, and its stage gave {(made is null ? "nothing of that name" : made)}", "run the pipeline again");
    }

    private static Digest? Output(SealRequest request, string reference)
    {
        foreach (var stage in request.Lineage.Stages)
        {
            foreach (var (name, digest) in stage.Outputs)
            {
                if (reference == $"{stage.Name}.{name}")
                    return digest;
            }
        }

        return null;
    }

    private static bool IsFolder(Spec spec, ModelSpec model) =>
        spec.PathOf(model.Artifact)?.EndsWith('/')
        ?? throw Unusable("model-unspecified", $"the model is '{model.Artifact}', and no stage has such an output", "write `artifact: stage.output`");

    private static SlipwayException Changed(SealFile file, string finding) =>
        new(ExitCode.UnusableInput, new Fault("seal-source-changed", $"{file.Source} {finding}", file.Source, Help: "let nothing write to it, and run again"));

    private static SlipwayException Unusable(string code, string message, string help) =>
        new(ExitCode.UnusableInput, new Fault(code, message, Help: help));
}
