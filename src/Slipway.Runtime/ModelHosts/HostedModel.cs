using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Diagnostics;
using Slipway.Documents.Bundles;
using Slipway.Documents.Monitoring;
using Slipway.Documents.Serving;
using Slipway.Documents.Specs;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;
using Slipway.Trust.Verification;

namespace Slipway.Runtime.ModelHosts;

/// <summary>A verified bundle, unpacked, and what its own documents say of the model: the only thing that a host takes.</summary>
public sealed class HostedModel
{
    internal HostedModel(string name, Digest bundle, string folder, string modelPath, ModelSignature signature, RuntimeSpec runtime) =>
        (Name, Bundle, Folder, ModelPath, Signature, Runtime) = (name, bundle, folder, modelPath, signature, runtime);

    /// <summary>Unpacks a verified bundle whose documents agree with each other and with its layers.</summary>
    /// <param name="folder">Must not be there, or be empty; the model is served from it, so it must stay as it is.</param>
    /// <exception cref="SlipwayException">The documents contradict each other, or a blob changed since it was verified (exit 1); the folder is taken (exit 2); no space, no permission (exit 3).</exception>
    public static HostedModel Unpack(VerifiedBundle bundle, string folder, CancellationToken cancellation)
    {
        var documents = BundleDocuments.Read(bundle, cancellation).Require();
        var spec = documents.Spec;
        var model = spec.Model ?? throw new UnreachableException("documents that were read name a model");
        var root = Path.GetFullPath(folder);
        bundle.Unpack(root, cancellation);
        var code = Path.Combine(root, BundlePaths.Code);
        return new HostedModel(
            spec.Name, bundle.Digest, Directory.Exists(code) ? code : root, Path.Combine(root, BundlePaths.ModelOf(bundle)), model.Signature, model.Runtime)
        {
            Reference = documents.Reference,
            Sensitive = Sensitives(spec, model.Signature.Inputs, isOutput: false).Concat(Sensitives(spec, model.Signature.Outputs, isOutput: true)).ToFrozenSet(StringComparer.Ordinal),
        };
    }

    /// <summary>The spec's name.</summary>
    public string Name { get; }

    /// <summary>The bundle's manifest digest.</summary>
    public Digest Bundle { get; }

    /// <summary>For clients that ask by version: the first 12 hex digits of the bundle's digest.</summary>
    public string Version => Bundle.Short;

    /// <summary>Where a served command runs: the unpacked code, at its paths in the project; absolute.</summary>
    public string Folder { get; }

    /// <summary>The model artifact, a file or a folder; absolute.</summary>
    public string ModelPath { get; }

    public ModelSignature Signature { get; }

    public RuntimeSpec Runtime { get; }

    /// <summary>What its inputs and outputs looked like when it was sealed; null where its spec names no reference.</summary>
    public ReferenceProfile? Reference { get; internal init; }

    /// <summary>Whether values of an input or output could be a person's, as the spec says of its data.</summary>
    public bool IsSensitive(string name) => Sensitive.Contains(name);

    internal FrozenSet<string> Sensitive { get; init; } = [];

    private static IEnumerable<string> Sensitives(Spec spec, ImmutableArray<TensorSpec> tensors, bool isOutput) =>
        tensors.Select(tensor => tensor.Name).Where(name => spec.SensitivityOf(name, isOutput) == Sensitivity.Sensitive);
}
