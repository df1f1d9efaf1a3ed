using System.Collections.Immutable;
using Slipway.Documents.Bundles;
using Slipway.Documents.Runs;
using Slipway.Pipeline.Sealing;
using Slipway.Primitives.Bytes;
using Slipway.Store.Archives;
using Slipway.Store.Oci;
using Slipway.Trust.Attestations;
using Slipway.Trust.Signing;
using Slipway.Trust.Verification;

namespace Slipway.Tests.Pipeline.Sealing;

/// <summary>A layout with a key that signs whatever a test wants, so that only the documents stand between a forgery and a host.</summary>
internal sealed class SealedSample(string folder) : IDisposable
{
    private readonly SigningKey key = SigningKey.Create();

    public OciLayout Layout { get; } = OciLayout.Create(Path.Combine(folder, "bundles"));

    public SigningKey Key => key;

    public void Dispose() => key.Dispose();

    public VerifiedBundle SealAndVerify(SealRequest request)
    {
        var bundle = Sealer.Seal(request, Layout, TestContext.Current.CancellationToken);
        return Verify(bundle.Digest, Sealer.Documents(request));
    }

    public VerifiedBundle Verify(Digest manifest, BundleDocuments documents, params Statement[] more)
    {
        foreach (var statement in more.Prepend(Origin(manifest, documents)))
            Attestation.Attach(Layout, manifest, statement, key, TestContext.Current.CancellationToken);
        return BundleVerifier.Verify(Layout, manifest, KeyRing.Of(key.PublicKey), TestContext.Current.CancellationToken).Require();
    }

    /// <summary>The bundle of a request with other documents, config or layers in it, signed nevertheless.</summary>
    public BundleReading ReadForged(
        SealRequest request,
        Func<ImmutableSortedDictionary<string, byte[]>, ImmutableSortedDictionary<string, byte[]>>? files = null,
        Func<ModelPackConfig, ModelPackConfig>? config = null,
        Func<OciDescriptor, OciDescriptor>? model = null)
    {
        var honest = OciManifest.Parse(Layout.ReadBlob(Sealer.Seal(request, Layout).Digest, OciManifest.MaxBytes).Bytes);
        var documents = Sealer.Documents(request).ToFiles();
        var entries = (files?.Invoke(documents) ?? documents).Select(file => ArchiveEntry.OfBytes("slipway/" + file.Key, file.Value)).ToList();
        var doc = Layout.AddBlob(output => DeterministicTar.Write(output, entries, 0)).As(honest.Layers[^1].MediaType, honest.Layers[^1].Annotations);
        ImmutableArray<OciDescriptor> layers = [model?.Invoke(honest.Layers[0]) ?? honest.Layers[0], .. honest.Layers[1..^1], doc];

        var read = ModelPackConfig.Parse(Layout.ReadBlob(honest.Config.Digest, OciManifest.MaxBytes).Bytes);
        read = read with { ModelFs = read.ModelFs with { DiffIds = [.. layers.Select(layer => layer.Digest)] } };
        var forged = honest with { Layers = layers, Config = Layout.AddBlob((config?.Invoke(read) ?? read).ToBytes()).As(ModelPack.ConfigType) };
        return BundleDocuments.Read(Verify(Layout.PutManifest(forged).Digest, Sealer.Documents(request)), TestContext.Current.CancellationToken);
    }

    public static Statement Origin(Digest bundle, BundleDocuments documents, Isolation isolation = Isolation.None) =>
        new Provenance(bundle, documents, [], null, "https://example.org/builder", "0.1.0", "run-1", SampleRun.Noon, SampleRun.Noon, [new StageMeasurement("fit", false, 1, null, isolation)]).ToStatement();
}
