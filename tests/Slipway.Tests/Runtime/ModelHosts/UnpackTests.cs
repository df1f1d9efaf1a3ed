using Slipway.Pipeline.Sealing;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;
using Slipway.Runtime.ModelHosts;
using Slipway.Runtime.Tensors;
using Slipway.Tests.Pipeline.Sealing;

namespace Slipway.Tests.Runtime.ModelHosts;

public sealed class UnpackTests : IDisposable
{
    private const string Script = """
        import os, slipway_predict
        weights = open(os.path.join(os.environ["SLIPWAY_MODEL"], "weights.bin")).read()
        assert os.path.exists("pipeline/train.py")
        def predict(inputs):
            return {"probability": [[len(weights) / 10] for row in inputs["distance"]]}
        slipway_predict.serve(predict)
        """;

    private readonly string folder = Directory.CreateTempSubdirectory("slipway-unpack-").FullName;
    private readonly SealedSample sample;

    public UnpackTests() => sample = new SealedSample(folder);

    public void Dispose()
    {
        sample.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task A_sealed_and_verified_bundle_with_a_process_answers()
    {
        var run = SampleRun.In(folder, isFolder: true);
        var predict = Path.Combine(folder, "predict.py");
        File.WriteAllText(predict, Script);
        run = run with { Code = [new SealFile("serve/predict.py", false, new FileInfo(predict).Length, Digest.Of(File.ReadAllBytes(predict)), predict), run.Code[1]] };
        var bundle = sample.SealAndVerify(run);
        var model = HostedModel.Unpack(bundle, Path.Combine(folder, "unpacked"), Cancellation);
        Assert.Equal(("flight-delay", bundle.Digest, bundle.Digest.Hex[..12]), (model.Name, model.Bundle, model.Version));
        Assert.Equal((Path.Combine(folder, "unpacked", "code"), Path.Combine(folder, "unpacked", "model")), (model.Folder, model.ModelPath));

        await using var host = await ModelHost.StartAsync(model, new HostOptions { StateFolder = Path.Combine(folder, "state") }, Cancellation);
        await host.WaitUntilReadyAsync(Cancellation);
        using var inputs = TensorSet.ForInputs(model.Signature);
        using var outputs = TensorSet.ForOutputs(model.Signature);
        HostedModels.Fill<float>(inputs.Tensors[0], [1, 2], 2, 1);
        Assert.Equal(Prediction.Done, await host.PredictAsync(inputs, outputs, Cancellation));
        Assert.Equal([0.7f, 0.7f], outputs.Tensors[0].Values<float>().ToArray());
    }

    [Fact]
    public async Task A_bundle_that_names_onnx_is_loaded_as_onnx()
    {
        var model = HostedModel.Unpack(sample.SealAndVerify(SampleRun.In(folder)), Path.Combine(folder, "unpacked"), Cancellation);
        Assert.Equal(Path.Combine(folder, "unpacked", "model", "model.onnx"), model.ModelPath);
        var e = await Assert.ThrowsAsync<SlipwayException>(() => ModelHost.StartAsync(model, new HostOptions { StateFolder = Path.Combine(folder, "state") }, Cancellation));
        Assert.Equal("not-onnx", Assert.Single(e.Faults).Code);
    }

    [Fact]
    public void A_taken_folder_is_left_alone()
    {
        var bundle = sample.SealAndVerify(SampleRun.In(folder));
        var taken = Directory.CreateDirectory(Path.Combine(folder, "taken")).FullName;
        File.WriteAllText(Path.Combine(taken, "mine"), "");
        Assert.Equal("folder-taken", Assert.Throws<SlipwayException>(() => HostedModel.Unpack(bundle, taken, Cancellation)).Faults[0].Code);
        Assert.Single(Directory.EnumerateFileSystemEntries(taken));
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;
}
