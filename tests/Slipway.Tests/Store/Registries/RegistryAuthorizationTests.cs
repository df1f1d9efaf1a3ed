using Microsoft.AspNetCore.Http;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;
using Slipway.Store.Oci;
using Slipway.Store.Registries;

namespace Slipway.Tests.Store.Registries;

/// <summary>Who calls is proven to the registry and to its token server, and to nobody else.</summary>
public sealed class RegistryAuthorizationTests : IAsyncLifetime
{
    private static readonly byte[] content = SomeBundle.Bytes(100_000, 1);
    private static readonly RegistryCredential alice = new("alice", "p:ass wörd");

    private SpecRegistry registry = null!;
    private readonly List<string> tokens = [];

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private static OciDescriptor Blob => new("a/b", Digest.Of(content), content.Length);

    public async ValueTask InitializeAsync() => registry = await SpecRegistry.StartAsync();

    public async ValueTask DisposeAsync() => await registry.DisposeAsync();

    [Fact]
    public async Task A_name_and_a_password_are_shown_when_they_are_asked_for()
    {
        registry.Accepts = (shown, _) => shown == "Basic " + Convert.ToBase64String("alice:p:ass wörd"u8);
        using var client = registry.Client(credential: alice);
        await client.PingAsync(Stop);
        await UploadAsync(client);
        Assert.Null(registry.Calls.First().Authorization);
        Assert.Equal("registry-unauthorized", (await RegistryClientTests.FaultOfAsync(() => registry.Client(credential: alice with { Secret = "wrong" }).PingAsync(Stop))).Code);
        Assert.Equal("registry-unauthorized", (await RegistryClientTests.FaultOfAsync(() => registry.Client().PingAsync(Stop))).Code);
    }

    [Theory]
    [InlineData("token"), InlineData("access_token")]
    public async Task A_token_is_fetched_for_what_is_to_be_done(string member)
    {
        Tokens(http => $$"""{"{{member}}":"{{Issue(http)}}","expires_in":60}""");
        using var client = registry.Client(credential: alice);
        await UploadAsync(client);
        var asked = Assert.Single(registry.Calls, call => call.Elsewhere);
        Assert.StartsWith("Basic ", asked.Authorization);
        Assert.Contains("service=test%20registry", asked.Target);
        Assert.Contains("scope=repository%3Ateam%2Fmodel%3Apull%2Cpush", asked.Target);

        // To read is another scope; each is fetched once.
        await client.HasBlobAsync(Blob, Stop);
        await client.HasBlobAsync(Blob, Stop);
        Assert.Equal(2, registry.Calls.Count(call => call.Elsewhere));
    }

    [Fact]
    public async Task To_take_a_blob_over_both_repositories_are_asked_for()
    {
        Tokens(http => $$"""{"token":"{{Issue(http)}}"}""");
        registry["team/base"].Blobs[Blob.Digest] = content;
        using var client = registry.Client(credential: alice);
        Assert.True(await client.UploadAsync(Blob, (_, _) => throw new InvalidOperationException(), new RegistryReference(registry.Host, "team/base"), _ => { }, Stop));
        var asked = Assert.Single(registry.Calls, call => call.Elsewhere);
        Assert.Contains("scope=repository%3Ateam%2Fmodel%3Apull%2Cpush", asked.Target);
        Assert.Contains("scope=repository%3Ateam%2Fbase%3Apull", asked.Target);
    }

    [Fact]
    public async Task A_token_that_has_ended_is_replaced()
    {
        Tokens(http => $$"""{"token":"{{Issue(http)}}"}""");
        using var client = registry.Client();
        await client.PingAsync(Stop);
        tokens.Clear();
        await client.PingAsync(Stop);
        Assert.Equal(2, registry.Calls.Count(call => call.Elsewhere));
        Assert.All(registry.Calls.Where(call => call.Elsewhere), call => Assert.Null(call.Authorization));
    }

    [Fact]
    public async Task An_identity_token_is_exchanged_and_never_shown_to_the_registry()
    {
        var form = "";
        Tokens(http => $$"""{"access_token":"{{Issue(http)}}"}""", async http => form = await new StreamReader(http.Request.Body).ReadToEndAsync());
        using var client = registry.Client(credential: new RegistryCredential("", "identity-secret", IsIdentityToken: true));
        await client.HasBlobAsync(Blob, Stop);
        var asked = Assert.Single(registry.Calls, call => call.Elsewhere);
        Assert.Equal(("POST", null), (asked.Method, asked.Authorization));
        Assert.Contains("grant_type=refresh_token", form);
        Assert.Contains("refresh_token=identity-secret", form);
        Assert.DoesNotContain(registry.Calls, call => call.Authorization?.Contains("identity-secret") == true);
    }

    [Theory]
    [InlineData("http://registry.example.org/token")]
    [InlineData("ftp://127.0.0.1/token")]
    [InlineData("/token")]
    [InlineData("https://user:secret@registry.example.org/token")]
    public async Task Credentials_go_to_no_token_server_that_is_not_trusted(string realm)
    {
        registry.Accepts = (_, _) => false;
        registry.Challenge = $"Bearer realm=\"{realm}\",service=\"test\"";
        using var client = registry.Client(credential: alice);
        Assert.Equal("registry-strange", (await RegistryClientTests.FaultOfAsync(() => client.PingAsync(Stop))).Code);
        Assert.All(registry.Calls, call => Assert.Null(call.Authorization));
    }

    [Theory]
    [InlineData("")]
    [InlineData("not json")]
    [InlineData("null")]
    [InlineData("{}")]
    [InlineData("""{"token":""}""")]
    [InlineData("""{"token":"a\r\nX-Evil: 1"}""")]
    [InlineData("""{"token":7}""")]
    public async Task What_is_no_token_is_a_fault(string answer)
    {
        Tokens(_ => answer);
        using var client = registry.Client(credential: alice);
        Assert.Equal("registry-strange", (await RegistryClientTests.FaultOfAsync(() => client.PingAsync(Stop))).Code);
    }

    [Fact]
    public async Task A_token_without_end_is_not_read_to_its_end()
    {
        registry.Accepts = (_, _) => false;
        registry.Challenge = $"Bearer realm=\"http://{registry.Elsewhere}/token\"";
        registry.Intercept = async http =>
        {
            if (http.Request.Path != "/token")
                return false;
            while (!http.RequestAborted.IsCancellationRequested)
                await http.Response.WriteAsync(new string('a', 100_000));
            return true;
        };
        using var client = registry.Client(credential: alice);
        Assert.Equal("registry-strange", (await RegistryClientTests.FaultOfAsync(() => client.PingAsync(Stop))).Code);
    }

    [Theory]
    [InlineData("")]
    [InlineData("Bearer")]
    [InlineData("Bearer realm")]
    [InlineData("Bearer realm=\"")]
    [InlineData("Negotiate")]
    [InlineData("Digest realm=\"a\", nonce=\"b\"")]
    public async Task A_challenge_that_nobody_can_meet_ends_with_a_fault(string challenge)
    {
        registry.Accepts = (_, _) => false;
        registry.Challenge = challenge;
        using var client = registry.Client(credential: alice);
        Assert.Contains((await RegistryClientTests.FaultOfAsync(() => client.PingAsync(Stop))).Code, (string[])["registry-unauthorized", "registry-strange"]);
        Assert.All(registry.Calls, call => Assert.Null(call.Authorization));
    }

    [Theory]
    [InlineData(301), InlineData(302), InlineData(303), InlineData(307), InlineData(308)]
    public async Task A_blob_may_lie_elsewhere_and_elsewhere_learns_nothing(int status)
    {
        registry["team/model"].Blobs[Blob.Digest] = content;
        registry.Accepts = (shown, _) => shown?.StartsWith("Basic ", StringComparison.Ordinal) == true;
        registry.CutDownloads.Enqueue(1000);
        registry.Intercept = http =>
        {
            if (!http.Request.Path.StartsWithSegments("/v2/team/model/blobs") || http.Request.Headers.Authorization.Count == 0)
                return Task.FromResult(false);
            http.Response.StatusCode = status;
            http.Response.Headers.Location = $"http://{registry.Elsewhere}/store/{Blob.Digest}";
            return Task.FromResult(true);
        };
        using var client = registry.Client(credential: alice);
        using var all = new MemoryStream();
        await using (var stream = client.OpenBlob(Blob))
            await stream.CopyToAsync(all, Stop);
        Assert.Equal(content, all.ToArray());
        Assert.Equal(2, registry.Calls.Count(call => call.Elsewhere));
        Assert.All(registry.Calls.Where(call => call.Elsewhere), call => Assert.Null(call.Authorization));
    }

    [Theory]
    [InlineData("http://registry.example.org/store")]
    [InlineData("ftp://127.0.0.1/store")]
    public async Task A_redirect_to_what_is_not_trusted_is_refused(string target)
    {
        registry.Intercept = http =>
        {
            http.Response.StatusCode = 307;
            http.Response.Headers.Location = target;
            return Task.FromResult(true);
        };
        using var client = registry.Client(credential: alice);
        Assert.Equal("registry-strange", (await RegistryClientTests.FaultOfAsync(() => client.PingAsync(Stop))).Code);
    }

    [Theory]
    [InlineData("https://registry.example.org/a", "http://registry.example.org/a", false)]
    [InlineData("https://registry.example.org/a", "http://127.0.0.1/a", false)]
    [InlineData("https://registry.example.org/a", "https://store.example.org/a", true)]
    [InlineData("http://127.0.0.1:5000/a", "http://127.0.0.1:6000/a", true)]
    [InlineData("http://127.0.0.1:5000/a", "https://store.example.org/a", true)]
    [InlineData("http://10.0.0.1:5000/a", "http://10.0.0.1:5000/b", true)]
    [InlineData("http://10.0.0.1:5000/a", "http://10.0.0.2:5000/b", false)]
    public void Nothing_leads_from_tls_into_the_clear(string from, string to, bool may) => Assert.Equal(may, RegistryAddress.MayCall(new Uri(from), new Uri(to)));

    [Fact]
    public async Task Redirects_without_end_are_a_fault()
    {
        registry.Intercept = http =>
        {
            http.Response.StatusCode = 307;
            http.Response.Headers.Location = $"/v2/?{registry.Calls.Count}";
            return Task.FromResult(true);
        };
        using var client = registry.Client();
        Assert.Contains("more than", (await RegistryClientTests.FaultOfAsync(() => client.PingAsync(Stop))).Message);
        Assert.InRange(registry.Calls.Count, 2, 10);
    }

    [Fact]
    public async Task An_upload_that_is_wanted_elsewhere_brings_no_credentials_there()
    {
        registry.Accepts = (shown, _) => shown?.StartsWith("Basic ", StringComparison.Ordinal) == true;
        registry.TakesSinglePost = false;
        registry.Intercept = async http =>
        {
            if (http.Request.Method == "POST" && http.Request.Headers.Authorization.Count > 0)
            {
                http.Response.StatusCode = 202;
                http.Response.Headers.Location = $"http://{registry.Elsewhere}/upload/1";
                return true;
            }

            if (http.Request.Path != "/upload/1")
                return false;
            await http.Request.Body.CopyToAsync(Stream.Null);
            http.Response.StatusCode = 201;
            return true;
        };
        using var client = registry.Client(credential: alice);
        await UploadAsync(client);
        Assert.Null(Assert.Single(registry.Calls, call => call.Elsewhere).Authorization);
    }

    [Fact]
    public void A_credential_does_not_show_its_secret() => Assert.DoesNotContain("p:ass", $"{alice}");

    private Task<bool> UploadAsync(RegistryClient client) => client.UploadAsync(Blob, (at, _) => Task.FromResult<Stream>(new MemoryStream(content) { Position = at }), null, _ => { }, Stop);

    /// <summary>Tokens that were issued are accepted; the token server is elsewhere.</summary>
    private void Tokens(Func<HttpContext, string> answer, Func<HttpContext, Task>? look = null)
    {
        registry.Accepts = (shown, _) => shown is not null && tokens.Contains(shown);
        registry.Challenge = $"Bearer realm=\"http://{registry.Elsewhere}/token\",service=\"test registry\",scope=\"registry:catalog:*\"";
        registry.Intercept = async http =>
        {
            if (http.Request.Path != "/token")
                return false;
            if (look is not null)
                await look(http);
            await http.Response.WriteAsync(answer(http));
            return true;
        };
    }

    private string Issue(HttpContext _)
    {
        var token = $"t{registry.Calls.Count}";
        tokens.Add("Bearer " + token);
        return token;
    }
}
