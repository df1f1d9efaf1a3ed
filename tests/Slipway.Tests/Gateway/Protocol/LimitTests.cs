using System.Net;
using Slipway.Documents.Rollouts;
using Slipway.Gateway.Admission;
using Slipway.Gateway.Protocol;
using Slipway.Tests.Runtime.ModelHosts;
using static Slipway.Tests.Gateway.GatewayTable;

namespace Slipway.Tests.Gateway.Protocol;

/// <summary>Deadlines, places at a model, and rates of callers.</summary>
public sealed class LimitTests
{
    [Theory]
    [InlineData("0")]
    [InlineData("-5")]
    [InlineData("10001")]
    [InlineData("1.5")]
    [InlineData("soon")]
    [InlineData("99999999999999999999")]
    public async Task A_timeout_that_is_none_is_refused(string timeout)
    {
        await using var gateway = await GatewayTable.StartAsync();
        gateway.Serve(await gateway.LoadAsync(1, gateway.Models.Onnx("late", HostedModels.Late)));
        Assert.Equal(
            (HttpStatusCode.BadRequest, $"Slipway-Timeout-Ms is '{timeout}', allowed is a whole number of milliseconds from 1 to 10000"),
            await gateway.AskAsync(Row(1), headers: ("Slipway-Timeout-Ms", timeout)));
        Assert.Equal(HttpStatusCode.OK, (await gateway.AskAsync(Row(1), headers: ("Slipway-Timeout-Ms", "10000"))).Status);
    }

    [Fact]
    public async Task A_deadline_answers_the_caller_and_does_not_end_the_process()
    {
        await using var gateway = await GatewayTable.StartAsync(new InferenceOptions { RequestLimit = TimeSpan.FromSeconds(1) });
        var go = Path.Combine(gateway.Models.NewFolder(), "go");
        var version = await gateway.LoadAsync(1, gateway.Models.Predict($"import os, time\ndef predict(inputs):\n    while not os.path.exists('{go}'): time.sleep(0.01)\n    return {{'probability': [[0.5]]}}"));
        gateway.Serve(version, version, 10_000);
        Assert.Equal((HttpStatusCode.GatewayTimeout, "the model did not answer within the 1000 ms that the request had"), await gateway.AskAsync(Row(1)));
        Assert.Equal(BadKind.Timeout, gateway.Told().Bad.Single().Kind);
        Assert.Contains("slipway_requests_in_flight{model=\"flight-delay\"} 1", await gateway.Client.GetStringAsync("/metrics", Cancellation));      // its place is still taken

        File.WriteAllText(go, "");
        while (!(await gateway.Client.GetStringAsync("/metrics", Cancellation)).Contains("slipway_requests_in_flight{model=\"flight-delay\"} 0"))
            await Task.Delay(10, Cancellation);
        while ((await gateway.AskAsync(Row(1))).Status != HttpStatusCode.OK)
            await Task.Delay(10, Cancellation);
        Assert.Equal(1, gateway.Models.Log.Count(line => line.EndsWith("is ready", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Places_queue_and_the_one_beyond_are_told_apart_and_are_no_evidence()
    {
        await using var gateway = await GatewayTable.StartAsync(new InferenceOptions { ModelConcurrency = 1, ModelQueue = 1 });
        var (begun, go) = (Path.Combine(gateway.Models.NewFolder(), "begun"), Path.Combine(gateway.Models.NewFolder(), "go"));
        var version = await gateway.LoadAsync(1, gateway.Models.Predict($"import os, time\ndef predict(inputs):\n    open('{begun}', 'w').close()\n    while not os.path.exists('{go}'): time.sleep(0.01)\n    return {{'probability': [[0.5]]}}"));
        gateway.Serve(version, version, 10_000);
        var first = gateway.AskAsync(Row(1));
        while (!File.Exists(begun))
            await Task.Delay(10, Cancellation);
        Assert.Equal(
            (HttpStatusCode.ServiceUnavailable, "other requests took up this model for the 50 ms that this one had"),
            await gateway.AskAsync(Row(1), headers: ("Slipway-Timeout-Ms", "50")));
        var second = gateway.AskAsync(Row(1));
        while (!(await gateway.Client.GetStringAsync("/metrics", Cancellation)).Contains("slipway_requests_queued{model=\"flight-delay\"} 1"))
            await Task.Delay(10, Cancellation);
        using (var third = await gateway.PostAsync(Row(1)))
        {
            Assert.Equal((HttpStatusCode.ServiceUnavailable, "1"), (third.StatusCode, Header(third, "Retry-After")));
            Assert.Contains("too many requests wait for this model already", await third.Content.ReadAsStringAsync(Cancellation));
        }

        File.WriteAllText(go, "");
        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.OK), ((await first).Status, (await second).Status));
        Assert.Equal((2L, 0), (gateway.Told().Counts.Single().Requests, gateway.Told().Bad.Length));
        var metrics = await gateway.Client.GetStringAsync("/metrics", Cancellation);
        Assert.Contains("slipway_requests_shed_total{model=\"flight-delay\",reason=\"queue\"} 1", metrics);
        Assert.Contains("slipway_requests_shed_total{model=\"flight-delay\",reason=\"deadline\"} 1", metrics);
    }

    [Fact]
    public async Task A_caller_beyond_its_rate_is_told_when_to_come_again_and_others_are_not_affected()
    {
        await using var gateway = await GatewayTable.StartAsync(new InferenceOptions { RateLimit = new RateLimit(0.01, 3, "x-client") });
        gateway.Serve(await gateway.LoadAsync(1, gateway.Models.Onnx("late", HostedModels.Late)));
        foreach (var client in new[] { "a", "b", "" })
        {
            for (var i = 0; i < 3; i++)
                Assert.Equal(HttpStatusCode.OK, (await gateway.AskAsync(Row(1), headers: ("X-Client", client))).Status);
            using var refused = await gateway.PostAsync(Row(1), headers: ("X-Client", client));
            Assert.Equal(HttpStatusCode.TooManyRequests, refused.StatusCode);
            Assert.InRange(int.Parse(Header(refused, "Retry-After")!), 1, 100);
        }

        Assert.Equal(HttpStatusCode.OK, (await gateway.Client.GetAsync("/v2/health/ready", Cancellation)).StatusCode);     // health has no limit
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;
}
