using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using Slipway.Primitives.Bytes;
using Slipway.Store.Archives;
using Slipway.Store.Oci;
using Slipway.Tests.Store.Archives;
using Slipway.Trust.Attestations;
using Slipway.Trust.Signing;
using Slipway.Trust.Verification;

namespace Slipway.Tests.Trust.Verification;

/// <summary>A small signed bundle in a layout of its own, and the ways to tamper with it.</summary>
public sealed class Sealed : IDisposable
{
    public const string PredicateType = "https://slsa.dev/provenance/v1";

    private readonly ScratchFolder scratch = new();

    public Sealed(Func<OciManifest, OciManifest>? shape = null, Func<OciLayout, OciDescriptor>? code = null)
    {
        Layout = OciLayout.Create(scratch["layout"]);
        Code = code?.Invoke(Layout) ?? Tar(LayerKind.Code, "code", DeterministicTarTests.Text("code/serve.py", "print()") with { Executable = true });
        Weight = Layout.AddBlob(Encoding.ASCII.GetBytes("weights")).As(ModelPack.LayerType(LayerKind.Weight, isArchive: false), At("model/model.onnx"));
        Documents = Tar(LayerKind.Doc, "slipway", DeterministicTarTests.Text("slipway/spec.json", "{}"), DeterministicTarTests.Text("slipway/data/flights.json", "[]"));
        var manifest = new OciManifest(
            2,
            Layout.AddBlob("""{"config":{},"descriptor":{},"modelfs":{}}"""u8).As(ModelPack.ConfigType),
            [Weight, Code, Documents],
            OciManifest.ManifestMediaType,
            ModelPack.ManifestType);
        Manifest = shape?.Invoke(manifest) ?? manifest;
        Digest = Layout.PutManifest(Manifest, "latest", Stop).Digest;
    }

    public static CancellationToken Stop => TestContext.Current.CancellationToken;

    public SigningKey Key { get; } = SigningKey.Create();

    public OciLayout Layout { get; }

    public OciManifest Manifest { get; }

    public Digest Digest { get; }

    public OciDescriptor Weight { get; }

    public OciDescriptor Code { get; }

    public OciDescriptor Documents { get; }

    public static ImmutableSortedDictionary<string, string> At(string path) =>
        ImmutableSortedDictionary<string, string>.Empty.Add(ModelPack.PathAnnotation, path);

    public static Statement About(Digest digest, string predicate = "{}") =>
        Statement.About(digest, "a model", PredicateType, JsonDocument.Parse(predicate).RootElement);

    public OciDescriptor Tar(LayerKind kind, string path, params ArchiveEntry[] entries) =>
        Layout.AddBlob(output => DeterministicTar.Write(output, entries, 0, Stop)).As(ModelPack.LayerType(kind, isArchive: true), At(path));

    public Sealed Signed()
    {
        Sign(Key);
        return this;
    }

    public OciDescriptor Sign(SigningKey key, string predicate = "{}") => Attestation.Attach(Layout, Digest, About(Digest, predicate), key, Stop);

    /// <summary>Attaches an attestation of any content, as a tool without our checks could.</summary>
    public OciDescriptor Attach(byte[] bundle, string? type = null) => Layout.PutManifest(
        new OciManifest(
            2,
            Layout.AddBlob("{}"u8).As(OciManifest.EmptyMediaType),
            [Layout.AddBlob(bundle).As(SigstoreBundle.V03)],
            OciManifest.ManifestMediaType,
            type ?? SigstoreBundle.V03,
            Layout.Find(Digest)! with { Annotations = null, ArtifactType = null }),
        cancellation: Stop);

    public VerificationResult Verify(params SigningKey[] trusted) =>
        BundleVerifier.Verify(Layout, Digest, KeyRing.Of(trusted.Length == 0 ? [Key.PublicKey] : trusted.Select(key => key.PublicKey)), Stop);

    public string Path(Digest blob) => scratch[$"layout/blobs/sha256/{blob.Hex}"];

    public string Scratch(string name) => scratch[name];

    public void Flip(Digest blob, int at = 0)
    {
        var bytes = File.ReadAllBytes(Path(blob));
        bytes[at] ^= 1;
        File.WriteAllBytes(Path(blob), bytes);
    }

    public void Dispose()
    {
        Key.Dispose();
        scratch.Dispose();
    }
}
