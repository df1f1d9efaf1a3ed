using System.Net;
using System.Net.Sockets;
using System.Text;
using Slipway.Gateway.Admission;
using Slipway.Gateway.Protocol;
using Slipway.Tests.Runtime.ModelHosts;
using static Slipway.Tests.Gateway.GatewayTable;

namespace Slipway.Tests.Gateway.Protocol;

/// <summary>Clients that mean ill, or do not know better.</summary>
public sealed class RobustnessTests
{
    [Theory]
    [InlineData("/v2/models/../../etc/passwd")]
    [InlineData("/v2/models/..%2f..%2fetc%2fpasswd/infer")]
    [InlineData("/v2/models/%2e%2e/infer")]
    [InlineData("/v2/models/flight-delay/versions/../../../secret")]
    [InlineData("/v2/models/flight-delay/versions/..%2f1/infer")]
    [InlineData("/v2/models//infer")]
    [InlineData("/v2/models/")]
    [InlineData("/v2/models/flight-delay%00/infer")]
    [InlineData("/v2/models/flight-delay/versions//infer")]
    [InlineData("/v2/models/flight-delay/versions/-1/infer")]
    [InlineData("/v2/models/flight-delay/versions/1e0/infer")]
    [InlineData("/v2/models/flight-delay/versions/99999999999999999999/infer")]
    [InlineData("/v2/models/FLIGHT-DELAY/infer")]
    [InlineData("//v2/models/flight-delay/infer")]
    [InlineData("http://other/v2/models/flight-delay/x")]
    public async Task A_path_that_leads_elsewhere_leads_nowhere(string path)
    {
        await using var gateway = await OnnxAsync();
        var answer = await RawAsync(gateway, $"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        Assert.Matches("^HTTP/1.1 (404|400) ", answer);
        Assert.DoesNotContain("root:", answer);
    }

    [Theory]
    [InlineData("GET / HTTP/1.1\r\n\r\n", "400")]                                            // no host
    [InlineData("nonsense\r\n\r\n", "400")]
    [InlineData("GET /v2 HTTP/9.9\r\nHost: x\r\n\r\n", "505")]
    [InlineData("POST " + Infer + " HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", "400")]
    [InlineData("POST " + Infer + " HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n{}", "400")]
    [InlineData("POST " + Infer + " HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n", "400")]
    [InlineData("POST " + Infer + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "400")]
    [InlineData("POST " + Infer + " HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n", "413")]
    [InlineData("POST " + Infer + " HTTP/1.1\r\nHost: x\r\nX: a\0b\r\n\r\n", "400")]
    public async Task Malformed_http_is_refused_and_others_are_served(string request, string status)
    {
        await using var gateway = await OnnxAsync();
        var answer = await RawAsync(gateway, request);
        Assert.StartsWith($"HTTP/1.1 {status} ", answer);
        Assert.Equal(HttpStatusCode.OK, (await gateway.AskAsync(Row(1))).Status);
    }

    [Fact]
    public async Task Too_many_and_too_large_headers_are_refused()
    {
        await using var gateway = await OnnxAsync();
        Assert.StartsWith("HTTP/1.1 431 ", await RawAsync(gateway, $"GET /v2 HTTP/1.1\r\nHost: x\r\nX: {new string('x', 40_000)}\r\n\r\n"));
        Assert.StartsWith("HTTP/1.1 431 ", await RawAsync(gateway, $"GET /v2 HTTP/1.1\r\nHost: x\r\n{string.Concat(Enumerable.Range(0, 200).Select(i => $"X{i}: 1\r\n"))}\r\n"));
        Assert.StartsWith("HTTP/1.1 414 ", await RawAsync(gateway, $"GET /{new string('x', 20_000)} HTTP/1.1\r\nHost: x\r\n\r\n"));
    }

    [Fact]
    public async Task Json_made_to_hurt_is_refused()
    {
        await using var gateway = await OnnxAsync();
        foreach (var body in new[]
        {
            new string('[', 100_000), "{\"inputs\":" + new string('[', 100_000), "{\"parameters\":" + new string('{', 10_000),
            "{\"inputs\":[{\"name\":\"distance\",\"datatype\":\"FP32\",\"shape\":[9223372036854775807,9223372036854775807],\"data\":[1]}]}",
            "{\"inputs\":[{\"name\":\"distance\",\"datatype\":\"FP32\",\"shape\":[0,1],\"data\":[]}]}",
            "{\"inputs\":[{\"name\":\"distance\",\"datatype\":\"FP32\",\"shape\":[1,1],\"data\":[" + new string('9', 100_000) + "]}]}",
            "\u0000", "\ufeff" + Row(1), "{\"inputs\":[" + string.Join(',', Enumerable.Repeat("{}", 50_000)) + "]}",
        })
            Assert.Equal(HttpStatusCode.BadRequest, (await gateway.AskAsync(body)).Status);
        Assert.Equal(HttpStatusCode.OK, (await gateway.AskAsync(Row(1))).Status);
    }

    [Fact]
    public async Task Pipelined_requests_are_answered_in_their_order()
    {
        await using var gateway = await OnnxAsync();
        var requests = new StringBuilder();
        for (var i = 0; i < 50; i++)
        {
            var body = i % 5 == 4 ? "{" : Row(i % 24, $"\"id\":\"p{i}\",");
            requests.Append($"POST {Infer} HTTP/1.1\r\nHost: x\r\nContent-Length: {body.Length}\r\n{(i == 49 ? "Connection: close\r\n" : "")}\r\n{body}");
        }

        var answers = (await RawAsync(gateway, requests.ToString())).Split("HTTP/1.1 ")[1..];
        Assert.Equal(50, answers.Length);
        Assert.All(answers.Index(), answer => Assert.True(answer.Index % 5 == 4 ? answer.Item.StartsWith("400 ") : answer.Item.StartsWith("200 ") && answer.Item.Contains($"\"id\":\"p{answer.Index}\""), answer.Item));
    }

    [Fact]
    public async Task A_connection_serves_on_after_each_refusal()
    {
        await using var gateway = await OnnxAsync(new InferenceOptions { BodyLimit = 4096 });
        var ok = Row(1);
        string[] bodies = [ok, "{", ok, Row(24), ok];
        var requests = string.Concat(bodies.Select((body, i) => $"POST {Infer} HTTP/1.1\r\nHost: x\r\nContent-Length: {body.Length}\r\n{(i == bodies.Length - 1 ? "Connection: close\r\n" : "")}\r\n{body}"));
        var statuses = (await RawAsync(gateway, requests)).Split("HTTP/1.1 ")[1..].Select(answer => answer[..3]);
        Assert.Equal(["200", "400", "200", "400", "200"], statuses);
    }

    [Fact]
    public async Task An_empty_body_in_chunks_leaves_the_connection_as_it_was()
    {
        await using var gateway = await OnnxAsync();
        var empty = $"POST {Infer} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
        var full = $"POST {Infer} HTTP/1.1\r\nHost: x\r\nContent-Length: {Row(1).Length}\r\nConnection: close\r\n\r\n{Row(1)}";
        var statuses = (await RawAsync(gateway, empty + empty + full)).Split("HTTP/1.1 ")[1..].Select(answer => answer[..3]);
        Assert.Equal(["400", "400", "200"], statuses);
    }

    [Fact]
    public async Task A_body_that_does_not_come_is_given_up_at_the_deadline()
    {
        await using var gateway = await OnnxAsync();
        var answer = await RawAsync(gateway, $"POST {Infer} HTTP/1.1\r\nHost: x\r\nSlipway-Timeout-Ms: 100\r\nContent-Length: 500\r\n\r\n{{");
        Assert.StartsWith("HTTP/1.1 408 ", answer);
        Assert.Contains("the body did not arrive within 100 ms", answer);
        Assert.Contains("Connection: close", answer);
    }

    /// <summary>Half of them send a request's first bytes, half a body's.</summary>
    [Theory]
    [InlineData(8192, 5000)]
    [InlineData(500, 1500)]
    public async Task Thousands_of_slow_connections_stop_nobody(int places, int slow)
    {
        Assert.SkipWhen(ConnectionPlaces.Limit(int.MaxValue) < slow + 1000, "this process may open too few files for both ends of so many connections");
        await using var gateway = await OnnxAsync(new InferenceOptions { Connections = places });
        var sockets = new List<Socket>();
        try
        {
            for (var i = 0; i < slow; i++)
            {
                var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
                sockets.Add(socket);
                await socket.ConnectAsync(gateway.Server.Url.Host, gateway.Server.Url.Port, Cancellation);
                await socket.SendAsync(Encoding.ASCII.GetBytes(i % 2 == 0 ? "POST /v2/mod" : $"POST {Infer} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n{{"), Cancellation);
            }

            for (var i = 0; i < 20; i++)
            {
                Assert.Equal(HttpStatusCode.OK, (await gateway.AskAsync(Row(1))).Status);
                using var fresh = new HttpClient { BaseAddress = gateway.Server.Url };
                Assert.Equal(HttpStatusCode.OK, (await fresh.GetAsync("/v2/health/ready", Cancellation)).StatusCode);
            }
        }
        finally
        {
            sockets.ForEach(socket => socket.Dispose());
        }
    }

    [Fact]
    public async Task Large_bodies_that_stand_still_do_not_turn_small_ones_away()
    {
        await using var gateway = await OnnxAsync();
        var sockets = new List<Socket>();
        try
        {
            // Together they announce five times what may be held.
            for (var i = 0; i < 80; i++)
            {
                var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
                sockets.Add(socket);
                await socket.ConnectAsync(gateway.Server.Url.Host, gateway.Server.Url.Port, Cancellation);
                await socket.SendAsync(Encoding.ASCII.GetBytes($"POST {Infer} HTTP/1.1\r\nHost: x\r\nContent-Length: 16000000\r\n\r\n{{\"inputs\":["), Cancellation);
            }

            Assert.Equal(HttpStatusCode.OK, (await gateway.AskAsync(Row(1))).Status);
        }
        finally
        {
            sockets.ForEach(socket => socket.Dispose());
        }
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private static async Task<GatewayTable> OnnxAsync(InferenceOptions? options = null)
    {
        var gateway = await GatewayTable.StartAsync(options);
        gateway.Serve(await gateway.LoadAsync(1, gateway.Models.Onnx("late", HostedModels.Late)));
        return gateway;
    }

    private static async Task<string> RawAsync(GatewayTable gateway, string request)
    {
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(gateway.Server.Url.Host, gateway.Server.Url.Port, Cancellation);
        await socket.SendAsync(Encoding.Latin1.GetBytes(request), Cancellation);
        await using var stream = new NetworkStream(socket);
        var text = new StringBuilder();
        var buffer = new byte[64 * 1024];
        try
        {
            while (await stream.ReadAsync(buffer, Cancellation) is > 0 and var read)
                text.Append(Encoding.UTF8.GetString(buffer, 0, read));
        }
        catch (IOException)
        {
            // Closed with bytes of ours unread: what came before stands.
        }

        return text.ToString();
    }
}
