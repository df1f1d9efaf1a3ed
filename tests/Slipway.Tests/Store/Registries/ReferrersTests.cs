using Microsoft.AspNetCore.Http;
using Slipway.Primitives.Bytes;
using Slipway.Store.Oci;
using Slipway.Store.Registries;
using Slipway.Tests.Store.Archives;

namespace Slipway.Tests.Store.Registries;

/// <summary>What is attached is listed by the referrers API, and by a tag where there is none; nobody's is lost.</summary>
public sealed class ReferrersTests : IAsyncLifetime
{
    private readonly ScratchFolder scratch = new();
    private SpecRegistry registry = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => registry = await SpecRegistry.StartAsync();

    public async ValueTask DisposeAsync()
    {
        await registry.DisposeAsync();
        scratch.Dispose();
    }

    [Theory]
    [InlineData("sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "sha256-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")]
    public void The_tag_is_the_one_of_the_specification(string digest, string tag)
    {
        Assert.Equal(tag, ReferrersTag.Of(Digest.Parse(digest)));
        Assert.True(ReferrersTag.IsOne(tag));
        Assert.False(ReferrersTag.IsOne(tag[..^1]));
        Assert.False(ReferrersTag.IsOne("sha256-release"));
    }

    [Fact]
    public async Task All_pages_of_the_api_are_read()
    {
        var (subject, layout) = Sealed(attestations: 5);
        await PushAsync(layout, subject);
        registry.PageSize = 2;
        using var client = registry.Client();
        Assert.Equal(5, (await client.ReferrersAsync(subject.Digest, Stop)).Length);
        Assert.DoesNotContain(registry["team/model"].Tags.Keys, tag => tag.StartsWith("sha256-", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(true), InlineData(false)]
    public async Task Without_the_api_they_stand_under_the_tag_beside_what_others_listed(bool heeds)
    {
        (registry.HasReferrers, registry.HeedsIfMatch) = (false, heeds);
        var (subject, layout) = Sealed(attestations: 1);
        await PushAsync(layout, subject);
        SomeBundle.Attach(layout, subject, 77);
        await PushAsync(layout, subject);
        using var client = registry.Client();
        var listed = (await client.GetManifestAsync(ReferrersTag.Of(subject.Digest), Stop))!.Index!.Manifests;
        Assert.Equal(2, listed.Length);
        Assert.All(listed, entry => Assert.Equal("application/vnd.dev.sigstore.bundle.v0.3+json", entry.ArtifactType));
        Assert.All(listed, entry => Assert.Equal("dsse-envelope", entry.Annotation("dev.sigstore.bundle.content")));
        Assert.Equal(listed.Select(entry => entry.Digest).Order(), (await client.ReferrersAsync(subject.Digest, Stop)).Select(entry => entry.Digest).Order());
    }

    [Theory]
    [InlineData(true), InlineData(false)]
    public async Task Two_who_push_at_once_lose_nothing(bool heeds)
    {
        (registry.HasReferrers, registry.HeedsIfMatch) = (false, heeds);
        var (subject, first) = Sealed(attestations: 1);
        await PushAsync(first, subject);
        var layouts = Enumerable.Range(1, 4).Select(i =>
        {
            var layout = OciLayout.Create(scratch[$"other{i}"]);
            Assert.Equal(subject.Digest, SomeBundle.Put(layout, "v1").Digest);
            SomeBundle.Attach(layout, subject, 100 + i);
            return layout;
        }).ToArray();
        await Task.WhenAll(layouts.Select(layout => PushAsync(layout, subject)));
        using var client = registry.Client();
        Assert.Equal(5, (await client.ReferrersAsync(subject.Digest, Stop)).Length);
    }

    [Fact]
    public async Task A_push_that_ended_before_the_list_was_written_is_made_good_by_the_next()
    {
        registry.HasReferrers = false;
        var (subject, layout) = Sealed(attestations: 2);
        await PushAsync(layout, subject);
        registry["team/model"].Tags.TryRemove(ReferrersTag.Of(subject.Digest), out _);
        await PushAsync(layout, subject);
        using var client = registry.Client();
        Assert.Equal(2, (await client.ReferrersAsync(subject.Digest, Stop)).Length);
    }

    [Fact]
    public async Task A_list_that_others_always_change_first_is_a_fault()
    {
        registry.HasReferrers = false;
        var (subject, layout) = Sealed(attestations: 1);
        registry.Intercept = http =>
        {
            var isList = http.Request.Method == "PUT" && http.Request.Path.Value!.Contains("/sha256-");
            http.Response.StatusCode = isList ? 412 : 200;
            return Task.FromResult(isList);
        };
        Assert.Equal("index-contended", (await RegistryClientTests.FaultOfAsync(() => PushAsync(layout, subject))).Code);
        Assert.DoesNotContain("v1", registry["team/model"].Tags.Keys);
    }

    [Fact]
    public async Task What_a_list_says_is_attached_and_is_not_does_not_come_along()
    {
        registry.HasReferrers = false;
        var (subject, layout) = Sealed(attestations: 1);
        var stranger = SomeBundle.Put(layout, "v2", seed: 9);
        await PushAsync(layout, subject);
        await PushAsync(layout, stranger, "v2");
        using var client = registry.Client();
        await client.ListReferrersAsync(subject.Digest, [stranger], Stop);
        var plan = await TransferPlan.ReadAsync(new RegistryPlace(client), subject.Digest, Stop);
        Assert.Equal(2, plan.Manifests.Length);
        Assert.DoesNotContain(plan.Manifests, manifest => manifest.Digest == stranger.Digest);
    }

    [Fact]
    public async Task What_a_list_still_names_after_it_was_deleted_is_left_behind_and_told()
    {
        registry.HasReferrers = false;
        var (subject, layout) = Sealed(attestations: 2);
        await PushAsync(layout, subject);
        using var client = registry.Client();
        var gone = (await client.ReferrersAsync(subject.Digest, Stop))[0].Digest;
        Assert.True(registry["team/model"].Manifests.TryRemove(gone, out _));
        var plan = await TransferPlan.ReadAsync(new RegistryPlace(client), subject.Digest, Stop);
        Assert.Equal([gone], plan.LeftBehind);
        Assert.Equal(2, plan.Manifests.Length);
    }

    private (OciDescriptor Subject, OciLayout Layout) Sealed(int attestations)
    {
        var layout = OciLayout.Create(scratch["layout"]);
        var subject = SomeBundle.Put(layout, "v1");
        for (var i = 0; i < attestations; i++)
            SomeBundle.Attach(layout, subject, i);
        return (subject, layout);
    }

    private async Task PushAsync(OciLayout layout, OciDescriptor subject, string tag = "v1")
    {
        using var client = registry.Client();
        var (source, target) = (new LayoutPlace(layout), new RegistryPlace(client));
        await new BundleTransfer(source, target).RunAsync(await TransferPlan.ReadAsync(source, subject.Digest, Stop), tag, replace: false, Stop);
    }
}
