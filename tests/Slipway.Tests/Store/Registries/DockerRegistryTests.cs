using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;
using Slipway.Store.Oci;
using Slipway.Store.Registries;
using Slipway.Tests.Store.Archives;

namespace Slipway.Tests.Store.Registries;

/// <summary>A registry that others wrote, and a program of others that reads what we put there: Debian's <c>docker-registry</c> and <c>skopeo</c>.</summary>
public sealed class DockerRegistryTests : IAsyncLifetime
{
    private const string Missing = "docker-registry or skopeo is not installed: apt-get install docker-registry skopeo";

    /// <summary>For the registry's start, which takes some 0.2 s on an idle machine.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly ScratchFolder scratch = new();
    private readonly List<Process> running = [];

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync()
    {
        Assert.SkipUnless(Tool.IsThere("docker-registry") && Tool.IsThere("skopeo"), Missing);
        return ValueTask.CompletedTask;
    }

    public ValueTask DisposeAsync()
    {
        foreach (var process in running)
        {
            process.Kill();
            process.WaitForExit();
            process.Dispose();
        }

        scratch.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task What_we_push_skopeo_reads_and_what_skopeo_pushes_we_read()
    {
        var host = await StartAsync();
        var (bundle, layout) = Sealed();
        var sent = await PushAsync(host, layout, bundle.Digest, "v1");
        Assert.Equal(0, sent.Skipped);

        var inspected = Skopeo("inspect", "--raw", "--tls-verify=false", $"docker://{host}/team/model:v1");
        Assert.Equal(layout.ReadBlob(bundle.Digest, OciManifest.MaxBytes).Bytes, Encoding.UTF8.GetBytes(inspected));
        Skopeo("copy", "--src-tls-verify=false", $"docker://{host}/team/model:v1", $"oci:{scratch["theirs"]}:v1");
        Assert.Equal(bundle.Digest, OciLayout.Open(scratch["theirs"]).Tags()["v1"].Digest);

        Skopeo("copy", "--dest-tls-verify=false", $"oci:{layout.Folder}:v1", $"docker://{host}/team/by-skopeo:v1");
        var ours = OciLayout.Create(scratch["ours"]);
        using var client = Client(host, "team/by-skopeo");
        var source = new RegistryPlace(client);
        var root = (await client.ResolveAsync(BundleReference.Parse($"{host}/team/by-skopeo"), Stop)).Descriptor.Digest;
        await new BundleTransfer(source, new LayoutPlace(ours)).RunAsync(await TransferPlan.ReadAsync(source, root, Stop), "v1", replace: false, Stop);
        Assert.Equal(bundle.Digest, ours.Tags()["v1"].Digest);
        Skopeo("inspect", "--raw", $"oci:{ours.Folder}:v1");
    }

    [Fact]
    public async Task What_is_attached_is_found_by_the_fallback_tag_and_skopeo_reads_that_too()
    {
        var host = await StartAsync();
        var (bundle, layout) = Sealed();
        await PushAsync(host, layout, bundle.Digest, "v1");
        using var client = Client(host);
        Assert.Equal(["v1"], await client.TagsAsync(Stop));
        Assert.Equal(layout.Referrers(bundle.Digest).Select(each => each.Entry.Digest).Order(), (await client.ReferrersAsync(bundle.Digest, Stop)).Select(entry => entry.Digest).Order());
        var listed = JsonDocument.Parse(Skopeo("inspect", "--raw", "--tls-verify=false", $"docker://{host}/team/model:sha256-{bundle.Digest.Hex}"));
        Assert.Equal(2, listed.RootElement.GetProperty("manifests").GetArrayLength());
    }

    [Fact]
    public async Task Pieces_variants_and_blobs_of_neighbours_are_taken()
    {
        var host = await StartAsync();
        var layout = OciLayout.Create(scratch["from"]);
        var (cpu, cuda) = (SomeBundle.Put(layout, null, 1, 3_000_000), SomeBundle.Put(layout, null, 2, 3_000_000));
        layout.TagVariant(cpu.Digest, "v1", "cpu", replace: false, Stop);
        var index = layout.TagVariant(cuda.Digest, "v1", "cuda", replace: false, Stop);
        var sent = await PushAsync(host, layout, index, "v1", SpecRegistry.Quick with { ChunkBytes = 1_000_000 });

        using var one = Client(host);
        using var other = Client(host, "team/released");
        var (source, target) = (new RegistryPlace(one), new RegistryPlace(other));
        var report = await new BundleTransfer(source, target).RunAsync(await TransferPlan.ReadAsync(source, index, Stop), "v1", replace: false, Stop);
        Assert.Equal((0L, sent.Sent), (report.Sent, report.Mounted));
        Assert.Equal(cuda.Digest, (await other.ResolveAsync(BundleReference.Parse($"{host}/team/released:v1#cuda"), Stop)).Descriptor.Digest);
    }

    [Fact]
    public async Task A_password_is_wanted_and_shown()
    {
        // bcrypt with cost 4 of "correct horse", as crypt(3) of libxcrypt makes it from the salt abcdefghijklmnopqrstuu.
        scratch.Write("htpasswd", "alice:$2y$04$abcdefghijklmnopqrstuujydOTSfIH/d5oUHpsygqV5X9xJLQc6e\n"u8);
        var host = await StartAsync($"auth:\n  htpasswd: {{ realm: test, path: {scratch["htpasswd"]} }}\n");
        var (bundle, layout) = Sealed();
        Assert.Equal("registry-unauthorized", (await RegistryClientTests.FaultOfAsync(() => PushAsync(host, layout, bundle.Digest, "v1"))).Code);
        Assert.Equal("registry-unauthorized", (await RegistryClientTests.FaultOfAsync(() => PushAsync(host, layout, bundle.Digest, "v1", credential: new RegistryCredential("alice", "wrong")))).Code);
        await PushAsync(host, layout, bundle.Digest, "v1", credential: new RegistryCredential("alice", "correct horse"));
        using var client = Client(host, credential: new RegistryCredential("alice", "correct horse"));
        Assert.Equal(["v1"], await client.TagsAsync(Stop));
    }

    private (OciDescriptor Bundle, OciLayout Layout) Sealed()
    {
        var layout = OciLayout.Create(scratch["from"]);
        var bundle = SomeBundle.Put(layout, "v1", layerBytes: 300_000);
        SomeBundle.Attach(layout, bundle, 1);
        SomeBundle.Attach(layout, bundle, 2);
        return (bundle, layout);
    }

    private static RegistryClient Client(string host, string repository = "team/model", RegistryOptions? options = null, RegistryCredential? credential = null) =>
        new(new RegistryReference(host, repository), options ?? SpecRegistry.Quick, credential, TimeProvider.System);

    private static async Task<TransferReport> PushAsync(string host, OciLayout layout, Digest root, string tag, RegistryOptions? options = null, RegistryCredential? credential = null)
    {
        using var client = Client(host, options: options, credential: credential);
        var source = new LayoutPlace(layout);
        return await new BundleTransfer(source, new RegistryPlace(client)).RunAsync(await TransferPlan.ReadAsync(source, root, Stop), tag, replace: false, Stop);
    }

    private static string Skopeo(params string[] arguments)
    {
        var start = new ProcessStartInfo("skopeo", arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"skopeo {string.Join(' ', arguments)}: {errors.GetAwaiter().GetResult()}");
        return output;
    }

    private async Task<string> StartAsync(string more = "")
    {
        // The registry cannot be asked which port it got, so a free one is looked for; a neighbour may take it in between.
        for (var attempt = 0; ; attempt++)
        {
            using var listener = new TcpListener(IPAddress.Loopback, 0);
            listener.Start();
            var host = $"127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}";
            listener.Stop();
            var configuration = scratch.Write("registry.yml", Encoding.UTF8.GetBytes($"version: 0.1\nlog: {{ level: error }}\nstorage:\n  filesystem: {{ rootdirectory: {scratch["registry"]} }}\nhttp: {{ addr: {host} }}\n{more}"));
            var process = Process.Start(new ProcessStartInfo("docker-registry", ["serve", configuration]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
            process.BeginErrorReadLine();
            process.BeginOutputReadLine();
            running.Add(process);
            using var client = Client(host);
            for (var started = Stopwatch.GetTimestamp(); !process.HasExited && Stopwatch.GetElapsedTime(started) < Patience; await Task.Delay(20, Stop))
            {
                try
                {
                    await client.PingAsync(Stop);
                    return host;
                }
                catch (SlipwayException e) when (e.Faults[0].Code == "registry-unauthorized")
                {
                    return host;
                }
                catch (SlipwayException)
                {
                    // Not listening yet.
                }
            }

            Assert.True(attempt < 3, "docker-registry did not start");
        }
    }
}
