using Slipway.Documents.Incidents;
using Slipway.Documents.Monitoring;
using Slipway.Documents.Rollouts;
using Slipway.Gateway.Sampling;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Units;
using Slipway.Runtime.ModelHosts;
using Slipway.Runtime.Replay;
using Slipway.Runtime.Tensors;
using Slipway.Stats.Sketches;
using Slipway.Tests.Runtime.ModelHosts;

namespace Slipway.Tests.Gateway.Sampling;

public sealed class RequestCaptureTests
{
    private static readonly CaptureRules Everything = new(new Ratio(1), [], [], new Duration(TimeSpan.FromDays(1)));

    private readonly CaptureBuffer buffer = new();

    [Fact]
    public void A_captured_request_reads_back_as_it_was()
    {
        var request = Capture(Everything);
        Assert.Equal(("late", 3, TrafficArm.Candidate, PredictionKey.Of("late", "r1")), (request.Model, request.Version, request.Arm, request.Key));
        Assert.Equal("""[{"name":"distance","datatype":"FP32","shape":[1,1],"data":[733]},{"name":"hour","datatype":"INT64","shape":[1,1],"data":[17]}]""", request.Inputs.GetRawText());
        Assert.Contains("0.25", request.Outputs!.Value.GetRawText(), StringComparison.Ordinal);
        Assert.True(request.Dropped.IsEmpty && request.Masked.IsEmpty);
    }

    [Fact]
    public void A_dropped_input_is_nowhere_and_a_masked_one_is_the_commonest()
    {
        var request = Capture(Everything with { Drop = ["hour"], Mask = ["distance"] });
        Assert.Equal(["hour"], request.Dropped);
        Assert.Equal(["distance"], request.Masked);
        Assert.Equal("""[{"name":"distance","datatype":"FP32","shape":[1,1],"data":[200]}]""", request.Inputs.GetRawText());
    }

    /// <summary>It is written while the caller waits for the answer.</summary>
    [Theory]
    [InlineData(-1e300, float.MinValue)]
    [InlineData(1e300, float.MaxValue)]
    public void A_reference_beyond_the_inputs_type_masks_with_the_last_number_there_is(double edge, float masked)
    {
        var request = Capture(Everything with { Mask = ["distance"] }, edges: [edge]);
        Assert.Equal(masked, request.Inputs[0].GetProperty("data")[0].GetSingle());
    }

    [Fact]
    public void A_sensitive_input_is_left_out_whatever_the_plan_says()
    {
        var request = Capture(Everything with { Mask = ["hour"] }, sensitive: "hour");
        Assert.Equal(["hour"], request.Dropped);
        Assert.Empty(request.Masked);
        Assert.DoesNotContain("17", request.Inputs.GetRawText(), StringComparison.Ordinal);
    }

    [Fact]
    public void Answers_of_a_sensitive_output_are_not_captured() => Assert.Null(Capture(Everything, sensitive: "probability").Outputs);

    [Fact]
    public void What_cannot_be_written_down_fails_nobody_and_is_counted()
    {
        Take(Everything with { Mask = default }, null, null);     // rules that make no sense
        Assert.Empty(buffer.Take(out var lost));
        Assert.Equal(1, lost);
    }

    [Fact]
    public void A_full_buffer_captures_no_more_until_there_is_room()
    {
        var line = new byte[1024 * 1024];
        for (var i = 0; i < 20; i++)
            buffer.Add("late", i, line);
        var taken = buffer.Take(out var lost);
        Assert.Equal(4, lost);
        Assert.Equal((16, 16 * line.Length), (taken.Sum(captured => captured.Requests), taken.Sum(captured => captured.Lines.Length)));
        Assert.All(taken, captured => Assert.True(captured.Lines.Length <= CaptureBuffer.MostOfOne));
        buffer.Add("late", 30, line);
        Assert.Empty(buffer.Take(out lost));
        Assert.Equal(1, lost);
        taken.ForEach(captured => buffer.Forget(captured.Lines.Length));
        buffer.Add("late", 31, line);
        Assert.Equal((31, 31, 1), (buffer.Take(out _) is [var one] ? (one.From, one.To, one.Requests) : default));
    }

    private CapturedRequest Capture(CaptureRules rules, string? sensitive = null, double[]? edges = null)
    {
        Take(rules, sensitive, edges);
        var captured = Assert.Single(buffer.Take(out _));
        return Assert.Single(CaptureReader.Read(new MemoryStream(captured.Lines), "captured"));
    }

    private void Take(CaptureRules rules, string? sensitive, double[]? edges)
    {
        var signature = HostedModels.Late with { Inputs = [HostedModels.Late.Inputs[0] with { Range = edges is null ? HostedModels.Late.Inputs[0].Range : null }, .. HostedModels.Late.Inputs[1..]] };
        var hosted = new HostedModel("late", Digest.Of([1]), "/", "/model", signature, new(null, [], null))
        {
            Reference = new ReferenceProfile([new ReferenceFeature("distance", Sensitivity.Public, [.. edges ?? [100, 200, 300]], null, new ColumnProfile(10, 0, edges is null ? [1, 7, 1, 1] : [9, 1], null))], []),
            Sensitive = sensitive is null ? [] : System.Collections.Frozen.FrozenSet.Create(sensitive),
        };
        var clock = new SampleClock(TimeProvider.System);
        using var inputs = TensorSet.ForInputs(hosted.Signature);
        using var outputs = TensorSet.ForOutputs(hosted.Signature);
        inputs.Tensors[0].SetShape([1, 1]);
        inputs.Tensors[0].Add(733f);
        inputs.Tensors[1].SetShape([1, 1]);
        inputs.Tensors[1].Add(17L);
        outputs.Tensors[0].SetShape([1, 1]);
        outputs.Tensors[0].Add(0.25f);
        var monitor = new RouteMonitor(new Ratio(1), null, rules);
        new RequestCapture(buffer, "late", new VersionRef(3, Digest.Of([1])), hosted, clock)
            .Take(new OverRequest(TrafficArm.Candidate, monitor, "r1", "", clock.Now, 0.01), rules, inputs, outputs);
    }
}
