using Slipway.Documents.Serving;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;
using Slipway.Runtime.ModelHosts;
using Slipway.Runtime.Tensors;

namespace Slipway.Tests.Runtime.ModelHosts;

public sealed class OnnxHostTests : IDisposable
{
    private readonly HostedModels models = new();

    public void Dispose() => models.Dispose();

    [Fact]
    public async Task Answers_are_those_of_numpy_and_only_the_signatures_outputs_are_computed()
    {
        await using var host = await Start(models.Onnx("late", HostedModels.Late));
        Assert.Null(host.NotReady);
        await host.WaitUntilReadyAsync(Cancellation);
        var (distance, hour, expected) = HostedModels.Reference();
        using var inputs = TensorSet.ForInputs(HostedModels.Late);
        using var outputs = TensorSet.ForOutputs(HostedModels.Late);
        HostedModels.Fill(inputs.Tensors[0], distance, 4, 1);
        HostedModels.Fill(inputs.Tensors[1], hour, 4, 1);
        var prediction = await host.PredictAsync(inputs, outputs, Cancellation);
        Assert.Equal(new Prediction(PredictionStatus.Done, null), prediction);
        Assert.Equal([4, 1], outputs.Tensors[0].Shape.ToArray());
        var found = outputs.Tensors[0].Values<float>().ToArray();
        Assert.All(expected, (value, i) => Assert.Equal(value, found[i], 6e-7));
    }

    [Fact]
    public async Task A_file_that_is_no_onnx_is_refused()
    {
        var model = models.Onnx("late", HostedModels.Late);
        File.WriteAllText(model.ModelPath, "not a model");
        var fault = await Refused(model);
        Assert.Equal(("not-onnx", "model.onnx"), (fault.Code, fault.File));

        File.Delete(model.ModelPath);
        Assert.Equal("not-onnx", (await Refused(model)).Code);
    }

    [Fact]
    public async Task A_signature_that_does_not_match_the_model_is_refused_with_every_difference()
    {
        var signature = new ModelSignature(
            [new TensorSpec("distanse", Datatype.Float32, [-1, 1], null, null), new TensorSpec("hour", Datatype.Int32, [-1, 1], null, null)],
            [new TensorSpec("probability", Datatype.Float32, [-1], null, null)]);
        var e = await Assert.ThrowsAsync<SlipwayException>(() => Start(models.Onnx("late", signature)));
        Assert.Equal(ExitCode.UnusableInput, e.Exit);
        Assert.All(e.Faults, fault => Assert.Equal("signature-mismatch", fault.Code));
        Assert.Equal(
            [
                "the signature's input 'distanse' is none of the model's, which are 'distance', 'hour'; did you mean 'distance'?",
                "input 'hour' is Int32 [-1, 1] in the signature, and Int64 [-1, 1] in the model",
                "output 'probability' is Float32 [-1] in the signature, and Float32 [-1, 1] in the model",
                "the model also needs input 'distance' (Float32 [-1, 1]), which the signature does not have",
            ],
            e.Faults.Select(fault => fault.Message));
    }

    [Fact]
    public async Task A_promise_of_any_batch_and_an_output_that_is_no_tensor_are_refused()
    {
        var x = new TensorSpec("x", Datatype.Float32, [1, 3], null, null);
        var y = new TensorSpec("y", Datatype.Float32, [1, 3], null, null);
        await (await Start(models.Onnx("odd", new ModelSignature([x], [y])))).DisposeAsync();
        Assert.Contains("[-1, 3] in the signature, and Float32 [1, 3]", (await Refused(models.Onnx("odd", new ModelSignature([x with { Shape = [-1, 3] }], [y])))).Message);
        Assert.Contains("sequence or map", (await Refused(models.Onnx("odd", new ModelSignature([x], [y with { Name = "bag" }])))).Message);
    }

    [Fact]
    public async Task A_model_that_fails_on_values_that_its_signature_allows_is_refused()
    {
        var signature = new ModelSignature([new TensorSpec("index", Datatype.Int64, [-1], new ValueRange(7, 9), null)], [new TensorSpec("picked", Datatype.Float32, [-1], null, null)]);
        Assert.Equal("model-fails", (await Refused(models.Onnx("pick", signature))).Code);
        await using var host = await Start(models.Onnx("pick", signature with { Inputs = [signature.Inputs[0] with { Range = new ValueRange(0, 9) }] }));
        using var inputs = TensorSet.ForInputs(host.Model.Signature);
        using var outputs = TensorSet.ForOutputs(host.Model.Signature);
        HostedModels.Fill<long>(inputs.Tensors[0], [5], 1);
        var prediction = await host.PredictAsync(inputs, outputs, Cancellation);
        Assert.Equal(PredictionStatus.Failed, prediction.Status);
        Assert.StartsWith("the model failed on this request: ", prediction.Reason);
    }

    [Fact]
    public async Task An_answer_that_breaks_the_signature_is_nonsense()
    {
        var signature = new ModelSignature([new TensorSpec("x", Datatype.Float32, [-1], null, null)], [new TensorSpec("y", Datatype.Float32, [-1], null, null)]);
        await using var host = await Start(models.Onnx("ratio", signature));
        using var inputs = TensorSet.ForInputs(signature);
        using var outputs = TensorSet.ForOutputs(signature);
        HostedModels.Fill<float>(inputs.Tensors[0], [2, 0], 2);
        Assert.Equal(Prediction.InvalidOutput("the model answered nonsense: output 'y': element 1 is NaN, which is no finite number"), await host.PredictAsync(inputs, outputs, Cancellation));
        outputs.Clear();
        HostedModels.Fill<float>(inputs.Tensors[0], [2, 1], 2);
        Assert.Equal(PredictionStatus.Done, (await host.PredictAsync(inputs, outputs, Cancellation)).Status);
    }

    [Fact]
    public async Task A_prediction_that_takes_too_long_is_ended()
    {
        var signature = new ModelSignature([new TensorSpec("steps", Datatype.Int64, [-1, 1], null, null)], [new TensorSpec("left", Datatype.Float32, [1, 1], null, null)]);
        await using var host = await ModelHost.StartAsync(models.Onnx("loop", signature), models.Options with { PredictionLimit = TimeSpan.FromMilliseconds(100) }, Cancellation);
        using var inputs = TensorSet.ForInputs(signature);
        using var outputs = TensorSet.ForOutputs(signature);
        HostedModels.Fill(inputs.Tensors[0], [long.MaxValue], 1, 1);
        Assert.Equal(Prediction.TimedOut("the model did not answer within 0.1 s"), await host.PredictAsync(inputs, outputs, Cancellation));
        Assert.Equal(Prediction.TimedOut("the model did not answer within 0.02 s"), await host.PredictAsync(inputs, outputs, TimeSpan.FromMilliseconds(20), Cancellation));
        Assert.Equal(PredictionStatus.TimedOut, (await host.PredictAsync(inputs, outputs, TimeSpan.FromMilliseconds(-1), Cancellation)).Status);
        HostedModels.Fill(inputs.Tensors[0], [1L], 1, 1);
        Assert.Equal(PredictionStatus.Done, (await host.PredictAsync(inputs, outputs, Cancellation)).Status);
    }

    [Theory]
    [InlineData("kill -SEGV $$", "model-crashes", ExitCode.UnusableInput)]
    [InlineData("echo '{\"exit\":0,\"fau'", "probe-failed", ExitCode.NotThere)]
    [InlineData("true", "probe-failed", ExitCode.NotThere)]
    [InlineData("echo went wrong >&2; exit 3", "probe-failed", ExitCode.NotThere)]
    [InlineData("sleep 60", "model-start-too-slow", ExitCode.UnusableInput)]
    public async Task A_child_that_dies_of_the_model_or_says_nothing_whole_is_no_consent(string child, string code, ExitCode exit)
    {
        var options = models.Options with { Probe = ["/bin/sh", "-c", child], StartLimit = TimeSpan.FromSeconds(code == "model-start-too-slow" ? 0.3 : 30) };
        var e = await Assert.ThrowsAsync<SlipwayException>(() => ModelHost.StartAsync(models.Onnx("late", HostedModels.Late), options, Cancellation));
        Assert.Equal((exit, code), (e.Exit, e.Faults[0].Code));
    }

    [Fact]
    public async Task A_bundle_whose_load_ended_a_process_is_quarantined_until_somebody_lifts_it()
    {
        var model = models.Onnx("late", HostedModels.Late);
        using (var mark = await LoadMark.TakeAsync(models.Options.StateFolder, model, Cancellation))
            mark.Set();     // and the process dies here
        var fault = await Refused(model);
        Assert.Equal("quarantined-bundle", fault.Code);

        var other = HostedModels.Onnx(model.ModelPath, Digest.Of("another"u8), HostedModels.Late);
        await (await Start(other)).DisposeAsync();

        File.Delete(fault.Help!.Split(' ')[^1]);
        await (await Start(model)).DisposeAsync();
        await (await Start(model)).DisposeAsync();      // a load that went well leaves no mark
    }

    [Fact]
    public async Task Many_ask_at_once_and_each_gets_his_own_answer()
    {
        await using var host = await Start(models.Onnx("late", HostedModels.Late));
        var alone = new float[24];
        for (var hour = 0; hour < 24; hour++)
            alone[hour] = (await HostedModels.AskAsync(host, hour)).Answer[0];
        await Parallel.ForAsync(0, 500, Cancellation, async (i, _) => Assert.Equal([alone[i % 24], alone[(i + 5) % 24]], (await HostedModels.AskAsync(host, i % 24, (i + 5) % 24)).Answer));
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private Task<IModelHost> Start(HostedModel model) => ModelHost.StartAsync(model, models.Options, Cancellation);

    private async Task<Fault> Refused(HostedModel model)
    {
        var e = await Assert.ThrowsAsync<SlipwayException>(() => Start(model));
        Assert.Equal(ExitCode.UnusableInput, e.Exit);
        return Assert.Single(e.Faults);
    }
}
