using System.Collections.Immutable;
using System.Net;
using System.Text;
using Slipway.Documents.Access;
using Slipway.Documents.Incidents;
using Slipway.Documents.Rollouts;
using Slipway.Primitives.Units;
using Slipway.Server.Captures;
using Slipway.Server.Monitoring;
using Slipway.Tests.Server.Registry;
using Slipway.Trust.Encryption;
using Slipway.Trust.Signing;

namespace Slipway.Tests.Server.Captures;

public sealed class CaptureTests
{
    private const string Captures = $"/api/v1/models/{TestRegistry.Model}/captures";

    private readonly TestClock clock = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_a_gateway_captured_comes_back_sealed_once_and_is_written_down()
    {
        await using var registry = await StartAsync();
        using var key = SigningKey.Create();
        var gateway = await registry.Server.AsAsync(Role.Gateway);
        var message = SealedMessage.Seal("{}\n"u8, key.PublicKey);
        Assert.Equal(HttpStatusCode.NoContent, await SendAsync(gateway, "b-1", message));
        Assert.Equal(HttpStatusCode.NoContent, await SendAsync(gateway, "b-1", message));

        var operating = await registry.Server.AsAsync(Role.Operator);
        var capture = Assert.Single(await ListAsync(operating));
        Assert.Equal((5, message.Length, key.PublicKey.KeyId), (capture.Requests, capture.Size, capture.Recipient));
        Assert.Equal(message, await operating.GetByteArrayAsync($"{Captures}/{capture.Id}", Stop));
        Assert.Contains("capture.read", await registry.Server.Admin.GetStringAsync("/api/v1/ledger/entries", Stop), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nothing_is_kept_that_is_open_or_that_no_plan_asks_for()
    {
        using var key = SigningKey.Create();
        foreach (var (asks, refusal, message) in new[] { (false, HttpStatusCode.Conflict, SealedMessage.Seal("{}\n"u8, key.PublicKey)), (true, HttpStatusCode.BadRequest, Encoding.UTF8.GetBytes("""{"inputs":[]}""")) })
        {
            await using var registry = await StartAsync(asks);
            Assert.Equal(refusal, await SendAsync(await registry.Server.AsAsync(Role.Gateway), "b-1", message));
            Assert.Empty(await ListAsync(registry.Server.Admin));
        }
    }

    [Fact]
    public async Task It_is_gone_when_its_time_is_over_or_when_it_is_erased()
    {
        await using var registry = await StartAsync();
        using var key = SigningKey.Create();
        var gateway = await registry.Server.AsAsync(Role.Gateway);
        await SendAsync(gateway, "b-1", SealedMessage.Seal("{}\n"u8, key.PublicKey));
        var id = Assert.Single(await ListAsync(registry.Server.Admin)).Id;
        clock.Step(TimeSpan.FromHours(1));
        Assert.Empty(await ListAsync(registry.Server.Admin));
        using (var gone = await registry.Server.Admin.GetAsync($"{Captures}/{id}", Stop))
            Assert.Equal(HttpStatusCode.NotFound, gone.StatusCode);

        await SendAsync(gateway, "b-2", SealedMessage.Seal("{}\n"u8, key.PublicKey));
        Assert.Single(await ListAsync(registry.Server.Admin));
        using var erased = await registry.Server.Admin.PostAsync($"{Captures}/erase", TestServer.Json(new ReasonOnly("a person asked"), AccessJson.Default.ReasonOnly), Stop);
        Assert.Equal(HttpStatusCode.NoContent, erased.StatusCode);
        Assert.Empty(await ListAsync(registry.Server.Admin));
    }

    [Fact]
    public async Task What_nobody_asks_for_and_nothing_follows_is_deleted_all_the_same()
    {
        await using var registry = await StartAsync();
        using var key = SigningKey.Create();
        await SendAsync(await registry.Server.AsAsync(Role.Gateway), "b-1", SealedMessage.Seal("{}\n"u8, key.PublicKey));
        var database = await registry.Server.Store.OpenAgainAsync();
        clock.Step(TimeSpan.FromHours(1));
        await database.ChangeAsync(session => Retention.PurgeAsync(session, clock.GetUtcNow().ToUnixTimeMilliseconds()), Stop);
        Assert.Equal(0, await database.ReadAsync(session => session.FindAsync<long>("SELECT COUNT(*) FROM captures"), Stop));
    }

    [Fact]
    public async Task A_gateway_cannot_take_another_s_capture_s_name_and_so_keep_it_out()
    {
        await using var registry = await StartAsync();
        using var key = SigningKey.Create();
        var (one, other) = (SealedMessage.Seal("1\n"u8, key.PublicKey), SealedMessage.Seal("2\n"u8, key.PublicKey));
        var gateway = await registry.Server.AsAsync(Role.Gateway);
        Assert.Equal(HttpStatusCode.NoContent, await SendAsync(gateway, "b-1", one, name: "other"));
        Assert.Equal(HttpStatusCode.NoContent, await SendAsync(gateway, "b-1", other));
        Assert.Equal(["edge", "other"], (await ListAsync(registry.Server.Admin)).Select(capture => capture.Gateway).Order());
    }

    [Fact]
    public async Task What_the_server_got_first_makes_room_whatever_its_gateway_said_of_the_time()
    {
        await using var registry = await StartAsync();
        var database = await registry.Server.Store.OpenAgainAsync();
        var now = clock.GetUtcNow().ToUnixTimeMilliseconds();
        for (var i = 0; i < 4; i++)
        {
            // The first claims to be the latest.
            var info = new CaptureInfo($"b-{i}", TestRegistry.Model, "production", "edge", i == 0 ? now : now - 1_000, now, 1, 100, "key", now + 1_000 + i);
            await database.ChangeAsync(session => CaptureTable.AddAsync(session, info, new byte[100], most: 250), Stop);
        }

        Assert.Equal(["b-2", "b-3"], (await ListAsync(registry.Server.Admin)).Select(capture => capture.Id).Order());
    }

    [Fact]
    public async Task More_than_one_answer_holds_is_told_and_not_cut_off()
    {
        await using var registry = await StartAsync();
        var database = await registry.Server.Store.OpenAgainAsync();
        var now = clock.GetUtcNow().ToUnixTimeMilliseconds();
        await database.ChangeAsync(
            async session =>
            {
                for (var i = 0; i <= CaptureTable.MostListed; i++)
                    await CaptureTable.AddAsync(session, new CaptureInfo($"b-{i}", TestRegistry.Model, "production", "edge", now - i, now - i, 1, 1, "key", now + 1_000), [0]);
            },
            Stop);
        using var refused = await registry.Server.Admin.GetAsync($"{Captures}?channel=production&from=0&to={now}", Stop);
        Assert.Equal(HttpStatusCode.BadRequest, refused.StatusCode);
        Assert.Contains("--from", await refused.Content.ReadAsStringAsync(Stop), StringComparison.Ordinal);
        Assert.Equal(CaptureTable.MostListed, (await TestServer.GetAsync(registry.Server.Admin, $"{Captures}?channel=production&from={now - CaptureTable.MostListed + 1}&to={now}", IncidentJson.Default.ImmutableArrayCaptureInfo)).Length);
    }

    private async Task<TestRegistry> StartAsync(bool asks = true)
    {
        var registry = await TestRegistry.StartAsync(with: options => options with { Time = clock });
        var bundle = registry.Seal();
        await registry.UploadAsync(registry.Server.Admin, bundle);
        var rules = new CaptureRules(new Ratio(1), [], [], new Duration(TimeSpan.FromHours(1)));
        await registry.PushAsync(registry.Server.Admin, bundle, ReleasePlan.Default with { Monitor = MonitorPlan.Default with { Capture = asks ? rules : null } });
        return registry;
    }

    private async Task<HttpStatusCode> SendAsync(HttpClient gateway, string id, byte[] message, string name = "edge")
    {
        var at = clock.GetUtcNow().ToUnixTimeMilliseconds();
        using var response = await gateway.PostAsync(
            $"/api/v1/gateway/captures?model={TestRegistry.Model}&channel=production&gateway={name}&id={id}&from={at - 1000}&to={at}&requests=5", new ByteArrayContent(message), Stop);
        return response.StatusCode;
    }

    private Task<ImmutableArray<CaptureInfo>> ListAsync(HttpClient client) => TestServer.GetAsync(
        client, $"{Captures}?channel=production&from=0&to={clock.GetUtcNow().ToUnixTimeMilliseconds()}", IncidentJson.Default.ImmutableArrayCaptureInfo);
}
