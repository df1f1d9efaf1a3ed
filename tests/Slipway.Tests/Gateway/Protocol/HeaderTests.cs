using System.Net;
using Slipway.Gateway.Telemetry;
using Slipway.Tests.Runtime.ModelHosts;
using static Slipway.Tests.Gateway.GatewayTable;

namespace Slipway.Tests.Gateway.Protocol;

/// <summary>What every answer says of itself.</summary>
public sealed class HeaderTests
{
    [Theory]
    [InlineData("POST", Infer, 200, "stable")]
    [InlineData("POST", "/v2/models/flight-delay/versions/1/infer", 200, "none")]
    [InlineData("GET", "/v2/models/flight-delay", 200, "none")]
    [InlineData("GET", "/v2/health/live", 200, "none")]
    [InlineData("GET", "/nowhere", 404, "none")]
    [InlineData("GET", Infer, 405, "none")]
    public async Task Every_answer_names_bundle_version_arm_request_and_trace(string method, string path, int status, string arm)
    {
        await using var gateway = await GatewayTable.StartAsync();
        var version = await gateway.LoadAsync(1, gateway.Models.Onnx("late", HostedModels.Late));
        gateway.Serve(version);
        using var request = new HttpRequestMessage(new HttpMethod(method), path) { Content = method == "POST" ? new StringContent(Row(1)) : null };
        using var response = await gateway.Client.SendAsync(request, Cancellation);
        Assert.Equal(status, (int)response.StatusCode);
        Assert.Equal((version.Version.Bundle.ToString(), "1", arm), (Header(response, "Slipway-Bundle"), Header(response, "Slipway-Version"), Header(response, "Slipway-Arm")));
        Assert.True(TraceContext.TryParse(Header(response, "traceparent"), out var trace));
        Assert.Equal(trace.Trace.ToString("x32"), Header(response, "x-request-id"));
    }

    [Theory]
    [InlineData("abc-123", true)]
    [InlineData("0HN:00000001", true)]
    [InlineData("a b", false)]
    [InlineData("", false)]
    [InlineData("<script>", false)]
    [InlineData("a\"b", false)]
    public async Task A_sane_request_id_is_repeated_and_any_other_replaced(string id, bool isSane)
    {
        await using var gateway = await GatewayTable.StartAsync();
        foreach (var (given, repeated) in new[] { (id, isSane), (new string('x', 128), true), (new string('x', 129), false) })
        {
            using var response = await gateway.PostAsync(Row(1), headers: ("X-Request-ID", given));
            Assert.Equal(repeated, Header(response, "x-request-id") == given);
            Assert.False(string.IsNullOrEmpty(Header(response, "x-request-id")));
        }
    }

    [Theory]
    [InlineData("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", true)]
    [InlineData("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-ff", true)]
    [InlineData("00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01", false)]
    [InlineData("nonsense", false)]
    public async Task A_trace_is_continued_if_it_is_valid_and_begun_if_not(string parent, bool isValid)
    {
        await using var gateway = await GatewayTable.StartAsync();
        using var response = await gateway.PostAsync(Row(1), headers: ("traceparent", parent));
        Assert.True(TraceContext.TryParse(Header(response, "traceparent"), out var trace));
        Assert.Equal(isValid, Header(response, "traceparent")!.StartsWith("00-4bf92f3577b34da6a3ce929d0e0e4736-", StringComparison.Ordinal));
        Assert.NotEqual(0x00f067aa0ba902b7ul, trace.Span);
        Assert.Equal(isValid ? 1 : 0, trace.Flags);
    }

    [Fact]
    public async Task Two_requests_are_never_of_one_id()
    {
        await using var gateway = await GatewayTable.StartAsync();
        var ids = new HashSet<string>();
        for (var i = 0; i < 50; i++)
        {
            using var response = await gateway.Client.GetAsync("/v2/health/live", Cancellation);
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
            Assert.True(ids.Add(Header(response, "x-request-id")!) && ids.Add(Header(response, "traceparent")![36..52]));
        }
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;
}
