using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Slipway.Documents.Access;
using Slipway.Server.Api;

namespace Slipway.Tests.Server.Api;

/// <summary>
/// Walks every endpoint of the composed server as every role, over the role's own model and another one. Denied is what nobody allowed:
/// an endpoint that is not on the list below fails, and so does one that asks for less than the list says.
/// </summary>
public sealed class AuthorizationTests
{
    private const string Own = "flight-delay", Other = "other-model";

    /// <summary>All endpoints, and what each asks for. <c>anywhere</c>: over at least one model; otherwise over the path's, or else over all.</summary>
    private const string Table =
        """
        GET    /api/v1/alerts                                                       Read anywhere
        GET    /api/v1/all-tokens                                                   Administer
        GET    /api/v1/blobs/{digest}                                               Fetch anywhere
        HEAD   /api/v1/blobs/{digest}                                               Push anywhere
        PUT    /api/v1/blobs/{digest}                                               Push anywhere
        GET    /api/v1/bundles/{digest}                                             Fetch anywhere
        GET    /api/v1/gateway/desired                                              Gateway
        POST   /api/v1/gateway/captures                                             Gateway
        POST   /api/v1/gateway/events                                               Gateway
        POST   /api/v1/gateway/report                                               Gateway
        GET    /api/v1/incidents                                                    Read anywhere
        GET    /api/v1/incidents/{incident}                                         Read anywhere
        POST   /api/v1/incidents/{incident}/close                                   Operate anywhere
        POST   /api/v1/incidents/{incident}/notes                                   Operate anywhere
        POST   /api/v1/gateway/telemetry                                            Gateway
        GET    /api/v1/ledger/checkpoint                                            Read anywhere
        GET    /api/v1/ledger/entries                                               Read anywhere
        POST   /api/v1/ledger/entries/{index}/erase                                 Administer
        GET    /api/v1/ledger/key                                                   Read anywhere
        GET    /api/v1/ledger/proof/{index}                                         Read anywhere
        GET    /api/v1/ledger/tile/{**path}                                         Read
        GET    /api/v1/models                                                       Read anywhere
        GET    /api/v1/models/{model}                                               Read
        GET    /api/v1/models/{model}/alerts                                        Read
        GET    /api/v1/models/{model}/captures                                      Operate
        GET    /api/v1/models/{model}/captures/{id}                                 Operate
        POST   /api/v1/models/{model}/captures/erase                                Administer
        GET    /api/v1/models/{model}/channels                                      Read
        GET    /api/v1/models/{model}/channels/{channel}/monitoring                 Read
        GET    /api/v1/models/{model}/channels/{channel}/monitoring.csv             Read
        POST   /api/v1/models/{model}/channels/{channel}/releases                   Operate
        POST   /api/v1/models/{model}/channels/{channel}/rollback                   Operate
        GET    /api/v1/models/{model}/channels/{channel}/rollouts                   Read
        GET    /api/v1/models/{model}/channels/{channel}/rollouts/{rollout}         Read
        POST   /api/v1/models/{model}/channels/{channel}/rollouts/{rollout}/abort   Operate
        POST   /api/v1/models/{model}/channels/{channel}/rollouts/{rollout}/pause   Operate
        POST   /api/v1/models/{model}/channels/{channel}/rollouts/{rollout}/resume  Operate
        POST   /api/v1/models/{model}/channels/{channel}/rollouts/{rollout}/rollback Operate
        GET    /api/v1/models/{model}/history                                       Read
        POST   /api/v1/models/{model}/labels                                        Label
        GET    /api/v1/models/{model}/plans                                         Read
        POST   /api/v1/models/{model}/plans                                         Push
        GET    /api/v1/models/{model}/promotions                                    Read
        POST   /api/v1/models/{model}/promotions                                    Promote
        GET    /api/v1/models/{model}/promotions/{number}                           Read
        POST   /api/v1/models/{model}/promotions/{number}/votes                     Approve
        GET    /api/v1/models/{model}/retraining                                    Read
        GET    /api/v1/models/{model}/versions                                      Read
        POST   /api/v1/models/{model}/versions                                      Push
        GET    /api/v1/models/{model}/versions/{number}                             Read
        GET    /api/v1/policies                                                     Administer
        GET    /api/v1/policy                                                       Read anywhere
        PUT    /api/v1/policy                                                       Administer
        GET    /api/v1/principals                                                   Administer
        POST   /api/v1/principals                                                   Administer
        GET    /api/v1/principals/{principal}                                       Administer
        POST   /api/v1/principals/{principal}/changes                               Administer
        GET    /api/v1/promotions                                                   Read anywhere
        GET    /api/v1/tokens                                                       SignedIn
        POST   /api/v1/tokens                                                       SignedIn
        POST   /api/v1/tokens/{token}/revoke                                        SignedIn
        GET    /api/v1/trusted-keys                                                 Read anywhere
        POST   /api/v1/trusted-keys                                                 Administer
        POST   /api/v1/trusted-keys/{key}/revoke                                    Administer
        GET    /api/v1/webhooks                                                     Administer
        POST   /api/v1/webhooks                                                     Administer
        GET    /api/v1/webhooks/{webhook}/deliveries                                Administer
        POST   /api/v1/webhooks/{webhook}/remove                                    Administer
        POST   /api/v1/webhooks/{webhook}/retry                                     Administer
        GET    /api/v1/whoami                                                       SignedIn
        GET    /assets/{asset}                                                      Anyone
        GET    /health/live                                                         Anyone
        GET    /health/ready                                                        Anyone
        GET    /sign-in                                                             Anyone
        POST   /sign-in                                                             Anyone
        POST   /sign-out                                                            Anyone
        """;

    /// <summary>Written out once more here, so that a slip in the server's own table does not pass for the rule.</summary>
    private static readonly Dictionary<Role, Permission[]> May = new()
    {
        [Role.Viewer] = [Permission.Read, Permission.Fetch],
        [Role.Author] = [Permission.Read, Permission.Fetch, Permission.Push, Permission.Promote, Permission.Label],
        [Role.Approver] = [Permission.Read, Permission.Fetch, Permission.Approve],
        [Role.Operator] = [Permission.Read, Permission.Fetch, Permission.Promote, Permission.Operate, Permission.Label],
        [Role.Admin] = [Permission.Read, Permission.Fetch, Permission.Administer],
        [Role.Gateway] = [Permission.Gateway, Permission.Fetch],
    };

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_endpoint_is_on_the_list_with_what_it_asks_for()
    {
        await using var server = await TestServer.StartAsync();
        var listed = Table.Split('\n').Select(line => string.Join(' ', line.Split(' ', StringSplitOptions.RemoveEmptyEntries))).Order(StringComparer.Ordinal);
        // What asks for a browser's session is walked by PageAccessTests.
        var there = server.Plane.Endpoints.Where(endpoint => !server.Plane.Pages.Any(page => (page.Method, page.Path) == (endpoint.Method, endpoint.Path)))
            .Select(endpoint => $"{endpoint.Method} {(endpoint.Path.StartsWith("/assets/", StringComparison.Ordinal) ? "/assets/{asset}" : endpoint.Path)} {endpoint.Permission}{(endpoint.AnyModel ? " anywhere" : "")}")
            .Distinct().Order(StringComparer.Ordinal);
        Assert.Equal(listed, there);
    }

    [Fact]
    public async Task Every_role_may_call_what_its_permissions_say_and_nothing_else()
    {
        await using var server = await TestServer.StartAsync();
        var wrong = new List<string>();
        var denied = 0;
        foreach (var (name, client, roles) in await CallersAsync(server))
        {
            foreach (var endpoint in server.Plane.Endpoints)
            {
                foreach (var model in endpoint.Path.Contains("{model}") ? new[] { Own, Other } : [Own])
                {
                    var expected = Expected(endpoint, roles, model);
                    var path = Concrete(endpoint.Path, model);
                    foreach (var method in endpoint.Method == "GET" && !server.Plane.Endpoints.Any(other => other.Method == "HEAD" && other.Path == endpoint.Path) ? new[] { "GET", "HEAD" } : [endpoint.Method])
                    {
                        using var response = await client.SendAsync(new HttpRequestMessage(new(method), path), Cancellation);
                        var got = response.StatusCode is HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden ? response.StatusCode : HttpStatusCode.OK;
                        if (got != expected)
                            wrong.Add($"{name}: {method} {path} → {(int)response.StatusCode}, expected {(expected == HttpStatusCode.OK ? "allowed" : (int)expected)}");
                        if (response.StatusCode == HttpStatusCode.InternalServerError)
                            wrong.Add($"{name}: {method} {path} → a bug");
                        if (expected != HttpStatusCode.OK)
                            denied++;
                    }
                }
            }
        }

        Assert.Empty(wrong);
        Assert.True(denied > 100, "the walk has met too few refusals to mean anything");
    }

    [Fact]
    public async Task A_model_that_is_not_there_looks_like_one_that_may_not_be_seen()
    {
        await using var server = await TestServer.StartAsync();
        var viewer = await server.AsAsync(Role.Viewer, Own);
        async Task<string> AnswerAsync(string model)
        {
            using var response = await viewer.GetAsync($"/api/v1/models/{model}/versions", Cancellation);
            return $"{(int)response.StatusCode} {(await response.Content.ReadAsStringAsync(Cancellation)).Replace(model, "MODEL")}";
        }

        Assert.StartsWith("403", await AnswerAsync(Other));
        Assert.Equal(await AnswerAsync(Other), await AnswerAsync("no-such-model"));
        Assert.Equal(await AnswerAsync(Other), await AnswerAsync("NO..%2fNAME"));
    }

    /// <summary>The body is announced and never sent: who waits for it would not answer.</summary>
    [Theory]
    [InlineData("", "401")]
    [InlineData("viewer", "403")]
    public async Task A_refusal_comes_before_the_body_is_read(string who, string status)
    {
        await using var server = await TestServer.StartAsync();
        var token = who.Length == 0 ? "" : (await server.NewTokenAsync(who, [], new RoleGrant(Role.Viewer, Own))).Token;
        using var socket = new TcpClient();
        await socket.ConnectAsync(IPAddress.Loopback, server.Url.Port, Cancellation);
        await using var stream = socket.GetStream();
        await stream.WriteAsync(
            Encoding.ASCII.GetBytes($"POST /api/v1/principals HTTP/1.1\r\nHost: localhost\r\n{(token.Length == 0 ? "" : $"Authorization: Bearer {token}\r\n")}Content-Length: 1000000\r\nExpect: 100-continue\r\n\r\n"), Cancellation);
        using var reader = new StreamReader(stream, Encoding.ASCII);
        Assert.StartsWith($"HTTP/1.1 {status}", await reader.ReadLineAsync(Cancellation));
    }

    private static HttpStatusCode Expected(ApiEndpoint endpoint, ImmutableArray<RoleGrant>? roles, string model)
    {
        if (endpoint.Permission == Permission.Anyone)
            return HttpStatusCode.OK;
        if (roles is not { } held)
            return HttpStatusCode.Unauthorized;
        if (endpoint.Permission == Permission.SignedIn)
            return HttpStatusCode.OK;
        var over = held.Where(role => May[role.Role].Contains(endpoint.Permission)).Select(role => role.Model).ToArray();
        var allowed = endpoint.AnyModel ? over.Length > 0 : over.Contains("*") || endpoint.Path.Contains("{model}") && over.Contains(model);
        return allowed ? HttpStatusCode.OK : HttpStatusCode.Forbidden;
    }

    /// <summary>Null roles for callers without a good token.</summary>
    private static async Task<List<(string Name, HttpClient Client, ImmutableArray<RoleGrant>? Roles)>> CallersAsync(TestServer server)
    {
        var callers = new List<(string, HttpClient, ImmutableArray<RoleGrant>?)>
        {
            ("nobody", server.Anonymous, null),
            ("a gateway beside the server", server.As(server.Plane.LocalGatewayToken), [new RoleGrant(Role.Gateway, "*")]),
            ("without a role", server.As((await server.NewTokenAsync("without a role", [])).Token), []),
        };
        foreach (var role in Enum.GetValues<Role>())
        {
            foreach (var model in new[] { Own, "*" })
                callers.Add(($"{role} of {model}", await server.AsAsync(role, model), [new RoleGrant(role, model)]));
        }

        return callers;
    }

    private static string Concrete(string path, string model) => string.Join('/', path.Split('/').Select(segment => segment switch
    {
        "{model}" => model,
        "{channel}" => "staging",
        "{number}" or "{index}" => "1",
        "{digest}" => "sha256:" + new string('0', 64),
        "{**path}" => "0/000",
        _ when segment.StartsWith('{') => "none",
        _ => segment,
    }));
}
