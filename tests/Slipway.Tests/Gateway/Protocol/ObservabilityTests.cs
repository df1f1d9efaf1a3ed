using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Slipway.Gateway.Protocol;
using Slipway.Tests.Runtime.ModelHosts;
using static Slipway.Tests.Gateway.GatewayTable;

namespace Slipway.Tests.Gateway.Protocol;

/// <summary>What operators see: Prometheus' page, and traces and metrics by OTLP.</summary>
public sealed class ObservabilityTests
{
    private const string Promtool = "/usr/bin/promtool";

    [Fact]
    public async Task The_metrics_count_what_was_answered()
    {
        await using var gateway = await GatewayTable.StartAsync();
        var (stable, candidate) = (await gateway.LoadAsync(1, gateway.Models.Onnx("late", HostedModels.Late)), await gateway.LoadAsync(2, gateway.Models.Onnx("late", HostedModels.Late)));
        gateway.Serve(stable, candidate, 3000);     // u-2 has bucket 2869, u-1 has 9341
        foreach (var id in new[] { "u-1", "u-1", "u-2" })
            await gateway.AskAsync(Row(1, $"\"id\":\"{id}\","));
        await gateway.AskAsync("{");
        await gateway.AskAsync(Row(1), "/v2/models/invented/infer");
        var lines = (await gateway.Client.GetStringAsync("/metrics", Cancellation)).Split('\n');
        foreach (var line in new[]
        {
            """slipway_build_info{version="0.1.0"} 1""",
            """slipway_requests_total{model="flight-delay",version="1",arm="stable",status="200"} 2""",
            """slipway_requests_total{model="flight-delay",version="2",arm="candidate",status="200"} 1""",
            """slipway_requests_total{model="flight-delay",version="1",arm="none",status="400"} 1""",
            """slipway_requests_total{model="",version="",arm="none",status="404"} 1""",
            """slipway_prediction_duration_seconds_count{model="flight-delay",version="1",arm="stable"} 2""",
            """slipway_prediction_duration_seconds_bucket{model="flight-delay",version="2",arm="candidate",le="+Inf"} 1""",
            """slipway_requests_in_flight{model="flight-delay"} 0""",
            """slipway_requests_queued{model="flight-delay"} 0""",
            """slipway_version_ready{model="flight-delay",version="1",role="stable"} 1""",
            """slipway_version_ready{model="flight-delay",version="2",role="candidate"} 1""",
            """slipway_rollout_weight_ratio{model="flight-delay",version="2",rollout="r1"} 0.3""",
            "slipway_state_revision 1",
        })
            Assert.Contains(line, lines);
        Assert.DoesNotContain(lines, line => line.Contains("invented", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Promtool_accepts_the_metrics()
    {
        Assert.SkipUnless(File.Exists(Promtool), "promtool is missing: apt-get install prometheus");
        await using var gateway = await GatewayTable.StartAsync();
        var version = await gateway.LoadAsync(1, gateway.Models.Onnx("late", HostedModels.Late));
        gateway.Serve(version, version, 1000);
        for (var i = 0; i < 30; i++)
            await gateway.AskAsync(Row(1));
        await gateway.AskAsync("{");
        Assert.Equal((0, ""), await CheckAsync(await gateway.Client.GetStringAsync("/metrics", Cancellation)));
        Assert.NotEqual(0, (await CheckAsync("slipway_bad-name 1\n")).Code);
    }

    [Fact]
    public async Task Metrics_can_be_left_out()
    {
        await using var gateway = await GatewayTable.StartAsync(new InferenceOptions { Metrics = false });
        Assert.Equal(HttpStatusCode.NotFound, (await gateway.Client.GetAsync("/metrics", Cancellation)).StatusCode);
    }

    [Fact]
    public async Task Traces_and_metrics_go_to_the_endpoint_by_otlp()
    {
        using var receiver = new Receiver();
        var gateway = await GatewayTable.StartAsync(new InferenceOptions { OtlpEndpoint = receiver.Url, Channel = "production", TraceShare = 0 });
        var version = await gateway.LoadAsync(1, gateway.Models.Onnx("late", HostedModels.Late));
        gateway.Serve(version);
        string traced, untraced;
        using (var response = await gateway.PostAsync(Row(1), headers: ("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")))
            traced = Header(response, "traceparent")!;
        using (var response = await gateway.PostAsync(Row(1)))
            untraced = Header(response, "traceparent")!;
        Assert.StartsWith("00-4bf92f3577b34da6a3ce929d0e0e4736-", traced);
        Assert.EndsWith("-01", traced);
        Assert.EndsWith("-00", untraced);
        await gateway.DisposeAsync();        // sends what is left

        var spans = receiver.Bodies("/v1/traces");
        Assert.True(Holds(spans, Convert.FromHexString("4bf92f3577b34da6a3ce929d0e0e4736")) && Holds(spans, Convert.FromHexString("00f067aa0ba902b7")), "the caller's span is the parent");
        Assert.True(Holds(spans, Convert.FromHexString(traced[36..52])), "the answer names the server's span");
        Assert.False(Holds(spans, Convert.FromHexString(untraced[3..35])));
        foreach (var text in new[] { "slipway-gateway", "production", "infer flight-delay", "predict", "slipway.model", "slipway.arm", "stable", version.BundleText })
            Assert.True(Holds(spans, Encoding.UTF8.GetBytes(text)), text);
        var metrics = receiver.Bodies("/v1/metrics");
        foreach (var text in new[] { "slipway-gateway", "slipway.requests", "slipway.prediction.duration", "slipway.requests.in_flight", "slipway.version.ready", "flight-delay" })
            Assert.True(Holds(metrics, Encoding.UTF8.GetBytes(text)), text);
    }

    [Fact]
    public async Task A_receiver_that_is_not_there_fails_no_request()
    {
        await using var gateway = await GatewayTable.StartAsync(new InferenceOptions { OtlpEndpoint = new Uri("http://127.0.0.1:1"), TraceShare = 1 });
        gateway.Serve(await gateway.LoadAsync(1, gateway.Models.Onnx("late", HostedModels.Late)));
        for (var i = 0; i < 20; i++)
            Assert.Equal(HttpStatusCode.OK, (await gateway.AskAsync(Row(1))).Status);
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private static bool Holds(IEnumerable<byte[]> bodies, byte[] bytes) => bodies.Any(body => body.AsSpan().IndexOf(bytes) >= 0);

    private static async Task<(int Code, string Output)> CheckAsync(string metrics)
    {
        using var tool = Process.Start(new ProcessStartInfo(Promtool, ["check", "metrics"]) { RedirectStandardInput = true, RedirectStandardError = true, RedirectStandardOutput = true })!;
        await tool.StandardInput.WriteAsync(metrics);
        tool.StandardInput.Close();
        var output = await tool.StandardError.ReadToEndAsync(Cancellation) + await tool.StandardOutput.ReadToEndAsync(Cancellation);
        await tool.WaitForExitAsync(Cancellation);
        return (tool.ExitCode, output);
    }

    /// <summary>Takes what is sent by OTLP over HTTP.</summary>
    private sealed class Receiver : IDisposable
    {
        private readonly HttpListener listener = new();
        private readonly ConcurrentQueue<(string Path, byte[] Body)> received = new();

        public Receiver()
        {
            using (var free = new TcpListener(IPAddress.Loopback, 0))
            {
                free.Start();
                Url = new Uri($"http://127.0.0.1:{((IPEndPoint)free.LocalEndpoint).Port}/");
            }

            listener.Prefixes.Add(Url.AbsoluteUri);
            listener.Start();
            _ = Task.Run(ReceiveAsync);
        }

        public Uri Url { get; }

        public byte[][] Bodies(string path) => [.. received.Where(message => message.Path == path).Select(message => message.Body)];

        public void Dispose() => listener.Close();

        private async Task ReceiveAsync()
        {
            while (listener.IsListening)
            {
                HttpListenerContext context;
                try
                {
                    context = await listener.GetContextAsync();
                }
                catch (Exception e) when (e is HttpListenerException or ObjectDisposedException)
                {
                    return;
                }

                using var body = new MemoryStream();
                await context.Request.InputStream.CopyToAsync(body);
                received.Enqueue((context.Request.Url!.AbsolutePath, body.ToArray()));
                context.Response.ContentType = "application/x-protobuf";
                context.Response.Close();
            }
        }
    }
}
