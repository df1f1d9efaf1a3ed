using System.Net;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Slipway.Documents;
using Slipway.Documents.Access;
using Slipway.Documents.Incidents;
using Slipway.Documents.Ledger;
using Slipway.Documents.Monitoring;
using Slipway.Documents.Policies;
using Slipway.Documents.Registry;
using Slipway.Documents.Rollouts;
using Slipway.Primitives.Bytes;

namespace Slipway.Tests.Server.Api;

/// <summary>Walks every endpoint that changes something: none does without a reason, nor for an endless one.</summary>
public sealed class ReasonTests
{
    private const string Model = "/api/v1/models/{model}", Channel = Model + "/channels/{channel}", Rollout = Channel + "/rollouts/{rollout}";

    /// <summary>What changes nothing that people decide: uploads, a gateway's own calls, a browser's session, and a note, which is words alone.</summary>
    private static readonly string[] NoChange =
    [
        "PUT /api/v1/blobs/{digest}", "POST /api/v1/gateway/captures", "POST /api/v1/gateway/events", "POST /api/v1/gateway/report", "POST /api/v1/gateway/telemetry", "POST /api/v1/models/{model}/labels",
        "POST /api/v1/incidents/{incident}/notes",
        "POST /sign-in", "POST /sign-out",
    ];

    private static readonly Dictionary<string, Func<string, ByteArrayContent>> Changes = new()
    {
        [$"POST {Channel}/releases"] = why => Json(new ReleaseRequest(1, why), RolloutJson.Default.ReleaseRequest),
        [$"POST {Channel}/rollback"] = why => Json(new RollbackRequest(why), RolloutJson.Default.RollbackRequest),
        [$"POST {Rollout}/abort"] = Command,
        [$"POST {Rollout}/pause"] = Command,
        [$"POST {Rollout}/resume"] = Command,
        [$"POST {Rollout}/rollback"] = Command,
        [$"POST {Model}/plans"] = why => Json(new PlanRequest(ReleasePlan.Default, why), RegistryJson.Default.PlanRequest),
        [$"POST {Model}/promotions"] = why => Json(new PromotionRequest(1, "staging", why), RegistryJson.Default.PromotionRequest),
        [$"POST {Model}/promotions/{{number}}/votes"] = why => Json(new Vote(true, why), RegistryJson.Default.Vote),
        [$"POST {Model}/versions"] = why => Json(new VersionPush(Digest.Of([]), [], null, why), RegistryJson.Default.VersionPush),
        ["PUT /api/v1/policy"] = why => Json(new PolicyRequest(Policy.Default, why), PolicyJson.Default.PolicyRequest),
        ["POST /api/v1/principals"] = why => Json(new NewPrincipal("Ada", PrincipalKind.Person, [], [], why), AccessJson.Default.NewPrincipal),
        ["POST /api/v1/principals/{principal}/changes"] = why => Json(new PrincipalChange("Ada", null, [], [], [], [], why), AccessJson.Default.PrincipalChange),
        ["POST /api/v1/tokens"] = why => Json(new NewToken(null, "a laptop", [], 1, why), AccessJson.Default.NewToken),
        ["POST /api/v1/tokens/{token}/revoke"] = why => Json(new RevokeToken(false, why), AccessJson.Default.RevokeToken),
        ["POST /api/v1/trusted-keys"] = why => Json(new NewTrustedKey("a key", "", [KeyRole.Builder], null, why), AccessJson.Default.NewTrustedKey),
        ["POST /api/v1/trusted-keys/{key}/revoke"] = why => Json(new ReasonOnly(why), AccessJson.Default.ReasonOnly),
        [$"POST {Model}/captures/erase"] = why => Json(new ReasonOnly(why), AccessJson.Default.ReasonOnly),
        ["POST /api/v1/incidents/{incident}/close"] = why => Json(new CloseRequest("a full disk", why), IncidentJson.Default.CloseRequest),
        ["POST /api/v1/webhooks"] = why => Json(new WebhookRequest("ops", new Uri("https://hooks.example.org/"), "*", why), MonitoringJson.Default.WebhookRequest),
        ["POST /api/v1/webhooks/{webhook}/remove"] = why => Json(new WebhookRemoval(why), MonitoringJson.Default.WebhookRemoval),
        ["POST /api/v1/webhooks/{webhook}/retry"] = why => Json(new WebhookRetry(why), MonitoringJson.Default.WebhookRetry),
        ["POST /api/v1/ledger/entries/{index}/erase"] = why => Json(new LedgerErasureRequest(why), LedgerJson.Default.LedgerErasureRequest),
    };

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_change_wants_a_reason_that_is_neither_empty_nor_endless()
    {
        await using var server = await TestServer.StartAsync();
        // The pages' forms give the same orders, and take the same reasons: see PageFormTests.
        var writing = server.Plane.Endpoints.Where(endpoint => endpoint.Method is not ("GET" or "HEAD") && !server.Plane.Pages.Any(page => page.Path == endpoint.Path)).Select(endpoint => $"{endpoint.Method} {endpoint.Path}");
        Assert.Equal(Changes.Keys.Concat(NoChange).Order(StringComparer.Ordinal), writing.Order(StringComparer.Ordinal));

        var (_, token) = await server.NewTokenAsync("everything", [], [.. Enum.GetValues<Role>().Where(role => role != Role.Gateway).Select(role => new RoleGrant(role, "*"))]);
        var client = server.As(token);
        var ledger = await client.GetStringAsync("/api/v1/ledger/checkpoint", Stop);
        foreach (var (change, body) in Changes)
        {
            Assert.Equal((change, "no-reason"), (change, await CodeAsync(client, change, body(" "))));
            Assert.Equal((change, "long-reason"), (change, await CodeAsync(client, change, body(new string('x', IChangeRequest.LongestReason + 1)))));
        }

        Assert.Equal(ledger, await client.GetStringAsync("/api/v1/ledger/checkpoint", Stop));
        // As long as it may be is taken: what is refused then is refused for something else.
        foreach (var (change, body) in Changes)
            Assert.NotEqual((change, "long-reason"), (change, await CodeAsync(client, change, body(new string('x', IChangeRequest.LongestReason)), tries: true)));
    }

    private static ByteArrayContent Command(string why) => Json(new RolloutCommand(why), RolloutJson.Default.RolloutCommand);

    private static ByteArrayContent Json<T>(T body, JsonTypeInfo<T> type) => TestServer.Json(body, type);

    /// <param name="tries">Whether it may succeed.</param>
    private static async Task<string> CodeAsync(HttpClient client, string change, ByteArrayContent body, bool tries = false)
    {
        var (method, path) = change.Split(' ') switch { var parts => (parts[0], parts[1]) };
        path = path.Replace("{model}", "flight-delay").Replace("{channel}", "staging").Replace("{number}", "1").Replace("{index}", "0");
        using var request = new HttpRequestMessage(new HttpMethod(method), path.Replace("{", "no-").Replace("}", "")) { Content = body };
        using var answer = await client.SendAsync(request, Stop);
        if (tries && answer.IsSuccessStatusCode)
            return "";
        Assert.True(tries || answer.StatusCode == HttpStatusCode.BadRequest, $"{change}: {(int)answer.StatusCode}");
        return JsonSerializer.Deserialize(await answer.Content.ReadAsStringAsync(Stop), RegistryJson.Default.ErrorDocument)!.Faults[0].Code;
    }
}
