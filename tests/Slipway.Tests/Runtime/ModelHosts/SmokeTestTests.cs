using Slipway.Documents.Serving;
using Slipway.Documents.Specs;
using Slipway.Primitives.Faults;
using Slipway.Runtime.ModelHosts;
using Slipway.Runtime.Tensors;

namespace Slipway.Tests.Runtime.ModelHosts;

public sealed class SmokeTestTests : IDisposable
{
    private const string Good = "def predict(inputs):\n    return {'probability': [[min(1.0, row[0] / 6000)] for row in inputs['distance']]}\n";

    private readonly HostedModels models = new();

    public void Dispose() => models.Dispose();

    [Fact]
    public async Task A_model_that_keeps_to_its_signature_answers_its_edges_and_refuses_what_is_outside()
    {
        var results = await Try(Good);
        Assert.All(results, result => Assert.Null(result.Reason));
        Assert.Equal(
            [
                "1 row, every input at its smallest", "1 row, every input in the middle", "1 row, every input at its largest", "3 rows: smallest, middle and largest",
                "distance at its smallest, the others in the middle", "distance at its largest, the others in the middle",
                "hour at its smallest, the others in the middle", "hour at its largest, the others in the middle",
            ],
            results.Where(result => result.Verdict == SmokeVerdict.Answered).Select(result => result.Request));
        Assert.Equal(
            ["refused without distance", "refused without hour", "refused with distance of another type", "refused with distance out of range: 6006", "refused with hour of another type", "refused with hour out of range: 24"],
            results.Where(result => result.Verdict == SmokeVerdict.Refused).Select(result => result.Request));
    }

    [Theory]
    [InlineData("return {'probability': [[row[0] / 5000] for row in inputs['distance']]}", "1 row, every input at its largest", "allowed 0 to 1")]
    [InlineData("return {'probability': [[0.5] for row in inputs['distance'][:2]]}", "3 rows: smallest, middle and largest", "2 rows for 3")]
    [InlineData("return {'probability': [[0.5 if inputs['hour'][0][0] < 23 else float('nan')]] * len(inputs['hour'])}", "hour at its largest, the others in the middle", "")]
    [InlineData("return {'probabilty': [[0.5]]}", "1 row, every input in the middle", "probabilty")]
    [InlineData("return {'probability': [[1 / inputs['hour'][0][0]]] * len(inputs['hour'])}", "hour at its smallest, the others in the middle", "")]
    public async Task A_model_that_breaks_it_is_told_with_the_request(string body, string request, string reason)
    {
        var results = await Try($"def predict(inputs):\n    {body}\n");
        var found = results.Single(result => result.Request == request);
        Assert.Equal(SmokeVerdict.Failed, found.Verdict);
        Assert.Contains(reason, found.Reason);
    }

    [Fact]
    public async Task A_process_that_ends_is_a_failure_even_where_a_refusal_would_not_be()
    {
        var signature = HostedModels.Late with { Inputs = [.. HostedModels.Late.Inputs.Select(input => input with { Range = null })] };
        var ended = await Try("import os\ndef predict(inputs):\n    os._exit(3)\n", signature);
        Assert.Equal(SmokeVerdict.Failed, ended[0].Verdict);
        Assert.Contains("exited with 3", ended[0].Reason);
        var refused = await Try("def predict(inputs):\n    raise ValueError('no such place')\n", signature);
        Assert.Equal(SmokeVerdict.Inconclusive, refused[0].Verdict);
    }

    [Fact]
    public async Task An_ONNX_model_is_tried_as_it_is_served()
    {
        var model = models.Onnx("late", HostedModels.Late);
        var results = await SmokeTest.RunAsync(new TrialModel(model.Name, model.Bundle, model.Folder, model.ModelPath, model.Signature, model.Runtime), models.Options, TestContext.Current.CancellationToken);
        Assert.All(results, result => Assert.True(result.Verdict is SmokeVerdict.Answered or SmokeVerdict.Refused, $"{result.Request}: {result.Reason}"));
    }

    [Fact]
    public async Task A_model_that_does_not_start_is_told_by_its_log()
    {
        var e = await Assert.ThrowsAsync<SlipwayException>(() => Try("import nothing_of_that_name\n"));
        Assert.Contains("nothing_of_that_name", e.Message);
    }

    [Theory]
    [InlineData(Datatype.Bool)]
    [InlineData(Datatype.String)]
    [InlineData(Datatype.UInt8)]
    [InlineData(Datatype.Int8)]
    [InlineData(Datatype.UInt16)]
    [InlineData(Datatype.Int16)]
    [InlineData(Datatype.UInt32)]
    [InlineData(Datatype.Int32)]
    [InlineData(Datatype.UInt64)]
    [InlineData(Datatype.Int64)]
    [InlineData(Datatype.Float32)]
    [InlineData(Datatype.Float64)]
    public void Every_request_is_allowed_or_forbidden_as_it_says(Datatype datatype)
    {
        var range = datatype is Datatype.Bool or Datatype.String ? null : new ValueRange(1, 100);
        var signature = new ModelSignature([new TensorSpec("x", datatype, [-1, 2, -1], range, null), new TensorSpec("y", Datatype.Float32, [-1], new ValueRange(-0.1, 0.1), null)], HostedModels.Late.Outputs);
        foreach (var (name, fill) in SmokeRequests.Allowed(signature))
        {
            using var set = TensorSet.ForInputs(signature);
            fill(set);
            Assert.True(set.Check() is null, name);
            Assert.Equal(name.StartsWith("3 rows") ? 3 : 1, set.Batch);
        }

        Assert.All(SmokeRequests.Forbidden(signature), forbidden => Assert.NotNull(forbidden.Refusal()));
        Assert.Equal(range is null ? 5 : 6, SmokeRequests.Forbidden(signature).Count());
    }

    private Task<System.Collections.Immutable.ImmutableArray<SmokeResult>> Try(string script, ModelSignature? signature = null)
    {
        var model = models.Predict(script, signature);
        return SmokeTest.RunAsync(new TrialModel(model.Name, model.Bundle, model.Folder, model.ModelPath, model.Signature, model.Runtime), models.Options, TestContext.Current.CancellationToken);
    }
}
