using Slipway.Documents.Serving;
using Slipway.Documents.Specs;
using Slipway.Primitives.Bytes;

namespace Slipway.Runtime.ModelHosts;

/// <summary>A verified bundle, unpacked, and what its own documents say of the model: the only thing that a host takes.</summary>
public sealed class HostedModel
{
    internal HostedModel(string name, Digest bundle, string folder, string modelPath, ModelSignature signature, RuntimeSpec runtime) =>
        (Name, Bundle, Folder, ModelPath, Signature, Runtime) = (name, bundle, folder, modelPath, signature, runtime);

    /// <summary>The spec's name.</summary>
    public string Name { get; }

    /// <summary>The bundle's manifest digest.</summary>
    public Digest Bundle { get; }

    /// <summary>For clients that ask by version: the first 12 hex digits of the bundle's digest.</summary>
    public string Version => Bundle.Short;

    /// <summary>The unpacked bundle's root: weights and code at their paths.</summary>
    public string Folder { get; }

    /// <summary>The model artifact, a file or a folder; absolute.</summary>
    public string ModelPath { get; }

    public ModelSignature Signature { get; }

    public RuntimeSpec Runtime { get; }
}
