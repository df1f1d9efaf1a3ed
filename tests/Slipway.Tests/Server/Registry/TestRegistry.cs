using System.Collections.Immutable;
using System.Net;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Slipway.Documents.Access;
using Slipway.Documents.Policies;
using Slipway.Documents.Registry;
using Slipway.Documents.Rollouts;
using Slipway.Documents.Runs;
using Slipway.Pipeline.Sealing;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;
using Slipway.Server.Api;
using Slipway.Store.Oci;
using Slipway.Tests.Pipeline.Sealing;
using Slipway.Tests.Primitives;
using Slipway.Tests.Server.Storage;
using Slipway.Trust.Attestations;
using Slipway.Trust.Signing;

namespace Slipway.Tests.Server.Registry;

/// <summary>A server, a layout with sealed bundles beside it, and what a person does with both.</summary>
internal sealed class TestRegistry : IAsyncDisposable
{
    public const string Model = "flight-delay";

    private readonly TestFolder folder = new();
    private int seals;

    private TestRegistry(TestServer server)
    {
        Server = server;
        Sample = new SealedSample(folder.Root);
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public TestServer Server { get; }

    public SealedSample Sample { get; }

    public OciLayout Layout => Sample.Layout;

    /// <summary>Trusts the sample's key as a builder's.</summary>
    /// <param name="trusts">False for a server that trusts nobody yet.</param>
    public static async Task<TestRegistry> StartAsync(DatabaseKind kind = DatabaseKind.Sqlite, bool trusts = true, Func<ServerOptions, ServerOptions>? with = null)
    {
        var registry = new TestRegistry(await TestServer.StartAsync(kind, with));
        if (trusts)
            await registry.TrustAsync(registry.Sample.Key.PublicKey, KeyRole.Builder);
        return registry;
    }

    public Task<TrustedKey> TrustAsync(VerificationKey key, KeyRole role, string? owner = null) => TestServer.PostAsync(
        Server.Admin, "/api/v1/trusted-keys", new NewTrustedKey("a key", key.ToPem(), [role], owner, "a test"), AccessJson.Default.NewTrustedKey, AccessJson.Default.TrustedKey);

    public Task<TrustedKey> RevokeAsync(string key) =>
        TestServer.PostAsync(Server.Admin, $"/api/v1/trusted-keys/{key}/revoke", new ReasonOnly("it leaked"), AccessJson.Default.ReasonOnly, AccessJson.Default.TrustedKey);

    /// <summary>Seals the sample run, signs where it is from, and gives its digest.</summary>
    /// <param name="with">Changes what is sealed; each change is another bundle.</param>
    public Digest Seal(Func<SealRequest, SealRequest>? with = null, Isolation isolation = Isolation.None)
    {
        var request = SampleRun.In(Path.Combine(folder.Root, "run"));
        request = with?.Invoke(request) ?? request;
        var bundle = Sealer.Seal(request, Layout, Stop).Digest;
        Attestation.Attach(Layout, bundle, SealedSample.Origin(bundle, Sealer.Documents(request), isolation), Sample.Key, Stop);
        return bundle;
    }

    /// <summary>Another bundle of the same model, each time.</summary>
    public Digest SealAnother() => Seal(request => request with { Spec = request.Spec with { License = $"License-{++seals}" } });

    public ImmutableArray<Digest> Attached(Digest bundle) => [.. Layout.Referrers(bundle).Select(referrer => referrer.Entry.Digest)];

    /// <summary>Every blob of a bundle and of what is attached to it.</summary>
    public ImmutableArray<Digest> BlobsOf(Digest bundle) =>
    [
        .. Attached(bundle).Prepend(bundle)
            .SelectMany(manifest => OciManifest.Parse(Layout.ReadBlob(manifest, OciManifest.MaxBytes).Bytes).Blobs.Select(blob => blob.Digest).Prepend(manifest))
            .Distinct(),
    ];

    public async Task UploadAsync(HttpClient client, Digest bundle)
    {
        foreach (var blob in BlobsOf(bundle))
            Assert.Equal(HttpStatusCode.Created, await PutAsync(client, blob, Layout.ReadBlob(blob, int.MaxValue).Bytes));
    }

    public static async Task<HttpStatusCode> PutAsync(HttpClient client, Digest blob, byte[] bytes)
    {
        using var response = await client.PutAsync($"/api/v1/blobs/{blob}", new ByteArrayContent(bytes), Stop);
        return response.StatusCode;
    }

    /// <summary>Uploads, and registers.</summary>
    public async Task<VersionRegistration> PushAsync(HttpClient client, Digest bundle, ReleasePlan? plan = null)
    {
        await UploadAsync(client, bundle);
        return await TestServer.PostAsync(client, Versions, new VersionPush(bundle, Attached(bundle), plan, "a test"), RegistryJson.Default.VersionPush, RegistryJson.Default.VersionRegistration);
    }

    /// <summary>Uploads, and gives what the server says against registering.</summary>
    public async Task<(HttpStatusCode Status, ImmutableArray<Fault> Faults)> RefusedAsync(HttpClient client, Digest bundle, ReleasePlan? plan = null, string model = Model)
    {
        await UploadAsync(client, bundle);
        return await RefusedAsync(client, $"/api/v1/models/{model}/versions", new VersionPush(bundle, Attached(bundle), plan, "a test"), RegistryJson.Default.VersionPush);
    }

    public static async Task<(HttpStatusCode Status, ImmutableArray<Fault> Faults)> RefusedAsync<T>(HttpClient client, string path, T body, JsonTypeInfo<T> type)
    {
        using var response = await client.PostAsync(path, TestServer.Json(body, type), Stop);
        var text = await response.Content.ReadAsStringAsync(Stop);
        Assert.False(response.IsSuccessStatusCode, text);
        return (response.StatusCode, JsonSerializer.Deserialize(text, RegistryJson.Default.ErrorDocument)!.Faults);
    }

    public static Task<Promotion> PromoteAsync(HttpClient client, int version, string channel = ReleasePlan.Production) =>
        TestServer.PostAsync(client, Promotions, new PromotionRequest(version, channel, "a test"), RegistryJson.Default.PromotionRequest, RegistryJson.Default.Promotion);

    public static Task<(HttpStatusCode Status, ImmutableArray<Fault> Faults)> PromotionRefusedAsync(HttpClient client, int version, string channel = ReleasePlan.Production) =>
        RefusedAsync(client, Promotions, new PromotionRequest(version, channel, "a test"), RegistryJson.Default.PromotionRequest);

    public static Task<Promotion> VoteAsync(HttpClient client, Promotion promotion, bool approves = true) =>
        TestServer.PostAsync(client, $"{Promotions}/{promotion.Number}/votes", new Vote(approves, "a test"), RegistryJson.Default.Vote, RegistryJson.Default.Promotion);

    public static Task<(HttpStatusCode Status, ImmutableArray<Fault> Faults)> VoteRefusedAsync(HttpClient client, Promotion promotion, bool approves = true) =>
        RefusedAsync(client, $"{Promotions}/{promotion.Number}/votes", new Vote(approves, "a test"), RegistryJson.Default.Vote);

    public Task<Promotion> LookAsync(Promotion promotion) => TestServer.GetAsync(Server.Admin, $"{Promotions}/{promotion.Number}", RegistryJson.Default.Promotion);

    public async Task<PolicyVersion> SetPolicyAsync(string yaml)
    {
        var policy = PolicyParser.Parse("policy.yaml", System.Text.Encoding.UTF8.GetBytes("slipway-policy: 1\nmodels: " + yaml));
        using var response = await Server.Admin.PutAsync("/api/v1/policy", TestServer.Json(new PolicyRequest(policy, "a test"), PolicyJson.Default.PolicyRequest), Stop);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        return JsonSerializer.Deserialize(await response.Content.ReadAsStringAsync(Stop), PolicyJson.Default.PolicyVersion)!;
    }

    public const string Versions = $"/api/v1/models/{Model}/versions", Promotions = $"/api/v1/models/{Model}/promotions";

    public async ValueTask DisposeAsync()
    {
        await Server.DisposeAsync();
        Sample.Dispose();
        folder.Dispose();
    }
}
