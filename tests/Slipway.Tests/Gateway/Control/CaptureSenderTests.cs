using Slipway.Gateway.Control;
using Slipway.Gateway.Sampling;
using Slipway.Trust.Encryption;
using Slipway.Trust.Signing;

namespace Slipway.Tests.Gateway.Control;

/// <summary>Captured requests on their way to a server.</summary>
public sealed class CaptureSenderTests : IAsyncLifetime
{
    private readonly SealedModels models = new();
    private readonly SigningKey key = SigningKey.Create();
    private readonly CaptureBuffer buffer = new();
    private readonly List<string> log = [];
    private ScriptedServer server = null!;
    private ServerLink link = null!;
    private CaptureSender sender = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        server = await ScriptedServer.StartAsync(models.Layout);
        link = new ServerLink(server.Url, ScriptedServer.Token, TimeProvider.System);
        sender = new CaptureSender(
            new GatewayOptions { Name = "edge-1", Channel = "production", Folder = "", Server = server.Url, Token = ScriptedServer.Token, Trusted = KeyRing.Of(), Log = log.Add }, "boot", link, buffer, key.PublicKey);
    }

    public async ValueTask DisposeAsync()
    {
        link.Dispose();
        key.Dispose();
        await server.DisposeAsync();
        models.Dispose();
    }

    [Fact]
    public async Task What_a_server_that_is_away_did_not_take_is_sent_when_it_is_back_and_only_then_makes_room()
    {
        server.Up = false;
        buffer.Add("late", 1, new byte[CaptureBuffer.MostOfOne]);
        buffer.Add("late", 2, new byte[CaptureBuffer.MostOfOne]);
        await sender.FlushAsync(Stop);
        Assert.Contains("did not reach the server", Assert.Single(log));
        buffer.Add("late", 3, "no room\n"u8);

        server.Up = true;
        await sender.FlushAsync(Stop);
        Assert.Contains("1 requests were not captured", log[^1]);
        Assert.Equal(["boot-1", "boot-2"], server.Captures.Select(capture => capture.Id));
        buffer.Add("late", 4, "room again\n"u8);
        await sender.FlushAsync(Stop);
        var last = server.Captures.Last();
        Assert.Equal(("boot-3", "late"), (last.Id, last.Model));
        Assert.Equal("room again\n"u8, SealedMessage.Open(last.Message, key));
    }

    [Fact]
    public async Task What_a_server_refuses_is_given_up_and_keeps_nothing_else_waiting()
    {
        server.CaptureStatus = model => model == "unasked" ? 409 : 204;
        buffer.Add("unasked", 1, new byte[CaptureBuffer.MostOfOne]);
        buffer.Add("late", 2, "wanted\n"u8);
        await sender.FlushAsync(Stop);
        Assert.Contains("captured requests of unasked are given up", Assert.Single(log));
        Assert.Equal("late", Assert.Single(server.Captures).Model);
        buffer.Add("late", 3, new byte[CaptureBuffer.MostOfOne]);
        buffer.Add("late", 4, new byte[CaptureBuffer.MostOfOne]);
        Assert.Equal(2, buffer.Take(out var lost).Sum(captured => captured.Requests));
        Assert.Equal(0, lost);
    }
}
