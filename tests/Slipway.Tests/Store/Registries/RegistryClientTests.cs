using System.Net;
using System.Text;
using Microsoft.AspNetCore.Http;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;
using Slipway.Store.Oci;
using Slipway.Store.Registries;

namespace Slipway.Tests.Store.Registries;

public sealed class RegistryClientTests : IAsyncLifetime
{
    private static readonly byte[] large = SomeBundle.Bytes(3_000_000, 7);
    private static readonly byte[] small = SomeBundle.Bytes(1000, 8);

    private SpecRegistry registry = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => registry = await SpecRegistry.StartAsync();

    public async ValueTask DisposeAsync() => await registry.DisposeAsync();

    [Fact]
    public async Task A_registry_is_told_from_what_is_none()
    {
        using var client = registry.Client();
        await client.PingAsync(Stop);

        registry.Intercept = http =>
        {
            http.Response.StatusCode = 404;
            return Task.FromResult(true);
        };
        Assert.Equal("registry-strange", (await FaultOfAsync(() => client.TagsAsync(Stop))).Code);
    }

    [Theory]
    [InlineData(true), InlineData(false)]
    public async Task A_small_blob_goes_in_one_request_where_the_registry_takes_it(bool takes)
    {
        registry.TakesSinglePost = takes;
        using var client = registry.Client();
        await UploadAsync(client, small);
        await UploadAsync(client, SomeBundle.Bytes(900, 9));
        Assert.Equal(small, registry["team/model"].Blobs[Digest.Of(small)]);
        // The second is not tried in one request where the first was not taken.
        Assert.Equal(takes ? ["POST", "POST"] : ["POST", "PUT", "POST", "PUT"], registry.Calls.Select(call => call.Method));
        Assert.Equal(takes ? 2 : 1, registry.Calls.Count(call => call.Method == "POST" && call.Target.Contains("digest=")));
    }

    [Fact]
    public async Task A_large_blob_goes_in_pieces_that_say_where_they_belong()
    {
        using var client = registry.Client(options: SpecRegistry.Quick with { ChunkBytes = 1_000_000 });
        await UploadAsync(client, large);
        Assert.Equal(large, registry["team/model"].Blobs[Digest.Of(large)]);
        Assert.Equal(["0-999999", "1000000-1999999", "2000000-2999999"], registry.Calls.Where(call => call.Method == "PATCH").Select(call => call.ContentRange));
    }

    [Fact]
    public async Task Pieces_are_as_large_as_the_registry_wants_at_least()
    {
        registry.LeastChunk = 2_000_000;
        using var client = registry.Client(options: SpecRegistry.Quick with { ChunkBytes = 10 });
        await UploadAsync(client, large);
        Assert.Equal(["0-1999999", "2000000-2999999"], registry.Calls.Where(call => call.Method == "PATCH").Select(call => call.ContentRange));
    }

    [Theory]
    [InlineData(100), InlineData(1_000_000)]
    public async Task An_upload_that_was_cut_goes_on_where_the_registry_has_got(int chunk)
    {
        foreach (var cut in new[] { 700_000, 65_536, 1 })
            registry.CutUploads.Enqueue(cut);
        using var client = registry.Client(options: SpecRegistry.Quick with { ChunkBytes = chunk * 10_000L });
        await UploadAsync(client, large);
        Assert.Equal(large, registry["team/model"].Blobs[Digest.Of(large)]);
        Assert.Contains(registry.Calls, call => call.Method == "GET" && call.Target.Contains("/uploads/"));
        Assert.Single(registry.Calls, call => call.Method == "POST");
        Assert.Contains(registry.Calls, call => call.ContentRange?.StartsWith("700000-", StringComparison.Ordinal) == true);
    }

    [Fact]
    public async Task An_upload_that_the_registry_forgot_begins_anew()
    {
        registry.CutUploads.Enqueue(500_000);
        registry.Intercept = http =>
        {
            if (http.Request.Method == "GET" && http.Request.Path.Value!.Contains("/uploads/"))
                registry["team/model"].Uploads.Clear();
            return Task.FromResult(false);
        };
        using var client = registry.Client();
        await UploadAsync(client, large);
        Assert.Equal(large, registry["team/model"].Blobs[Digest.Of(large)]);
        Assert.Equal(2, registry.Calls.Count(call => call.Method == "POST"));
    }

    [Theory]
    [InlineData("0-9999999", "registry-strange")]
    [InlineData("0-0", "registry-strange")]
    [InlineData("nonsense", null)]
    public async Task A_registry_that_has_more_than_was_sent_or_never_anything_is_not_believed(string range, string? code)
    {
        registry.Intercept = async http =>
        {
            if (http.Request.Method != "PATCH")
                return false;
            var upload = registry["team/model"].Uploads.Single().Value;
            await http.Request.Body.CopyToAsync(upload);
            http.Response.StatusCode = 202;
            http.Response.Headers.Location = http.Request.Path.Value;
            http.Response.Headers["Range"] = range;
            return true;
        };
        using var client = registry.Client(options: SpecRegistry.Quick with { ChunkBytes = 2_000_000 });
        if (code is null)
            await UploadAsync(client, large);
        else
            Assert.Equal(code, (await FaultOfAsync(() => UploadAsync(client, large))).Code);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("http://registry.example.org/upload")]
    [InlineData("ftp://127.0.0.1/upload")]
    public async Task An_upload_goes_nowhere_that_is_not_trusted(string? location)
    {
        registry.TakesSinglePost = false;
        registry.Intercept = http =>
        {
            http.Response.StatusCode = http.Request.Method == "POST" ? 202 : 500;
            if (location is not null)
                http.Response.Headers.Location = location;
            return Task.FromResult(true);
        };
        using var client = registry.Client();
        Assert.Equal("registry-strange", (await FaultOfAsync(() => UploadAsync(client, large))).Code);
        Assert.Single(registry.Calls);
    }

    [Fact]
    public async Task A_blob_that_is_damaged_here_is_never_whole_there()
    {
        using var client = registry.Client();
        var blob = new OciDescriptor("a/b", Digest.Of(large), large.Length);
        var damaged = (byte[])large.Clone();
        damaged[10] ^= 1;
        var refused = await Assert.ThrowsAsync<SlipwayException>(() => client.UploadAsync(blob, (at, _) => Task.FromResult<Stream>(new MemoryStream(damaged) { Position = at }), null, _ => { }, Stop));
        Assert.Equal((ExitCode.BadVerdict, "blob-edited"), (refused.Exit, refused.Faults[0].Code));
        var cut = await Assert.ThrowsAsync<SlipwayException>(() => client.UploadAsync(blob, (at, _) => Task.FromResult<Stream>(new MemoryStream(large, 0, 2_000_000) { Position = at }), null, _ => { }, Stop));
        Assert.Equal("blob-edited", cut.Faults[0].Code);
        Assert.Empty(registry["team/model"].Blobs);
        Assert.All(registry["team/model"].Uploads.Values, upload => Assert.True(upload.Length < large.Length));
    }

    [Fact]
    public async Task A_blob_of_a_neighbouring_repository_is_taken_over_and_not_sent()
    {
        registry["team/base"].Blobs[Digest.Of(large)] = large;
        using var client = registry.Client();
        var blob = new OciDescriptor("a/b", Digest.Of(large), large.Length);
        Assert.True(await client.UploadAsync(blob, Unread, new RegistryReference(registry.Host, "team/base"), _ => { }, Stop));
        Assert.True(await client.HasBlobAsync(blob, Stop));

        // One that the neighbour does not have is sent, and so is one of another registry.
        Assert.False(await UploadAsync(client, small, new RegistryReference(registry.Host, "team/base")));
        Assert.False(await UploadAsync(client, SomeBundle.Bytes(70_000, 3), new RegistryReference("registry.example.org", "team/base")));
        Assert.DoesNotContain(registry.Calls, call => call.Target.Contains("registry.example.org"));
    }

    [Theory]
    [InlineData(true), InlineData(false)]
    public async Task A_download_that_was_cut_goes_on_where_it_was(bool knowsRanges)
    {
        registry["team/model"].Blobs[Digest.Of(large)] = large;
        registry.KnowsRanges = knowsRanges;
        foreach (var cut in new[] { 1_500_000, 200_000, 0 })
            registry.CutDownloads.Enqueue(cut);
        using var client = registry.Client();
        Assert.Equal(large, await DownloadAsync(client, large));
        Assert.Equal(4, registry.Calls.Count);
        Assert.Contains(registry.Calls, call => call.Range is not null);
    }

    [Fact]
    public async Task A_download_that_is_cut_at_once_every_time_ends_with_a_fault()
    {
        registry["team/model"].Blobs[Digest.Of(large)] = large;
        for (var i = 0; i < 50; i++)
            registry.CutDownloads.Enqueue(10);
        using var client = registry.Client();
        Assert.Equal("registry-unreachable", (await FaultOfAsync(() => DownloadAsync(client, large))).Code);
        Assert.Equal(5, registry.Calls.Count);
    }

    [Fact]
    public async Task An_endless_blob_is_read_to_one_byte_more_than_it_should_have()
    {
        registry.Intercept = async http =>
        {
            var piece = new byte[100_000];
            while (!http.RequestAborted.IsCancellationRequested)
                await http.Response.Body.WriteAsync(piece);
            return true;
        };
        using var client = registry.Client();
        await using var stream = client.OpenBlob(new OciDescriptor("a/b", Digest.Of(small), small.Length));
        Assert.InRange((await ReadAsync(stream)).Length, small.Length + 1, small.Length + 200_000);
    }

    [Fact]
    public async Task A_blob_of_another_length_than_its_manifest_says_is_refused_at_once()
    {
        registry["team/model"].Blobs[Digest.Of(small)] = small;
        registry.Spoil = (_, bytes) => bytes[..^1];
        using var client = registry.Client();
        var fault = await FaultOfAsync(() => DownloadAsync(client, small));
        Assert.Equal("content-wrong", fault.Code);
        Assert.Contains("999 bytes", fault.Message);
    }

    [Fact]
    public async Task A_manifest_is_the_one_that_was_asked_for()
    {
        var bytes = Manifest();
        using var client = registry.Client();
        await PutBlobsAsync(client);
        await client.PutManifestAsync("v1", OciManifest.ManifestMediaType, bytes, Stop);
        Assert.Equal(bytes, (await client.GetManifestAsync("v1", Stop))!.Bytes.ToArray());
        Assert.Equal(Digest.Of(bytes), (await client.GetManifestAsync(Digest.Of(bytes).ToString(), Stop))!.Descriptor.Digest);
        Assert.Equal(Digest.Of(bytes), (await client.FindManifestAsync("v1", Stop))!.Digest);
        Assert.Null(await client.GetManifestAsync("v2", Stop));
        Assert.Null(await client.FindManifestAsync("v2", Stop));

        registry["team/model"].Manifests[Digest.Of(bytes)] = (OciManifest.ManifestMediaType, [.. bytes, (byte)' ']);
        Assert.Equal("content-wrong", (await FaultOfAsync(() => client.GetManifestAsync(Digest.Of(bytes).ToString(), Stop))).Code);
        // By tag no digest was asked for, and the header speaks of another.
        Assert.Equal("content-wrong", (await FaultOfAsync(() => client.GetManifestAsync("v1", Stop))).Code);
    }

    [Theory]
    [InlineData("""{"schemaVersion":2}""")]
    [InlineData("""{"schemaVersion":2,"schemaVersion":2,"manifests":[]}""")]
    [InlineData("""{"schemaVersion":2,"manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:12","size":1}]}""")]
    [InlineData("""{"schemaVersion":2,"manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":-1}]}""")]
    [InlineData("not json")]
    [InlineData("null")]
    [InlineData("")]
    public async Task A_hostile_manifest_is_refused_with_a_reason(string json)
    {
        var bytes = Encoding.UTF8.GetBytes(json);
        foreach (var type in new[] { OciManifest.ManifestMediaType, OciIndex.IndexMediaType })
        {
            registry["team/model"].Manifests[Digest.Of(bytes)] = (type, bytes);
            registry["team/model"].Tags["v1"] = Digest.Of(bytes);
            using var client = registry.Client();
            Assert.Equal("manifest-shape", (await FaultOfAsync(() => client.GetManifestAsync("v1", Stop))).Code);
        }
    }

    [Fact]
    public async Task A_manifest_that_nests_deep_is_refused()
    {
        var bytes = Encoding.UTF8.GetBytes("{\"schemaVersion\":2,\"manifests\":[],\"x\":" + new string('[', 10_000) + new string(']', 10_000) + "}");
        registry["team/model"].Manifests[Digest.Of(bytes)] = (OciIndex.IndexMediaType, bytes);
        registry["team/model"].Tags["v1"] = Digest.Of(bytes);
        using var client = registry.Client();
        Assert.Equal("manifest-shape", (await FaultOfAsync(() => client.GetManifestAsync("v1", Stop))).Code);
    }

    [Fact]
    public async Task A_manifest_or_an_error_without_end_is_not_read_to_its_end()
    {
        var status = 200;
        registry.Intercept = async http =>
        {
            http.Response.StatusCode = status;
            var piece = new byte[100_000];
            while (!http.RequestAborted.IsCancellationRequested)
                await http.Response.Body.WriteAsync(piece);
            return true;
        };
        using var client = registry.Client();
        Assert.Equal("registry-strange", (await FaultOfAsync(() => client.GetManifestAsync("v1", Stop))).Code);
        status = 400;
        Assert.Equal("registry-refused", (await FaultOfAsync(() => client.GetManifestAsync("v1", Stop))).Code);
    }

    [Fact]
    public async Task Tags_are_gathered_from_all_pages()
    {
        registry.PageSize = 2;
        foreach (var tag in new[] { "a", "b", "c", "d", "e", "sha256-" + new string('0', 64) })
            registry["team/model"].Tags[tag] = default;
        using var client = registry.Client();
        Assert.Equal(["a", "b", "c", "d", "e"], await client.TagsAsync(Stop));
        Assert.Equal(3, registry.Calls.Count);
    }

    [Theory]
    [InlineData("/v2/team/model/tags/list>; rel=\"next\"")]
    [InlineData("<https://elsewhere.example.org/v2/team/model/tags/list>; rel=\"next\"")]
    [InlineData("</v2/team/model/tags/list?n=1000>; rel=\"next\"")]
    [InlineData("<http://[>; rel=\"next\"")]
    public async Task A_link_that_leads_nowhere_or_away_is_a_fault(string link)
    {
        registry.Intercept = async http =>
        {
            http.Response.Headers.Link = link;
            http.Response.ContentType = "application/json";
            await http.Response.WriteAsync("""{"name":"team/model","tags":["a"]}""");
            return true;
        };
        using var client = registry.Client();
        Assert.Equal("registry-strange", (await FaultOfAsync(() => client.TagsAsync(Stop))).Code);
        Assert.Single(registry.Calls);
    }

    [Theory]
    [InlineData("</v2/team/model/tags/list?last=a>; rel=next", 2)]
    [InlineData("</v2/team/model/tags/list?last=a> ; foo=\"bar\" ; rel=\"next\"", 2)]
    [InlineData("</v2/x>; rel=\"prev\", </v2/team/model/tags/list?last=a>; rel=\"next\"", 2)]
    [InlineData("</v2/x>; rel=\"prev\"", 1)]
    public async Task A_link_is_read_as_its_standard_has_it(string link, int pages)
    {
        registry.Intercept = async http =>
        {
            if (registry.Calls.Count == 1)
                http.Response.Headers.Link = link;
            await http.Response.WriteAsync($$"""{"name":"team/model","tags":["t{{registry.Calls.Count}}"]}""");
            return true;
        };
        using var client = registry.Client();
        Assert.Equal(pages, (await client.TagsAsync(Stop)).Length);
    }

    [Theory]
    [InlineData(0, 0, "on more than 1000 pages", 1001)]
    [InlineData(30_000, 0, "lists more than 100000 tags", 4)]
    [InlineData(0, 4_000_000, "in more than 33554432 bytes", 9)]
    public async Task Pages_that_never_end_end_with_a_fault(int tags, int padding, string why, int pages)
    {
        var list = string.Join(',', Enumerable.Range(0, tags).Select(tag => $"\"t{tag}\""));
        registry.Intercept = async http =>
        {
            if (!http.Request.Path.Value!.EndsWith("/tags/list", StringComparison.Ordinal))
                return false;
            http.Response.Headers.Link = $"</v2/team/model/tags/list?last={registry.Calls.Count}>; rel=\"next\"";
            await http.Response.WriteAsync($$"""{"tags":[{{list}}]{{new string(' ', padding)}}}""");
            return true;
        };
        using var client = registry.Client();
        Assert.Contains(why, (await FaultOfAsync(() => client.TagsAsync(Stop))).Message);
        Assert.Equal(pages, registry.Calls.Count);

        // A name that is near is looked for in the first pages alone.
        registry.Calls.Clear();
        Assert.Equal("bundle-not-found", (await FaultOfAsync(() => client.ResolveAsync(BundleReference.Parse($"{registry.Host}/team/model:t1x"), Stop))).Code);
        Assert.Equal(3, registry.Calls.Count(call => call.Target.Contains("/tags/list")));
    }

    [Fact]
    public async Task A_repository_that_is_not_there_is_named()
    {
        registry.Intercept = async http =>
        {
            if (!http.Request.Path.Value!.Contains("/tags/list", StringComparison.Ordinal))
                return false;
            await SpecRegistry.RefuseAsync(http, 404, "NAME_UNKNOWN", "repository name not known to registry");
            return true;
        };
        using var client = registry.Client("team/modle");
        foreach (var act in new Func<Task>[] { () => client.TagsAsync(Stop), () => client.ResolveAsync(BundleReference.Parse($"{registry.Host}/team/modle:v1"), Stop) })
        {
            var fault = await FaultOfAsync(act);
            Assert.Equal(("repository-not-found", $"{registry.Host} has no repository 'team/modle'"), (fault.Code, fault.Message));
            Assert.DoesNotContain("slipway tags", fault.Help);
        }
    }

    [Theory]
    [InlineData(500), InlineData(502), InlineData(503), InlineData(504), InlineData(408), InlineData(429)]
    public async Task What_passes_is_tried_again(int status)
    {
        var time = new HurriedTime();
        registry.Intercept = async http =>
        {
            if (registry.Calls.Count > 3)
                return false;
            await SpecRegistry.RefuseAsync(http, status, "X", "y");
            return true;
        };
        using var client = registry.Client(time: time, options: new RegistryOptions { Silence = HurriedTime.Never });
        await client.PingAsync(Stop);
        Assert.Equal([0.5, 1, 2], time.Waits.Select(wait => wait.TotalSeconds));
    }

    [Fact]
    public async Task What_does_not_pass_ends_with_the_registrys_own_words()
    {
        var time = new HurriedTime();
        registry.Intercept = async http =>
        {
            await SpecRegistry.RefuseAsync(http, 503, "UNAVAILABLE", "down for maintenance");
            return true;
        };
        using var client = registry.Client(time: time, options: new RegistryOptions { Silence = HurriedTime.Never });
        var failing = await FaultOfAsync(() => client.PingAsync(Stop));
        Assert.Equal("registry-failing", failing.Code);
        Assert.Contains("UNAVAILABLE down for maintenance", failing.Message);
        Assert.Equal(5, registry.Calls.Count);
    }

    [Theory]
    [InlineData("7", 7, "")]
    [InlineData("Wed, 01 Jan 2200 00:00:00 GMT", 0, "try again after 2200-01-01T00:00:00Z, as it says")]
    [InlineData("99999", 0, "try again in 99999 s, as it says")]
    public async Task A_registry_says_when_to_come_back(string after, int waits, string told)
    {
        var time = new HurriedTime();
        registry.Intercept = async http =>
        {
            http.Response.Headers.RetryAfter = after;
            if (registry.Calls.Count > 1)
                return false;
            await SpecRegistry.RefuseAsync(http, 429, "TOOMANYREQUESTS", "slow down");
            return true;
        };
        using var client = registry.Client(time: time, options: new RegistryOptions { Silence = HurriedTime.Never });
        if (waits > 0)
        {
            await client.PingAsync(Stop);
            Assert.Equal([waits], time.Waits.Select(wait => (int)wait.TotalSeconds));
        }
        else
        {
            var busy = await FaultOfAsync(() => client.PingAsync(Stop));
            Assert.Equal("registry-busy", busy.Code);
            Assert.Contains(told, busy.Help);
            Assert.Empty(time.Waits);
        }
    }

    [Fact]
    public async Task Silence_ends_a_request_and_a_download()
    {
        registry["team/model"].Blobs[Digest.Of(large)] = large;
        registry.Intercept = async http =>
        {
            if (http.Request.Path.Value!.Contains("/blobs/"))
            {
                http.Response.ContentLength = large.Length;
                await http.Response.Body.WriteAsync(large.AsMemory(0, 1000));
                await http.Response.Body.FlushAsync();
            }

            await Task.Delay(Timeout.Infinite, http.RequestAborted);
            return true;
        };
        using var client = registry.Client(options: SpecRegistry.Quick with { Silence = TimeSpan.FromMilliseconds(100), Attempts = 2 });
        Assert.Equal("registry-unreachable", (await FaultOfAsync(() => client.PingAsync(Stop))).Code);
        Assert.Equal("registry-unreachable", (await FaultOfAsync(() => DownloadAsync(client, large))).Code);
    }

    [Fact]
    public async Task What_is_stopped_stops()
    {
        using var stopping = new CancellationTokenSource();
        registry.Intercept = async http =>
        {
            await stopping.CancelAsync();
            await Task.Delay(Timeout.Infinite, http.RequestAborted);
            return true;
        };
        using var client = registry.Client();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => client.PingAsync(stopping.Token));
    }

    [Theory]
    [InlineData("registry.example.org", "https")]
    [InlineData("registry.example.org:5000", "https")]
    [InlineData("127.0.0.1:5000", "http")]
    [InlineData("127.9.9.9", "http")]
    [InlineData("[::1]:5000", "http")]
    [InlineData("localhost", "http")]
    [InlineData("localhost.example.org", "https")]
    [InlineData("10.0.0.1:5000", "https")]
    public void Only_this_machine_is_spoken_to_in_the_clear(string host, string scheme)
    {
        Assert.Equal(scheme, RegistryAddress.Of(host, plainHttp: false).Scheme);
        Assert.Equal("http", RegistryAddress.Of(host, plainHttp: true).Scheme);
    }

    private static Task<Stream> Unread(long position, CancellationToken cancellation) => throw new InvalidOperationException("nothing is to be sent");

    private static Task<bool> UploadAsync(RegistryClient client, byte[] bytes, RegistryReference? from = null) =>
        client.UploadAsync(new OciDescriptor("a/b", Digest.Of(bytes), bytes.Length), (at, _) => Task.FromResult<Stream>(new MemoryStream(bytes) { Position = at }), from, _ => { }, Stop);

    private static async Task<byte[]> DownloadAsync(RegistryClient client, byte[] bytes)
    {
        await using var stream = client.OpenBlob(new OciDescriptor("a/b", Digest.Of(bytes), bytes.Length));
        return await ReadAsync(stream);
    }

    private static async Task<byte[]> ReadAsync(Stream stream)
    {
        using var all = new MemoryStream();
        await stream.CopyToAsync(all, Stop);
        return all.ToArray();
    }

    private static byte[] Manifest() => new OciManifest(2, new OciDescriptor("a/b", Digest.Of(small), small.Length), [new OciDescriptor("a/b", Digest.Of(small), small.Length)], OciManifest.ManifestMediaType).ToBytes();

    private static Task PutBlobsAsync(RegistryClient client) => UploadAsync(client, small);

    internal static async Task<Fault> FaultOfAsync(Func<Task> act) => (await Assert.ThrowsAsync<SlipwayException>(act)).Faults[0];
}
