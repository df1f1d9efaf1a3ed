using System.Net;
using Slipway.Documents.Rollouts;
using Slipway.Gateway.Protocol;
using Slipway.Runtime.ModelHosts;
using Slipway.Tests.Runtime.ModelHosts;
using static Slipway.Tests.Gateway.GatewayTable;

namespace Slipway.Tests.Gateway.Protocol;

/// <summary>A candidate that gets copies of what the stable version has answered.</summary>
public sealed class ShadowTests
{
    [Fact]
    public async Task Copies_are_compared_and_the_caller_sees_the_stable_version_alone()
    {
        await using var gateway = await GatewayTable.StartAsync();
        var stable = await gateway.ConstantAsync(1, 0.25);
        var candidate = await gateway.LoadAsync(2, gateway.Models.Predict("""
            def predict(inputs):
                hour = inputs["hour"][0][0]
                if hour == 5: raise ValueError("no")
                return {"probability": [[0.25 + (0.5 if hour == 2 else 1e-8 if hour == 3 else 0)]]}
            """));
        gateway.Serve(stable, candidate, shadow: true);
        foreach (var hour in new[] { 1, 2, 3, 5 })
        {
            using var response = await gateway.PostAsync(Row(hour));
            Assert.Equal(("1", "stable"), (Header(response, "Slipway-Version"), Header(response, "Slipway-Arm")));
            Assert.Contains("[0.25]", await response.Content.ReadAsStringAsync(Cancellation));
        }

        var told = new ShadowCounts(0, 0, 0, 0, 0);
        while (told.Compared + told.Failed < 4)
        {
            var next = gateway.Told().Shadow!;
            told = new(told.Compared + next.Compared, told.Different + next.Different, told.Failed + next.Failed, told.Skipped + next.Skipped, Math.Max(told.LargestDifference, next.LargestDifference));
            await Task.Delay(10, Cancellation);
        }

        Assert.Equal(new ShadowCounts(3, 1, 1, 0, 0.5), told);
        Assert.Contains("slipway_shadow_requests_total{model=\"flight-delay\",outcome=\"same\"} 2", await gateway.Client.GetStringAsync("/metrics", Cancellation));
    }

    [Fact]
    public async Task A_candidate_that_hangs_delays_and_fails_nobody_and_what_it_misses_is_counted()
    {
        await using var gateway = await GatewayTable.StartAsync();
        var stable = await gateway.LoadAsync(1, gateway.Models.Onnx("late", HostedModels.Late));
        var go = Path.Combine(gateway.Models.NewFolder(), "go");
        var candidate = await gateway.LoadAsync(2, gateway.Models.Predict($"import os, time\ndef predict(inputs):\n    while not os.path.exists('{go}'): time.sleep(0.01)\n    return {{'probability': [[0.5]]}}"));
        gateway.Serve(stable, candidate, shadow: true);
        for (var i = 0; i < 300; i++)
            Assert.Equal(HttpStatusCode.OK, (await gateway.AskAsync(Row(1))).Status);
        var shadow = gateway.Told().Shadow!;
        Assert.Equal(0, shadow.Compared);
        Assert.InRange(shadow.Skipped, 30, 300);        // a few are under way, 256 wait
        File.WriteAllText(go, "");
    }

    [Fact]
    public async Task A_candidate_that_wants_other_inputs_fails_its_copies()
    {
        await using var gateway = await GatewayTable.StartAsync();
        var stable = await gateway.ConstantAsync(1, 0.25);
        var narrow = HostedModels.Late with { Inputs = [HostedModels.Late.Inputs[0], HostedModels.Late.Inputs[1] with { Range = new(0, 5) }] };
        var candidate = await gateway.LoadAsync(2, gateway.Models.Predict("def predict(inputs): return {'probability': [[0.25]]}", narrow));
        gateway.Serve(stable, candidate, shadow: true);
        Assert.Equal(HttpStatusCode.OK, (await gateway.AskAsync(Row(9))).Status);
        Assert.Equal(HttpStatusCode.OK, (await gateway.AskAsync(Row(5))).Status);
        var (compared, failed) = (0L, 0L);
        while (compared + failed < 2)
        {
            var next = gateway.Told().Shadow!;
            (compared, failed) = (compared + next.Compared, failed + next.Failed);
            await Task.Delay(10, Cancellation);
        }

        Assert.Equal((1, 1), (compared, failed));
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;
}
