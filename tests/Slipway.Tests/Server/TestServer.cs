using System.Collections.Concurrent;
using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Slipway.Documents.Access;
using Slipway.Primitives.Bytes;
using Slipway.Server;
using Slipway.Server.Api;
using Slipway.Tests.Server.Storage;

namespace Slipway.Tests.Server;

/// <summary>A control plane on a temporary folder, on either database, with a client for every role.</summary>
internal sealed class TestServer : IAsyncDisposable
{
    private readonly ConcurrentDictionary<string, HttpClient> clients = new();
    private readonly TestDatabase store;
    private readonly Func<ServerOptions, ServerOptions> with;

    private TestServer(TestDatabase store, Func<ServerOptions, ServerOptions> with) => (this.store, this.with) = (store, with);

    public ControlPlane Plane { get; private set; } = null!;

    public Uri Url => Plane.Url;

    /// <summary>What the server stores in; open it again to look.</summary>
    public TestDatabase Store => store;

    /// <summary>The first administrator's: may do all but a gateway's part.</summary>
    public string AdminToken { get; private set; } = "";

    public HttpClient Admin => As(AdminToken);

    public HttpClient Anonymous => As("");

    /// <param name="with">Changes the options, such as <c>options => options with { Time = clock }</c>.</param>
    /// <param name="own">A PostgreSQL of the test's own, which it may stop.</param>
    public static async Task<TestServer> StartAsync(DatabaseKind kind = DatabaseKind.Sqlite, Func<ServerOptions, ServerOptions>? with = null, PostgresCluster? own = null)
    {
        var server = new TestServer(await TestDatabase.PrepareAsync(kind, own), with ?? (options => options));
        try
        {
            await server.StartPlaneAsync();
            server.AdminToken = server.Plane.FirstAdminToken!;
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <summary>Stops the server, and starts it again on the same store.</summary>
    /// <param name="between">Done while it is stopped.</param>
    /// <param name="samePort">Whether it listens where it did, as browsers need it; else its port is another one.</param>
    public async Task RestartAsync(Func<Task>? between = null, bool samePort = false)
    {
        var port = samePort ? Url.Port : 0;
        await Plane.DisposeAsync();
        if (between is not null)
            await between();
        foreach (var client in clients.Values)
            client.Dispose();
        clients.Clear();
        await StartPlaneAsync(port);
    }

    /// <summary>Opens a client that calls with a token; an empty one calls without.</summary>
    public HttpClient As(string token) => clients.GetOrAdd(token, _ =>
    {
        var client = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false }) { BaseAddress = Url };
        if (token.Length > 0)
            client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        return client;
    });

    /// <summary>A client of a new person (a new service for a gateway) with one role.</summary>
    /// <param name="model">The model that the role is over.</param>
    public async Task<HttpClient> AsAsync(Role role, string model = RoleGrant.AllModels, params string[] groups) =>
        As((await NewTokenAsync($"{role} of {model}", groups, new RoleGrant(role, model))).Token);

    /// <summary>How long new tokens are valid, in days.</summary>
    public int TokenDays { get; set; } = 1;

    /// <summary>Makes a principal with these roles, and enrols a token that nobody else has held.</summary>
    public async Task<(string Id, string Token)> NewTokenAsync(string name, string[] groups, params RoleGrant[] roles)
    {
        var kind = roles.Any(role => role.Role == Role.Gateway) ? PrincipalKind.Service : PrincipalKind.Person;
        var principal = await PostAsync(
            Admin, "/api/v1/principals", new NewPrincipal(name, kind, [.. groups], [.. roles], "a test"), AccessJson.Default.NewPrincipal, AccessJson.Default.Principal);
        var made = TokenSecret.Create();
        await PostAsync(
            Admin, "/api/v1/tokens", new NewToken(principal.Id, "a test's", [], TokenDays, "a test") { Hash = made.Hash }, AccessJson.Default.NewToken, AccessJson.Default.IssuedToken);
        return (principal.Id, made.Text);
    }

    public static async Task<TAnswer> PostAsync<TBody, TAnswer>(HttpClient client, string path, TBody body, JsonTypeInfo<TBody> bodyType, JsonTypeInfo<TAnswer> answerType)
    {
        using var response = await client.PostAsync(path, Json(body, bodyType), TestContext.Current.CancellationToken);
        return await ReadAsync(response, answerType);
    }

    public static async Task<T> GetAsync<T>(HttpClient client, string path, JsonTypeInfo<T> type)
    {
        using var response = await client.GetAsync(path, TestContext.Current.CancellationToken);
        return await ReadAsync(response, type);
    }

    public static ByteArrayContent Json<T>(T body, JsonTypeInfo<T> type) =>
        new(CanonicalJson.Serialize(body, type)) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } };

    public async ValueTask DisposeAsync()
    {
        foreach (var client in clients.Values)
            client.Dispose();
        if (Plane is not null)
            await Plane.DisposeAsync();
        await store.DisposeAsync();
    }

    private static async Task<T> ReadAsync<T>(HttpResponseMessage response, JsonTypeInfo<T> type)
    {
        var text = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.True(response.IsSuccessStatusCode, $"{(int)response.StatusCode} to {response.RequestMessage!.Method} {response.RequestMessage.RequestUri}: {text}");
        return JsonSerializer.Deserialize(text, type)!;
    }

    private async Task StartPlaneAsync(int port = 0) => Plane = await ControlPlane.StartAsync(
        with(new ServerOptions { Folder = store.Folder, Database = store.Connection, Port = port }), TestContext.Current.CancellationToken);
}
