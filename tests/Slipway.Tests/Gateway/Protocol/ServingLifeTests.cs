using System.Net;
using System.Text.Json;
using Slipway.Gateway.Protocol;
using Slipway.Runtime.ModelHosts;
using Slipway.Tests.Runtime.ModelHosts;

namespace Slipway.Tests.Gateway.Protocol;

/// <summary>Start, trouble and stop of a served model, seen by its clients.</summary>
public sealed class ServingLifeTests : IDisposable
{
    private const string Row = """{"inputs":[{"name":"distance","shape":[1,1],"datatype":"FP32","data":[100]},{"name":"hour","shape":[1,1],"datatype":"INT64","data":[HOUR]}]}""";

    private readonly HostedModels models = new();
    private readonly HttpClient client = new();

    public void Dispose()
    {
        client.Dispose();
        models.Dispose();
    }

    [Fact]
    public async Task A_model_that_starts_slowly_is_live_and_not_ready_and_asks_to_come_again()
    {
        var flag = Path.Combine(models.NewFolder(), "go");
        await using var host = await ModelHost.StartAsync(
            models.Predict($"import os, time\nwhile not os.path.exists('{flag}'):\n    time.sleep(0.02)\ndef predict(inputs): return {{'probability': [[0.5]]}}"), models.Options, Cancellation);
        await using var server = await InferenceServer.StartAsync(new InferenceOptions(), host, Cancellation);
        client.BaseAddress = server.Url;
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync("/v2/health/live", Cancellation)).StatusCode);
        using var ready = await client.GetAsync("/v2/health/ready", Cancellation);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, ready.StatusCode);
        Assert.Equal("""{"ready":false,"error":"the model\u0027s process is starting"}""", await ready.Content.ReadAsStringAsync(Cancellation));
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await client.GetAsync("/v2/models/flight-delay/ready", Cancellation)).StatusCode);
        var (status, error, retry) = await AskAsync(1);
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "the model's process is starting", true), (status, error, retry));

        File.WriteAllText(flag, "");
        await host.WaitUntilReadyAsync(Cancellation);
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync("/v2/health/ready", Cancellation)).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await AskAsync(1)).Status);
    }

    [Fact]
    public async Task Crash_hang_and_nonsense_are_500_and_the_time_between_is_503()
    {
        const string script = """
            import os, time
            def predict(inputs):
                hour = inputs["hour"][0][0]
                if hour == 13: os._exit(3)
                if hour == 14: time.sleep(60)
                if hour == 16: return {"probability": [[7]]}
                return {"probability": [[0.5]]}
            """;
        await using var host = await ModelHost.StartAsync(models.Predict(script), models.Options with { PredictionLimit = TimeSpan.FromSeconds(2) }, Cancellation);
        await using var server = await InferenceServer.StartAsync(new InferenceOptions(), host, Cancellation);
        client.BaseAddress = server.Url;
        await host.WaitUntilReadyAsync(Cancellation);

        Assert.Equal((HttpStatusCode.InternalServerError, "the model's process answered nonsense: output 'probability': element 0 is 7, allowed 0 to 1", false), await AskAsync(16));
        Assert.Equal((HttpStatusCode.OK, "", false), await AskAsync(1));
        foreach (var (hour, status, error) in new[] { (13, HttpStatusCode.InternalServerError, "the model's process exited with 3 while it answered; it is started again"), (14, HttpStatusCode.GatewayTimeout, "the model's process did not answer within 2 s; it is started again") })
        {
            Assert.Equal((status, error, false), await AskAsync(hour));
            var waits = 0;
            for (var answer = await AskAsync(1); answer.Status != HttpStatusCode.OK; answer = await AskAsync(1))
            {
                // The process may be seen to be gone only while it is asked.
                Assert.True(answer is { Status: HttpStatusCode.ServiceUnavailable, Retry: true } or { Status: HttpStatusCode.InternalServerError, Error: ['t', 'h', 'e', ..] }, answer.ToString());
                waits++;
                await Task.Delay(10, Cancellation);
            }

            Assert.True(waits > 0);
        }
    }

    [Fact]
    public async Task A_stop_finishes_what_is_in_flight_and_turns_new_requests_away()
    {
        var folder = models.NewFolder();
        var (begun, go) = (Path.Combine(folder, "begun"), Path.Combine(folder, "go"));
        var script = $$"""
            import os, time
            def predict(inputs):
                if inputs["hour"][0][0] == 5:
                    open("{{begun}}", "w").close()
                    while not os.path.exists("{{go}}"): time.sleep(0.02)
                return {"probability": [[0.5]]}
            """;
        await using var host = await ModelHost.StartAsync(models.Predict(script), models.Options, Cancellation);
        await using var server = await InferenceServer.StartAsync(new InferenceOptions(), host, Cancellation);
        client.BaseAddress = server.Url;
        await host.WaitUntilReadyAsync(Cancellation);

        var slow = AskAsync(5);
        while (!File.Exists(begun))
            await Task.Delay(10, Cancellation);
        var stop = server.StopAsync();
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "the server is stopping", true), await AskAsync(1));
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await client.GetAsync("/v2/health/ready", Cancellation)).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync("/v2/health/live", Cancellation)).StatusCode);
        Assert.False(stop.IsCompleted);
        Assert.False(slow.IsCompleted);

        File.WriteAllText(go, "");
        Assert.Equal((HttpStatusCode.OK, "", false), await slow);
        await stop;
        await Assert.ThrowsAsync<HttpRequestException>(() => AskAsync(1));
    }

    [Fact]
    public async Task A_stop_does_not_wait_longer_than_its_grace()
    {
        var begun = Path.Combine(models.NewFolder(), "begun");
        await using var host = await ModelHost.StartAsync(
            models.Predict($"import time\ndef predict(inputs):\n    open('{begun}', 'w').close()\n    time.sleep(60)"), models.Options with { PredictionLimit = TimeSpan.FromSeconds(60) }, Cancellation);
        var server = await InferenceServer.StartAsync(new InferenceOptions { StopGrace = TimeSpan.FromMilliseconds(200) }, host, Cancellation);
        client.BaseAddress = server.Url;
        await host.WaitUntilReadyAsync(Cancellation);
        var slow = AskAsync(5);
        while (!File.Exists(begun))
            await Task.Delay(10, Cancellation);
        await server.StopAsync();
        Assert.Contains("connection", (await Assert.ThrowsAnyAsync<Exception>(() => slow)).ToString(), StringComparison.OrdinalIgnoreCase);
        await host.DisposeAsync();
        await server.DisposeAsync();
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private async Task<(HttpStatusCode Status, string Error, bool Retry)> AskAsync(int hour)
    {
        using var response = await client.PostAsync("/v2/models/flight-delay/infer", new StringContent(Row.Replace("HOUR", hour.ToString())), Cancellation);
        using var document = JsonDocument.Parse(await response.Content.ReadAsStringAsync(Cancellation));
        var error = document.RootElement.TryGetProperty("error", out var text) ? text.GetString()! : "";
        return (response.StatusCode, error, response.Headers.RetryAfter is not null);
    }
}
