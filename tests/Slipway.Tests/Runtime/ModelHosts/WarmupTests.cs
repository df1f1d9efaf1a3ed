using Slipway.Documents.Serving;
using Slipway.Primitives.Faults;
using Slipway.Runtime.ModelHosts;
using Slipway.Runtime.Tensors;

namespace Slipway.Tests.Runtime.ModelHosts;

public sealed class WarmupTests : IDisposable
{
    private readonly HostedModels models = new();

    public void Dispose() => models.Dispose();

    [Fact]
    public void Generated_requests_keep_to_any_signature()
    {
        Datatype[] numeric = [.. Enum.GetValues<Datatype>().Except([Datatype.String, Datatype.Bool])];
        ValueRange?[] ranges = [null, new(0, 0), new(3.2, 4.1), new(-0.5, 0.5), new(-1e308, 1e308), new(double.MinValue, double.MaxValue), new(100, 127)];
        var specs =
            from datatype in numeric
            from range in ranges
            where range is null || range.Low >= 0 || !datatype.ToString().StartsWith('U')
            where range is not { High: > 1e30 } || datatype is Datatype.Float64
            select new TensorSpec($"{datatype} {range}", datatype, [-1, 2], range, null);
        TensorSpec[] all = [.. specs, new("flag", Datatype.Bool, [-1], null, null), new("word", Datatype.String, [-1, -1], null, null), new("fixed", Datatype.Int8, [3], null, null)];
        var random = new Random(7);
        using var inputs = TensorSet.ForInputs(new ModelSignature([.. all], []));
        for (var rows = 1; rows <= 20; rows++)
        {
            inputs.Clear();
            Warmup.Fill(inputs, rows, random);
            Assert.Null(inputs.Check());
            Assert.Equal(rows, inputs.Batch);
        }
    }

    [Fact]
    public async Task A_model_that_answers_is_warm_and_one_that_never_does_is_refused()
    {
        await WarmAsync("import slipway_predict\nslipway_predict.serve(lambda inputs: {'probability': [[0.5] for row in inputs['distance']]})");
        var e = await Assert.ThrowsAsync<SlipwayException>(() => WarmAsync("import slipway_predict\nslipway_predict.serve(lambda inputs: {'probability': [[2.0] for row in inputs['distance']]})"));
        Assert.Equal((ExitCode.UnusableInput, "model-fails"), (e.Exit, e.Faults[0].Code));
    }

    [Fact]
    public async Task A_model_that_fails_now_and_then_is_left_to_real_traffic()
    {
        await WarmAsync("""
            import slipway_predict
            count = 0
            def predict(inputs):
                global count
                count += 1
                if count % 3: raise ValueError('not this one')
                return {'probability': [[0.5] for row in inputs['distance']]}
            slipway_predict.serve(predict)
            """);
    }

    [Fact]
    public async Task Where_values_are_a_guess_a_refusal_says_nothing()
    {
        var signature = HostedModels.Late with { Inputs = [HostedModels.Late.Inputs[0], HostedModels.Late.Inputs[1] with { Range = null }] };
        await WarmAsync("import slipway_predict\ndef predict(inputs):\n    raise ValueError('no')\nslipway_predict.serve(predict)", signature);
    }

    [Fact]
    public async Task A_process_that_ends_of_a_generated_request_must_be_back_before_others_ask()
    {
        await WarmAsync("""
            import os, slipway_predict
            mark = os.path.join(os.path.dirname(os.environ['SLIPWAY_MODEL']), 'seen')
            def predict(inputs):
                if not os.path.exists(mark):
                    open(mark, 'w').close()
                    os._exit(3)
                return {'probability': [[0.5] for row in inputs['distance']]}
            slipway_predict.serve(predict)
            """);
    }

    private async Task WarmAsync(string script, ModelSignature? signature = null)
    {
        await using var host = await ModelHost.StartAsync(models.Predict(script, signature), models.Options, TestContext.Current.CancellationToken);
        await host.WaitUntilReadyAsync(TestContext.Current.CancellationToken);
        await Warmup.RunAsync(host, models.Options, TestContext.Current.CancellationToken);
        Assert.Null(host.NotReady);
    }
}
