using System.Collections.Immutable;
using Slipway.Documents.Lineage;
using Slipway.Documents.Rollouts;
using Slipway.Documents.Serving;
using Slipway.Documents.Specs;
using Slipway.Pipeline.Sealing;
using Slipway.Primitives.Bytes;
using Slipway.Store.Oci;
using Slipway.Tests.Engines.OnnxRuntime;
using Slipway.Tests.Pipeline.Sealing;
using Slipway.Tests.Runtime.ModelHosts;
using Slipway.Trust.Attestations;
using Slipway.Trust.Signing;

namespace Slipway.Tests.Gateway.Control;

/// <summary>Real bundles of real models, sealed and signed into a layout as a server has them.</summary>
internal sealed class SealedModels : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("slipway-sealed-").FullName;
    private readonly SealedSample sample;
    private int count;

    public SealedModels() => sample = new SealedSample(folder);

    public OciLayout Layout => sample.Layout;

    public KeyRing Keys => KeyRing.Of(sample.Key.PublicKey);

    public void Dispose()
    {
        sample.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    /// <summary>The flight model in ONNX; each call another bundle.</summary>
    public VersionRef Onnx(int number, string model = "flight-delay", string vector = "late", ModelSignature? signature = null) =>
        Seal(number, model, File.ReadAllBytes(OnnxModelTests.PathOf(vector)), signature ?? HostedModels.Late, null, "");

    /// <summary>A Python file behind the shim; each call another bundle.</summary>
    public VersionRef Process(int number, string script, string model = "flight-delay") =>
        Seal(number, model, "0.25"u8.ToArray(), HostedModels.Late, ["python3", "-m", "slipway_predict", "serve/predict.py"], script);

    /// <summary>Signed by somebody whom the gateway does not know.</summary>
    public VersionRef Strange(int number)
    {
        using var stranger = SigningKey.Create();
        return Seal(number, "flight-delay", File.ReadAllBytes(OnnxModelTests.PathOf("late")), HostedModels.Late, null, "", stranger);
    }

    private VersionRef Seal(int number, string model, byte[] bytes, ModelSignature signature, ImmutableArray<string>? command, string script, SigningKey? signer = null)
    {
        var place = Directory.CreateDirectory(Path.Combine(folder, $"source{++count}")).FullName;
        var run = SampleRun.In(place);
        var weights = File_(place, "model.onnx", bytes, "model.onnx");
        var predict = File_(place, "predict.py", System.Text.Encoding.UTF8.GetBytes($"# {count}\n{script}"), "serve/predict.py");
        var lineage = new LineageGraph(
        [
            run.Lineage.Stages[0] with { Outputs = SampleRun.Map(("model", weights.Digest)) },
            run.Lineage.Stages[1] with { Inputs = SampleRun.Map(("fit.model", weights.Digest)) },
        ]);
        var spec = run.Spec with
        {
            Name = model,
            Model = run.Spec.Model! with { Signature = signature, Runtime = new RuntimeSpec(command, [new StageInput(InputKind.Path, "serve/predict.py")], command is null ? null : "py") },
        };
        var request = SampleRun.Keyed(run with { Spec = spec, Model = [weights], Code = [predict, run.Code[1]], Lineage = lineage });
        var sealedBundle = Sealer.Seal(request, Layout, TestContext.Current.CancellationToken);
        Attestation.Attach(Layout, sealedBundle.Digest, SealedSample.Origin(sealedBundle.Digest, Sealer.Documents(request)), signer ?? sample.Key, TestContext.Current.CancellationToken);
        return new VersionRef(number, sealedBundle.Digest);
    }

    private static SealFile File_(string folder, string name, byte[] bytes, string path)
    {
        var source = Path.Combine(folder, name);
        File.WriteAllBytes(source, bytes);
        return new SealFile(path, false, bytes.Length, Digest.Of(bytes), source);
    }
}
