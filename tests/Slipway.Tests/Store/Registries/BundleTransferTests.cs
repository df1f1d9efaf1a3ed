using System.Text;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;
using Slipway.Store.Oci;
using Slipway.Store.Registries;
using Slipway.Tests.Primitives;
using Slipway.Tests.Store.Archives;

namespace Slipway.Tests.Store.Registries;

/// <summary>A bundle gets from one place to another whole, or not visibly at all.</summary>
public sealed class BundleTransferTests : IAsyncLifetime
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

    [Fact]
    public async Task It_comes_back_from_a_registry_byte_for_byte_with_what_is_attached()
    {
        var (bundle, from) = Sealed();
        var sent = await PushAsync(from, bundle.Digest, "v1");
        Assert.Equal((sent.Root, 0L, 0L), (bundle.Digest, sent.Skipped, sent.Mounted));

        var to = OciLayout.Create(scratch["to"]);
        var came = await PullAsync(to, bundle.Digest, "v9");
        Assert.Equal(sent.Sent, came.Sent);
        Assert.Equal(bundle.Digest, to.Tags()["v9"].Digest);
        Assert.Equal(from.Referrers(bundle.Digest).Select(each => each.Entry.Digest).Order(), to.Referrers(bundle.Digest).Select(each => each.Entry.Digest).Order());
        Assert.Equal(Blobs(from), Blobs(to));
    }

    [Fact]
    public async Task What_is_there_is_not_sent_again()
    {
        var (bundle, from) = Sealed();
        await PushAsync(from, bundle.Digest, "v1");
        registry.Calls.Clear();
        var again = await PushAsync(from, bundle.Digest, "v2");
        Assert.Equal(0, again.Sent);
        Assert.Equal(["v2"], registry.Calls.Where(call => call.Method is "PUT" or "POST" or "PATCH").Select(call => call.Target.Split('/')[^1]));

        var to = OciLayout.Create(scratch["to"]);
        await PullAsync(to, bundle.Digest, "v1");
        registry.Calls.Clear();
        Assert.Equal(0, (await PullAsync(to, bundle.Digest, "v1")).Sent);
        Assert.DoesNotContain(registry.Calls, call => call.Target.Contains("/blobs/"));
    }

    [Fact]
    public async Task A_blob_that_was_changed_here_is_fetched_again()
    {
        var (bundle, from) = Sealed();
        await PushAsync(from, bundle.Digest, "v1");
        var to = OciLayout.Create(scratch["to"]);
        await PullAsync(to, bundle.Digest, "v1");
        var path = Directory.EnumerateFiles(scratch["to/blobs/sha256"]).First(file => new FileInfo(file).Length == 100_000);
        File.WriteAllBytes(path, new byte[100_000]);
        Assert.Equal(100_000, (await PullAsync(to, bundle.Digest, "v1")).Sent);
        Assert.Equal(Blobs(from), Blobs(to));
    }

    [Fact]
    public async Task A_push_that_fails_midway_leaves_no_tag_and_no_manifest_and_the_next_goes_on()
    {
        var (bundle, from) = Sealed();
        registry.Intercept = async http =>
        {
            if (http.Request.Method == "PUT" && http.Request.Path.Value!.Contains("/uploads/"))
                await SpecRegistry.RefuseAsync(http, 403, "DENIED", "quota exceeded");
            return http.Response.HasStarted;
        };
        Assert.Equal("registry-denied", (await RegistryClientTests.FaultOfAsync(() => PushAsync(from, bundle.Digest, "v1"))).Code);
        Assert.Empty(registry["team/model"].Manifests);
        Assert.Empty(registry["team/model"].Tags);

        registry.Intercept = static _ => Task.FromResult(false);
        await PushAsync(from, bundle.Digest, "v1");
        Assert.Equal(bundle.Digest, registry["team/model"].Tags["v1"]);
    }

    [Fact]
    public async Task The_tag_is_the_last_to_appear()
    {
        var (bundle, from) = Sealed();
        registry.Intercept = http =>
        {
            Assert.True(!http.Request.Path.Value!.EndsWith("/manifests/v1", StringComparison.Ordinal) || http.Request.Method != "PUT" || registry["team/model"].Manifests.Count == 3, "the tag came before a manifest");
            return Task.FromResult(false);
        };
        await PushAsync(from, bundle.Digest, "v1");
        Assert.EndsWith("/manifests/v1", registry.Calls.Last(call => call.Method == "PUT").Target);
    }

    [Theory]
    [InlineData("content", "content-wrong")]
    [InlineData("short", "content-wrong")]
    [InlineData("long", "content-wrong")]
    public async Task Wrong_bytes_are_never_listed(string how, string code)
    {
        var (bundle, from) = Sealed();
        await PushAsync(from, bundle.Digest, "v1");
        registry.Spoil = (_, bytes) => bytes.Length != 100_000 ? bytes : how switch
        {
            "content" => [(byte)(bytes[0] ^ 1), .. bytes[1..]],
            "short" => bytes[..^1],
            _ => [.. bytes, 0],
        };
        var to = OciLayout.Create(scratch["to"]);
        var refused = await Assert.ThrowsAsync<SlipwayException>(() => PullAsync(to, bundle.Digest, "v1"));
        Assert.Equal((ExitCode.BadVerdict, code), (refused.Exit, refused.Faults[0].Code));
        Assert.Empty(to.ReadIndex().Manifests);
        Assert.DoesNotContain(Directory.EnumerateFiles(scratch["to/blobs/sha256"]), file => new FileInfo(file).Length >= 99_999);
        Assert.DoesNotContain(Directory.EnumerateFiles(scratch["to/blobs/sha256"]), file => Path.GetFileName(file).StartsWith('.'));
    }

    [Fact]
    public async Task A_full_disk_leaves_nothing_listed_and_nothing_half_written_and_with_room_the_same_pull_succeeds()
    {
        using var disk = SmallDisk.Mount(kibibytes: 72);
        var (bundle, from) = Sealed();
        await PushAsync(from, bundle.Digest, "v1");
        var to = OciLayout.Create(Path.Combine(disk.Folder, "layout"));
        var full = await Assert.ThrowsAsync<SlipwayException>(() => PullAsync(to, bundle.Digest, "v1"));
        Assert.Equal((ExitCode.NotThere, "no-space"), (full.Exit, full.Faults[0].Code));
        Assert.Empty(to.ReadIndex().Manifests);
        Assert.All(Directory.EnumerateFiles(Path.Combine(to.Folder, "blobs/sha256")), file => Assert.Equal(Path.GetFileName(file), Digest.Of(File.ReadAllBytes(file)).Hex));

        disk.Resize(kibibytes: 4096);
        await PullAsync(to, bundle.Digest, "v1");
        Assert.Equal(Blobs(from), Blobs(to));
    }

    [Fact]
    public async Task Who_judges_sees_all_bytes_before_anybody_sees_the_bundle()
    {
        var (bundle, from) = Sealed();
        await PushAsync(from, bundle.Digest, "v1");
        var to = OciLayout.Create(scratch["to"]);
        using var client = registry.Client();
        var (source, target) = (new RegistryPlace(client), new LayoutPlace(to));
        var plan = await TransferPlan.ReadAsync(source, bundle.Digest, Stop);
        var refused = await Assert.ThrowsAsync<SlipwayException>(() => new BundleTransfer(source, target).RunAsync(plan, "v1", replace: false, Stop, arrived =>
        {
            Assert.Equal(plan.Blobs.Length, arrived.Count);
            Assert.All(plan.Blobs, blob => Assert.Equal(BlobState.Intact, to.CheckBlob(blob)));
            Assert.Empty(to.ReadIndex().Manifests);
            throw new SlipwayException(ExitCode.BadVerdict, new Fault("no", "not this one"));
        }));
        Assert.Equal("no", refused.Faults[0].Code);
        Assert.Empty(to.ReadIndex().Manifests);
        Assert.True(to.DeleteUnreferenced([.. plan.Blobs.Select(blob => blob.Digest)], Stop));
        Assert.Empty(Directory.EnumerateFiles(scratch["to/blobs/sha256"]));
    }

    [Fact]
    public async Task What_is_refused_takes_nothing_along_that_something_else_needs()
    {
        var layout = OciLayout.Create(scratch["to"]);
        var bundle = SomeBundle.Put(layout, "v1");
        var loose = layout.AddBlob("loose"u8).Digest;
        layout.DeleteUnreferenced([loose, bundle.Digest, OciManifest.Parse(layout.ReadBlob(bundle.Digest, 10_000).Bytes).Config.Digest], Stop);
        Assert.Equal(BlobState.Missing, layout.ReadBlob(loose, 100).State);
        Assert.Empty(layout.UnreferencedBlobs());
        Assert.Equal(BlobState.Intact, layout.ReadBlob(bundle.Digest, 10_000).State);
        await Task.CompletedTask;
    }

    [Fact]
    public void What_was_refused_stays_while_another_writes_who_may_be_about_to_list_it()
    {
        var layout = OciLayout.Create(scratch["to"]);
        var shared = layout.AddBlob("shared"u8).Digest;
        using (layout.BeginWriting(Stop))
            Assert.False(layout.DeleteUnreferenced([shared], Stop));
        Assert.Equal(BlobState.Intact, layout.ReadBlob(shared, 100).State);
        Assert.True(layout.DeleteUnreferenced([shared], Stop));
        Assert.Equal(BlobState.Missing, layout.ReadBlob(shared, 100).State);
    }

    [Fact]
    public async Task What_nobody_could_verify_is_left_behind_where_somebody_verifies()
    {
        var layout = OciLayout.Create(scratch["from"]);
        var bundle = SomeBundle.Put(layout, null);
        var signature = SomeBundle.Attach(layout, bundle, 1);
        var index = layout.TagVariant(bundle.Digest, "v1", "cpu", replace: false, Stop);
        var ofIndex = SomeBundle.Attach(layout, layout.Tags()["v1"], 2);
        var inner = SomeBundle.Put(layout, null, 7);
        var list = Encoding.UTF8.GetBytes($$$"""
            {"schemaVersion":2,"mediaType":"{{{OciIndex.IndexMediaType}}}","manifests":[{"mediaType":"{{{inner.MediaType}}}","digest":"{{{inner.Digest}}}","size":{{{inner.Size}}}}],
             "subject":{"mediaType":"{{{bundle.MediaType}}}","digest":"{{{bundle.Digest}}}","size":{{{bundle.Size}}}}}
            """);
        layout.PutAll([list], Digest.Of(list), null, replace: false, Stop);
        // A registry says what it likes: here that the bundle and the index are attached to themselves as well.
        var source = new Attaching(new LayoutPlace(layout), new() { [index] = [index, ofIndex.Digest], [bundle.Digest] = [bundle.Digest, index, signature.Digest, Digest.Of(list)] });

        var plan = await TransferPlan.ReadAsync(source, index, Stop, onlyOfBundles: true);
        Assert.Equal(new[] { index, bundle.Digest, signature.Digest }.Order(), plan.Manifests.Select(manifest => manifest.Digest).Order());
        Assert.Equal(new[] { ofIndex.Digest, Digest.Of(list) }.Order(), plan.LeftBehind.Order());
        Assert.Equal(OciManifest.Parse(layout.ReadBlob(bundle.Digest, 10_000).Bytes).Blobs.Concat(OciManifest.Parse(layout.ReadBlob(signature.Digest, 10_000).Bytes).Blobs).Select(blob => blob.Digest).Order(), plan.Blobs.Select(blob => blob.Digest).Order());
        var all = await TransferPlan.ReadAsync(source, index, Stop);
        Assert.Equal(6, all.Manifests.Length);
        Assert.Empty(all.LeftBehind);
    }

    [Fact]
    public async Task A_tag_that_names_another_bundle_is_told_or_kept()
    {
        var layout = OciLayout.Create(scratch["from"]);
        var (one, other) = (SomeBundle.Put(layout, null, 1), SomeBundle.Put(layout, null, 2));
        Assert.Null((await PushAsync(layout, one.Digest, "v1")).Before);
        Assert.Null((await PushAsync(layout, one.Digest, "v1")).Before);
        Assert.Equal(one.Digest, (await PushAsync(layout, other.Digest, "v1")).Before);

        var to = OciLayout.Create(scratch["to"]);
        var (source, keeping) = (new LayoutPlace(layout), new LayoutPlace(to) { KeepsTags = true });
        var (first, second) = (await TransferPlan.ReadAsync(source, one.Digest, Stop), await TransferPlan.ReadAsync(source, other.Digest, Stop));
        await new BundleTransfer(source, keeping).RunAsync(first, "v1", replace: false, Stop);
        await new BundleTransfer(source, keeping).RunAsync(first, "v1", replace: false, Stop);
        var refused = await RegistryClientTests.FaultOfAsync(() => new BundleTransfer(source, keeping).RunAsync(second, "v1", replace: false, Stop, _ => Assert.Fail("refused before anything is sent")));
        Assert.Equal("tag-taken", refused.Code);
        Assert.Equal(BlobState.Missing, to.ReadBlob(second.Blobs.Except(first.Blobs).First().Digest, 1_000_000).State);
        foreach (var blob in second.Blobs)
            await keeping.TakeBlobAsync(blob, source, static _ => { }, Stop);
        // And under the lock again, for a tag that came in between.
        Assert.Equal("tag-taken", (await RegistryClientTests.FaultOfAsync(async () => await keeping.PublishAsync(second.Manifests, second.Root, "v1", replace: false, Stop))).Code);
        Assert.Equal(one.Digest, (await new BundleTransfer(source, keeping).RunAsync(second, "v1", replace: true, Stop)).Before);
        Assert.Equal(other.Digest, to.Tags()["v1"].Digest);
    }

    [Fact]
    public async Task A_tag_in_a_registry_is_not_given_to_another_bundle_unless_told()
    {
        var layout = OciLayout.Create(scratch["from"]);
        var (one, other) = (SomeBundle.Put(layout, null, 1), SomeBundle.Put(layout, null, 2));
        await PushAsync(layout, one.Digest, "one");
        await PushAsync(layout, other.Digest, "other");
        using var client = registry.Client();
        var manifest = (await client.GetManifestAsync("other", Stop))!;
        Assert.Equal("tag-taken", (await RegistryClientTests.FaultOfAsync(() => client.TagAsync(manifest, "one", replace: false, Stop))).Code);
        Assert.Equal(one.Digest, registry["team/model"].Tags["one"]);
        Assert.Null(await client.TagAsync(manifest, "third", replace: false, Stop));
        Assert.Equal(one.Digest, await client.TagAsync(manifest, "one", replace: true, Stop));
        Assert.Equal(other.Digest, registry["team/model"].Tags["one"]);
    }

    [Fact]
    public async Task Between_repositories_of_one_registry_no_blob_is_sent()
    {
        var (bundle, from) = Sealed();
        var whole = await PushAsync(from, bundle.Digest, "v1");
        using var one = registry.Client();
        using var other = registry.Client("team/released");
        var (source, target) = (new RegistryPlace(one), new RegistryPlace(other));
        var report = await new BundleTransfer(source, target).RunAsync(await TransferPlan.ReadAsync(source, bundle.Digest, Stop), "v1", replace: false, Stop);
        Assert.Equal((0L, whole.Sent), (report.Sent, report.Mounted));
        Assert.Equal(bundle.Digest, registry["team/released"].Tags["v1"]);
    }

    [Fact]
    public async Task Variants_come_along_with_what_is_attached_to_each()
    {
        var layout = OciLayout.Create(scratch["from"]);
        var (cpu, cuda) = (SomeBundle.Put(layout, null, 1), SomeBundle.Put(layout, null, 2));
        SomeBundle.Attach(layout, cpu, 1);
        SomeBundle.Attach(layout, cuda, 2);
        layout.TagVariant(cpu.Digest, "v1", "cpu", replace: false, Stop);
        var index = layout.TagVariant(cuda.Digest, "v1", "cuda", replace: false, Stop);
        await PushAsync(layout, index, "v1");
        using var client = registry.Client();
        Assert.Equal(cuda.Digest, (await client.ResolveAsync(BundleReference.Parse($"{registry.Host}/team/model:v1#cuda"), Stop)).Descriptor.Digest);
        Assert.Equal("variant-missing", Assert.Throws<SlipwayException>(() => BundleReference.Parse($"oci:{layout.Folder}:v1").Resolve("")).Faults[0].Code);

        var to = OciLayout.Create(scratch["to"]);
        await PullAsync(to, index, "v1");
        Assert.Equal(Blobs(layout).Except(Stale(layout)), Blobs(to));
        Assert.Equal(cpu.Digest, BundleReference.Parse($"oci:{to.Folder}:v1#cpu").Resolve("").Manifest);
        Assert.Single(to.Referrers(cuda.Digest));
        Assert.Empty(to.UnreferencedBlobs());
    }

    [Fact]
    public async Task A_tag_of_variants_is_not_overwritten_by_a_bundle_unless_told()
    {
        var layout = OciLayout.Create(scratch["from"]);
        var (cpu, cuda) = (SomeBundle.Put(layout, "plain", 1), SomeBundle.Put(layout, null, 2));
        var index = layout.TagVariant(cuda.Digest, "v1", "cuda", replace: false, Stop);
        await PushAsync(layout, index, "v1");
        Assert.Equal("tag-has-variants", (await RegistryClientTests.FaultOfAsync(() => PushAsync(layout, cpu.Digest, "v1"))).Code);
        Assert.Equal(index, registry["team/model"].Tags["v1"]);
        await PushAsync(layout, cpu.Digest, "plain");
        using var client = registry.Client();
        var manifest = (await client.GetManifestAsync(cuda.Digest.ToString(), Stop))!;
        Assert.Equal("tag-is-bundle", (await RegistryClientTests.FaultOfAsync(() => client.TagVariantAsync(manifest, "plain", "cuda", replace: false, Stop))).Code);
        await client.TagVariantAsync(manifest, "plain", "cuda", replace: true, Stop);
        await PushAsync(layout, cpu.Digest, "v1", replace: true);
        Assert.Equal(cpu.Digest, registry["team/model"].Tags["v1"]);
    }

    [Fact]
    public async Task Variants_that_are_added_at_once_are_all_there()
    {
        registry.HeedsIfMatch = false;
        var layout = OciLayout.Create(scratch["from"]);
        var bundles = Enumerable.Range(1, 4).Select(seed => SomeBundle.Put(layout, null, seed, 500)).ToArray();
        foreach (var bundle in bundles)
            await PushAsync(layout, bundle.Digest, null);
        await Task.WhenAll(bundles.Select(async (bundle, i) =>
        {
            using var client = registry.Client();
            await client.TagVariantAsync((await client.GetManifestAsync(bundle.Digest.ToString(), Stop))!, "v1", $"v{i}", replace: false, Stop);
        }));
        using var reader = registry.Client();
        Assert.Equal(["v0", "v1", "v2", "v3"], (await reader.GetManifestAsync("v1", Stop))!.Index!.Variants);
    }

    [Fact]
    public async Task An_index_that_names_itself_or_nests_without_end_is_refused()
    {
        var documents = new Dictionary<Digest, ReadOnlyMemory<byte>>();
        var inner = Digest.Of("x"u8);
        for (var i = 0; i < 8; i++)
        {
            var bytes = Encoding.UTF8.GetBytes($$"""{"schemaVersion":2,"mediaType":"{{OciIndex.IndexMediaType}}","manifests":[{"mediaType":"{{OciIndex.IndexMediaType}}","digest":"{{inner}}","size":{{documents.GetValueOrDefault(inner).Length}}}]}""");
            documents[inner = Digest.Of(bytes)] = bytes;
        }

        Assert.Contains("deeper", (await RegistryClientTests.FaultOfAsync(() => TransferPlan.ReadAsync(new Scripted(documents), inner, Stop))).Message);
        // A digest cannot be in what it is of, so a loop needs wrong bytes, and those are refused.
        var liar = new Scripted(new() { [Digest.Of("x"u8)] = documents[inner] });
        Assert.Equal("content-wrong", (await RegistryClientTests.FaultOfAsync(() => TransferPlan.ReadAsync(liar, Digest.Of("x"u8), Stop))).Code);
    }

    [Fact]
    public async Task Sizes_that_contradict_each_other_are_refused_before_anything_is_sent()
    {
        var blob = new OciDescriptor("a/b", Digest.Of("x"u8), 1);
        var bytes = new OciManifest(2, blob, [blob with { Size = 2 }]).ToBytes();
        Assert.Equal("manifest-shape", (await RegistryClientTests.FaultOfAsync(() => TransferPlan.ReadAsync(new Scripted(new() { [Digest.Of(bytes)] = bytes }), Digest.Of(bytes), Stop))).Code);
    }

    [Fact]
    public async Task A_layout_is_copied_to_a_layout()
    {
        var (bundle, from) = Sealed();
        var to = OciLayout.Create(scratch["to"]);
        var source = new LayoutPlace(from);
        await new BundleTransfer(source, new LayoutPlace(to)).RunAsync(await TransferPlan.ReadAsync(source, bundle.Digest, Stop), "v1", replace: false, Stop);
        Assert.Equal(Blobs(from), Blobs(to));
    }

    private sealed class Scripted(Dictionary<Digest, ReadOnlyMemory<byte>> documents) : IBundleSource
    {
        public string Name => "test";

        public RegistryReference? Repository => null;

        public Task<ReadOnlyMemory<byte>?> ReadManifestAsync(Digest manifest, CancellationToken cancellation) => Task.FromResult<ReadOnlyMemory<byte>?>(documents[manifest]);

        public Task<System.Collections.Immutable.ImmutableArray<Digest>> ReferrersAsync(Digest subject, CancellationToken cancellation) => Task.FromResult<System.Collections.Immutable.ImmutableArray<Digest>>([]);

        public Task<Stream> OpenBlobAsync(OciDescriptor blob, long offset, CancellationToken cancellation) => throw new InvalidOperationException("nothing is to be sent");
    }

    /// <summary>A place that says of everything what is attached to it, true or not.</summary>
    private sealed class Attaching(LayoutPlace place, Dictionary<Digest, Digest[]> attached) : IBundleSource
    {
        public string Name => place.Name;

        public RegistryReference? Repository => null;

        public Task<ReadOnlyMemory<byte>?> ReadManifestAsync(Digest manifest, CancellationToken cancellation) => place.ReadManifestAsync(manifest, cancellation);

        public Task<System.Collections.Immutable.ImmutableArray<Digest>> ReferrersAsync(Digest subject, CancellationToken cancellation) =>
            Task.FromResult<System.Collections.Immutable.ImmutableArray<Digest>>([.. attached.GetValueOrDefault(subject) ?? []]);

        public Task<Stream> OpenBlobAsync(OciDescriptor blob, long offset, CancellationToken cancellation) => place.OpenBlobAsync(blob, offset, cancellation);
    }

    private (OciDescriptor Bundle, OciLayout Layout) Sealed()
    {
        var layout = OciLayout.Create(scratch["from"]);
        var bundle = SomeBundle.Put(layout, "v1");
        SomeBundle.Attach(layout, bundle, 1);
        SomeBundle.Attach(layout, bundle, 2);
        return (bundle, layout);
    }

    private static IEnumerable<string> Blobs(OciLayout layout) => Directory.EnumerateFiles(Path.Combine(layout.Folder, "blobs/sha256")).Select(file => Digest.Of(File.ReadAllBytes(file)).Hex).Order(StringComparer.Ordinal);

    private static IEnumerable<string> Stale(OciLayout layout) => layout.ReadIndex().Manifests.Where(entry => entry.MediaType == OciIndex.IndexMediaType && entry.Annotation(OciLayout.TagAnnotation) is null).Select(entry => entry.Digest.Hex);

    private async Task<TransferReport> PushAsync(OciLayout layout, Digest root, string? tag, bool replace = false)
    {
        using var client = registry.Client();
        var source = new LayoutPlace(layout);
        return await new BundleTransfer(source, new RegistryPlace(client)).RunAsync(await TransferPlan.ReadAsync(source, root, Stop), tag, replace, Stop);
    }

    private async Task<TransferReport> PullAsync(OciLayout layout, Digest root, string tag)
    {
        using var client = registry.Client();
        var source = new RegistryPlace(client);
        return await new BundleTransfer(source, new LayoutPlace(layout)).RunAsync(await TransferPlan.ReadAsync(source, root, Stop), tag, replace: false, Stop);
    }
}
