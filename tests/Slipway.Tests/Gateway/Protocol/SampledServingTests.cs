using System.Net;
using Slipway.Documents.Monitoring;
using Slipway.Documents.Rollouts;
using Slipway.Gateway.Protocol;
using Slipway.Primitives.Units;
using Slipway.Tests.Runtime.ModelHosts;
using static Slipway.Tests.Gateway.GatewayTable;

namespace Slipway.Tests.Gateway.Protocol;

/// <summary>What of real requests is counted for the server.</summary>
public sealed class SampledServingTests
{
    private static readonly RouteMonitor everything = new(new Ratio(1), new Ratio(1), null);

    [Fact]
    public async Task Requests_are_counted_as_rollouts_count_them_and_those_whose_input_does_not_fit_apart()
    {
        await using var gateway = await GatewayTable.StartAsync(new InferenceOptions { RequestLimit = TimeSpan.FromSeconds(2) });
        gateway.Monitor = everything;
        var version = await gateway.LoadAsync(1, gateway.Models.Predict("""
            import time
            def predict(inputs):
                hour = inputs["hour"][0][0]
                if hour == 1: raise ValueError("no")
                if hour == 2: return {"probability": [[7.0]]}
                if hour == 3: time.sleep(0.4)
                if hour == 4: time.sleep(60)
                return {"probability": [[0.5]]}
            """));
        gateway.Serve(version, budget: TimeSpan.FromMilliseconds(300));
        Assert.Equal(HttpStatusCode.OK, (await gateway.AskAsync(Row(0, "\"id\":\"good\","))).Status);
        Assert.Equal(HttpStatusCode.InternalServerError, (await gateway.AskAsync(Row(1))).Status);
        Assert.Equal(HttpStatusCode.InternalServerError, (await gateway.AskAsync(Row(2))).Status);
        Assert.Equal(HttpStatusCode.OK, (await gateway.AskAsync(Row(3, "\"id\":\"late\","))).Status);
        Assert.Equal(HttpStatusCode.BadRequest, (await gateway.AskAsync(Row(99))).Status);
        Assert.Equal(HttpStatusCode.GatewayTimeout, (await gateway.AskAsync(Row(3), Infer, ("Slipway-Timeout-Ms", "20"))).Status);      // gave up before it was late
        using (var timedOut = await gateway.PostAsync(Row(4), Infer, ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")))
            Assert.Equal(HttpStatusCode.GatewayTimeout, timedOut.StatusCode);

        var slices = gateway.Samplers.Drain(last: true);
        Assert.All(slices, slice => Assert.Equal((Model, 1, TrafficArm.Stable), (slice.Model, slice.Version, slice.Arm)));
        Assert.Equal((5, 1), (slices.Sum(slice => slice.Requests), slices.Sum(slice => slice.Refused)));
        Assert.Equal([1, 1, 1, 1, 0], Enumerable.Range(0, 5).Select(kind => slices.Sum(slice => slice.Bad[kind])));
        Assert.Equal((5, 2), (slices.Sum(slice => slice.Inputs[1].Profile.Count), slices.Sum(slice => slice.Outputs[0].Profile.Count)));
        Assert.Equal(new[] { "good", "late" }.Select(id => PredictionKey.Of(Model, id)).Order(), slices.SelectMany(slice => slice.Predictions).Select(prediction => prediction.Key).Order());
        Assert.Equal("0af7651916cd43dd8448eb211c80319c", Assert.Single(slices.SelectMany(slice => slice.Exemplars), exemplar => exemplar.Kind == BadKind.Timeout).Trace);
        Assert.Equal(4, slices.Sum(slice => slice.Exemplars.Length));
    }

    [Fact]
    public async Task Arms_are_told_apart_and_a_shadows_answers_are_its_own()
    {
        await using var gateway = await GatewayTable.StartAsync();
        gateway.Monitor = everything;
        var (stable, candidate) = (await gateway.LoadAsync(1, gateway.Models.Onnx("late", HostedModels.Late)), await gateway.ConstantAsync(2, 0.75));
        gateway.Serve(stable, candidate, weight: 5000);
        for (var i = 0; i < 60; i++)
            await gateway.AskAsync(Row(7, $"\"id\":\"user-{i}\","));
        await gateway.AskAsync(Row(7), "/v2/models/flight-delay/versions/2/infer");
        gateway.Serve(stable, candidate, shadow: true);
        for (var i = 0; i < 5; i++)
            await gateway.AskAsync(Row(7));
        var slices = gateway.Samplers.Drain(last: true);
        while (Of(2, TrafficArm.Shadow) < 5)
        {
            await Task.Delay(10, TestContext.Current.CancellationToken);
            slices.AddRange(gateway.Samplers.Drain(last: true));
        }

        Assert.Equal(60 + 5, Of(1, TrafficArm.Stable) + Of(2, TrafficArm.Candidate));
        Assert.InRange(Of(2, TrafficArm.Candidate), 10, 50);
        Assert.Equal((1, 5), (Of(2, TrafficArm.Direct), Of(2, TrafficArm.Shadow)));
        var shadow = slices.Where(slice => slice.Arm == TrafficArm.Shadow).ToArray();
        Assert.Equal((0, 5, 0), (shadow.Sum(slice => slice.Inputs[0].Profile.Count), shadow.Sum(slice => slice.Outputs[0].Profile.Count), shadow.Sum(slice => slice.Predictions.Length)));
        Assert.Equal(0.75, shadow[0].Outputs[0].Profile.Moments!.Value.Mean);

        long Of(int version, TrafficArm arm) => slices.Where(slice => slice.Version == version && slice.Arm == arm).Sum(slice => slice.Requests);
    }

    [Fact]
    public async Task An_id_of_ten_thousand_characters_costs_no_memory_and_names_no_prediction()
    {
        await using var gateway = await GatewayTable.StartAsync();
        gateway.Monitor = everything;
        gateway.Serve(await gateway.LoadAsync(1, gateway.Models.Onnx("late", HostedModels.Late)));
        Assert.Equal(HttpStatusCode.OK, (await gateway.AskAsync(Row(7, $"\"id\":\"{new string('x', 10_000)}\","))).Status);
        var slice = Assert.Single(gateway.Samplers.Drain(last: true));
        Assert.Equal((1L, 1L, 0, 0L), (slice.Requests, slice.Sampled, slice.Predictions.Length, slice.Unkept));
    }

    [Fact]
    public async Task A_caller_who_names_no_request_is_found_by_the_id_that_its_answer_carries()
    {
        await using var gateway = await GatewayTable.StartAsync();
        gateway.Monitor = everything;
        gateway.Serve(await gateway.LoadAsync(1, gateway.Models.Onnx("late", HostedModels.Late)));
        using var response = await gateway.PostAsync(Row(7));
        var slice = Assert.Single(gateway.Samplers.Drain(last: true));
        Assert.Equal(PredictionKey.Of(Model, Header(response, "x-request-id")!), slice.Predictions.Single().Key);
    }
}
