using System.Net;
using System.Text;
using Slipway.Documents.Access;
using Slipway.Documents.Registry;
using Slipway.Primitives.Bytes;
using Slipway.Store.Oci;
using Slipway.Tests.Primitives;
using Slipway.Trust.Signing;
using Slipway.Trust.Verification;

namespace Slipway.Tests.Server.Registry;

public sealed class BlobTests
{
    private static readonly byte[] some = Encoding.ASCII.GetBytes("some bytes");

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_gateway_fetches_all_of_a_bundle_and_verifies_it()
    {
        await using var registry = await TestRegistry.StartAsync();
        var bundle = registry.Seal();
        await registry.PushAsync(await registry.Server.AsAsync(Role.Author), bundle);
        var gateway = await registry.Server.AsAsync(Role.Gateway, TestRegistry.Model);
        var contents = await TestServer.GetAsync(gateway, $"/api/v1/bundles/{bundle}", RegistryJson.Default.BundleContents);
        Assert.Equal(registry.BlobsOf(bundle).Order(), contents.Blobs.Select(blob => blob.Digest).Order());

        using var folder = new TestFolder();
        var layout = OciLayout.Create(folder.Root);
        foreach (var blob in contents.Blobs)
        {
            var bytes = await gateway.GetByteArrayAsync($"/api/v1/blobs/{blob.Digest}", Stop);
            Assert.Equal(blob.Size, bytes.Length);
            Assert.Equal(blob.Digest, layout.AddBlob(bytes).Digest);
        }

        foreach (var manifest in contents.Attestations.Prepend(bundle))
            layout.PutManifest(layout.ReadBlob(manifest, OciManifest.MaxBytes).Bytes, cancellation: Stop);
        Assert.True(BundleVerifier.Verify(layout, bundle, KeyRing.Of(registry.Sample.Key.PublicKey), Stop).Succeeded);
    }

    [Fact]
    public async Task Bytes_of_another_digest_are_not_kept()
    {
        await using var registry = await TestRegistry.StartAsync();
        var author = await registry.Server.AsAsync(Role.Author);
        var digest = Digest.Of("other bytes"u8);
        Assert.Equal(HttpStatusCode.BadRequest, await TestRegistry.PutAsync(author, digest, some));
        Assert.Equal(HttpStatusCode.NotFound, await HeadAsync(author, digest));
        Assert.Equal(HttpStatusCode.NotFound, await HeadAsync(author, Digest.Of(some)));
        Assert.Equal(HttpStatusCode.Created, await TestRegistry.PutAsync(author, Digest.Of(some), some));
        Assert.Equal(HttpStatusCode.OK, await HeadAsync(author, Digest.Of(some)));
    }

    [Fact]
    public async Task A_digest_alone_gives_nobody_anothers_bytes()
    {
        await using var registry = await TestRegistry.StartAsync();
        var bundle = registry.Seal();
        await registry.PushAsync(await registry.Server.AsAsync(Role.Author), bundle);
        var weights = registry.BlobsOf(bundle)[^1];

        // Who pushes another model cannot take these blobs for there, neither by asking nor by pushing.
        var stranger = await registry.Server.AsAsync(Role.Author, "fraud");
        Assert.Equal(HttpStatusCode.NotFound, await HeadAsync(stranger, weights));
        var (_, faults) = await TestRegistry.RefusedAsync(stranger, "/api/v1/models/fraud/versions", new VersionPush(bundle, registry.Attached(bundle), null, "x"), RegistryJson.Default.VersionPush);
        Assert.Equal(registry.BlobsOf(bundle).Length, faults.Count(fault => fault.Code == "blob-missing"));

        // Who may read, push or serve another model gets no bytes of this one.
        foreach (var other in new[] { stranger, await registry.Server.AsAsync(Role.Viewer, "fraud"), await registry.Server.AsAsync(Role.Gateway, "fraud") })
        {
            foreach (var path in new[] { $"/api/v1/blobs/{weights}", $"/api/v1/bundles/{bundle}" })
            {
                using var response = await other.GetAsync(path, Stop);
                Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
            }
        }

        // Who reads this one does.
        var viewer = await registry.Server.AsAsync(Role.Viewer);
        Assert.Equal(weights, Digest.Of(await viewer.GetByteArrayAsync($"/api/v1/blobs/{weights}", Stop)));
    }

    [Theory]
    [InlineData("bytes=5-", 206, 5)]
    [InlineData("bytes=0-", 206, 0)]
    [InlineData("bytes=5-6", 200, 0)]
    [InlineData("bytes=-5", 200, 0)]
    [InlineData("bytes=1-,3-", 200, 0)]
    [InlineData("bytes=999999999-", 200, 0)]
    [InlineData("lines=1-", 200, 0)]
    public async Task A_download_goes_on_where_it_was_cut(string range, int status, int from)
    {
        await using var registry = await TestRegistry.StartAsync();
        var bundle = registry.Seal();
        await registry.PushAsync(await registry.Server.AsAsync(Role.Author), bundle);
        var viewer = await registry.Server.AsAsync(Role.Viewer);
        var whole = await viewer.GetByteArrayAsync($"/api/v1/blobs/{bundle}", Stop);
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/api/v1/blobs/{bundle}");
        request.Headers.TryAddWithoutValidation("Range", range);
        using var response = await viewer.SendAsync(request, Stop);
        Assert.Equal((status, from), ((int)response.StatusCode, (int)(response.Content.Headers.ContentRange?.From ?? 0)));
        Assert.Equal(whole[from..], await response.Content.ReadAsByteArrayAsync(Stop));
    }

    [Fact]
    public async Task What_is_uploaded_and_not_registered_is_handed_to_no_gateway()
    {
        await using var registry = await TestRegistry.StartAsync();
        await TestRegistry.PutAsync(await registry.Server.AsAsync(Role.Author), Digest.Of(some), some);
        using var response = await (await registry.Server.AsAsync(Role.Gateway)).GetAsync($"/api/v1/blobs/{Digest.Of(some)}", Stop);
        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
    }

    [Fact]
    public async Task A_full_disk_is_told_nothing_is_left_half_written_and_it_works_when_there_is_space_again()
    {
        using var disk = SmallDisk.Mount(kibibytes: 64);
        await using var registry = await TestRegistry.StartAsync(with: options =>
        {
            Directory.CreateSymbolicLink(Path.Combine(options.Folder, "bundles"), disk.Folder);
            return options;
        });
        var author = await registry.Server.AsAsync(Role.Author);
        var large = new byte[256 * 1024];
        new Random(1).NextBytes(large);
        var digest = Digest.Of(large);
        using (var full = await author.PutAsync($"/api/v1/blobs/{digest}", new ByteArrayContent(large), Stop))
        {
            Assert.Equal(HttpStatusCode.ServiceUnavailable, full.StatusCode);
            var fault = System.Text.Json.JsonSerializer.Deserialize(await full.Content.ReadAsStringAsync(Stop), RegistryJson.Default.ErrorDocument)!.Faults[0];
            Assert.Equal("no-space", fault.Code);
            Assert.Contains("no space left", fault.Message);
        }

        Assert.Equal(HttpStatusCode.NotFound, await HeadAsync(author, digest));
        Assert.DoesNotContain(Directory.EnumerateFiles(disk.Folder, "*", SearchOption.AllDirectories), file => file.Contains(digest.Hex) || new FileInfo(file).Length > 4096);
        // What is small still goes in, and the disk is as empty as before.
        Assert.Equal(HttpStatusCode.Created, await TestRegistry.PutAsync(author, Digest.Of(some), some));

        disk.Resize(kibibytes: 1024);
        Assert.Equal(HttpStatusCode.Created, await TestRegistry.PutAsync(author, digest, large));
        Assert.Equal(HttpStatusCode.OK, await HeadAsync(author, digest));
    }

    [Theory]
    [InlineData("sha256:..%2f..%2f..%2fserver.db")]
    [InlineData("..%2f..%2fserver.db")]
    [InlineData("SHA256:E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855")]
    [InlineData("sha512:00")]
    public async Task A_path_that_is_no_digest_leads_nowhere(string digest)
    {
        await using var registry = await TestRegistry.StartAsync();
        foreach (var (client, method) in new[] { (await registry.Server.AsAsync(Role.Author), HttpMethod.Put), (await registry.Server.AsAsync(Role.Gateway), HttpMethod.Get) })
        {
            using var response = await client.SendAsync(new HttpRequestMessage(method, $"/api/v1/blobs/{digest}") { Content = method == HttpMethod.Put ? new ByteArrayContent(some) : null }, Stop);
            Assert.True(response.StatusCode is HttpStatusCode.BadRequest or HttpStatusCode.NotFound, response.StatusCode.ToString());
        }
    }

    private static async Task<HttpStatusCode> HeadAsync(HttpClient client, Digest blob)
    {
        using var response = await client.SendAsync(new HttpRequestMessage(HttpMethod.Head, $"/api/v1/blobs/{blob}"), Stop);
        return response.StatusCode;
    }
}
