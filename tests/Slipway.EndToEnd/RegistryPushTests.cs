using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Slipway.EndToEnd;

/// <summary>From a project over a real registry to another machine's folder, where the public key alone verifies it; also when programs are killed in between.</summary>
public sealed class RegistryPushTests(SealedProject project) : IClassFixture<SealedProject>, IAsyncLifetime
{
    private static readonly TimeSpan AtMost = TimeSpan.FromSeconds(60);

    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("slipway-registry-");
    private Process? registry;
    private string host = "";

    private string Key => Path.Combine(project.Project.Home, ".config/slipway/keys/default.key.pub");

    public async ValueTask InitializeAsync()
    {
        Assert.SkipUnless(File.Exists("/usr/bin/docker-registry"), "docker-registry is not installed: apt-get install docker-registry");
        using (var listener = new TcpListener(IPAddress.Loopback, 0))
        {
            listener.Start();
            host = $"127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}";
        }

        var configuration = Path.Combine(folder.FullName, "registry.yml");
        await File.WriteAllTextAsync(configuration, $"version: 0.1\nlog: {{ level: error }}\nstorage:\n  filesystem: {{ rootdirectory: {folder.FullName}/data }}\nhttp: {{ addr: {host} }}\n");
        registry = Process.Start(new ProcessStartInfo("/usr/bin/docker-registry", ["serve", configuration]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        registry.BeginErrorReadLine();
        registry.BeginOutputReadLine();
        using var http = new HttpClient();
        for (var started = Stopwatch.GetTimestamp(); ; await Task.Delay(50))
        {
            try
            {
                await http.GetAsync($"http://{host}/v2/");
                return;
            }
            catch (HttpRequestException)
            {
                Assert.True(Stopwatch.GetElapsedTime(started) < AtMost, "docker-registry did not start");
            }
        }
    }

    public ValueTask DisposeAsync()
    {
        registry?.Kill();
        registry?.WaitForExit();
        registry?.Dispose();
        folder.Delete(recursive: true);
        return ValueTask.CompletedTask;
    }

    [Fact]
    public void A_bundle_is_pushed_pulled_elsewhere_and_verified_there_with_the_public_key_alone()
    {
        var pushed = project.Project.Run("push", "tiny", $"{host}/team/tiny:v1", "--json");
        Assert.True(pushed.Code == 0, pushed.All);
        Assert.Equal(project.Digest, pushed.Json.GetProperty("bundle").GetProperty("digest").GetString());
        Assert.True(pushed.Json.GetProperty("bytes").GetProperty("sent").GetInt64() > 0);
        Assert.Equal("v1\n", project.Project.Run("tags", $"{host}/team/tiny").Output);

        using var elsewhere = new TinyProject();
        var pulled = elsewhere.Run("pull", $"{host}/team/tiny:v1", "--key", Key, "--json");
        Assert.True(pulled.Code == 0, pulled.All);
        Assert.Equal("pass", pulled.Json.GetProperty("verdict").GetString());
        registry!.Kill();
        registry.WaitForExit();
        var verified = elsewhere.Run("verify", "v1", "--key", Key);
        Assert.True(verified.Code == 0, verified.All);
        Assert.Contains(project.Digest, verified.Output);
        Assert.Equal(3, elsewhere.Run("pull", $"{host}/team/tiny:v2", "--key", Key).Code);
    }

    [Fact]
    public void Who_trusts_no_signer_gets_nothing_and_a_copy_is_no_verification()
    {
        Assert.Equal(0, project.Project.Run("push", "tiny", $"{host}/team/tiny:v1").Code);
        using var stranger = new TinyProject();
        Assert.Equal(3, stranger.Run("pull", $"{host}/team/tiny:v1").Code);
        stranger.MakeKey();
        var refused = stranger.Run("pull", $"{host}/team/tiny:v1");
        Assert.True(refused.Code == 1, refused.All);
        Assert.Contains("not trusted", refused.All);
        Assert.Empty(Directory.EnumerateFiles(stranger.PathOf(".slipway/bundles/blobs/sha256")));
        Assert.Equal(2, stranger.Run("verify", "v1").Code);

        Assert.Equal(0, stranger.Run("copy", $"{host}/team/tiny:v1", $"oci:{folder.FullName}/copy:v1").Code);
        Assert.Equal(1, stranger.Run("verify", $"oci:{folder.FullName}/copy:v1").Code);
        Assert.Equal(0, stranger.Run("verify", $"oci:{folder.FullName}/copy:v1", "--key", Key).Code);
    }

    [Fact]
    public void A_tampered_bundle_is_not_there_after_it_was_pulled()
    {
        Assert.Equal(0, project.Project.Run("push", "tiny", $"{host}/team/tiny:v1").Code);
        foreach (var blob in Directory.EnumerateFiles(Path.Combine(folder.FullName, "data"), "data", SearchOption.AllDirectories))
        {
            var bytes = File.ReadAllBytes(blob);
            bytes[^1] ^= 1;
            File.WriteAllBytes(blob, bytes);
        }

        using var elsewhere = new TinyProject();
        var refused = elsewhere.Run("pull", $"{host}/team/tiny:v1", "--key", Key);
        Assert.True(refused.Code is 1 or 3, refused.All);
        Assert.NotEqual(0, elsewhere.Run("verify", "v1", "--key", Key).Code);
    }

    [Fact]
    public void Variants_are_tagged_chosen_and_listed()
    {
        var destination = $"{host}/team/tiny";
        Assert.Equal(0, project.Project.Run("push", "tiny", $"{destination}:v1").Code);
        Assert.Equal(0, project.Project.Run("tag", $"{destination}:v1", "all", "--variant", "cpu").Code);
        Assert.Equal(0, project.Project.Run("push", "tiny", $"{destination}:all#cuda").Code);
        Assert.Equal(2, project.Project.Run("tag", $"{destination}:v1", "all").Code);
        using var elsewhere = new TinyProject();
        Assert.Equal(0, elsewhere.Run("pull", $"{destination}:all", "--key", Key).Code);
        var tags = elsewhere.Run("tags", "--json");
        Assert.Equal(["cpu", "cuda"], tags.Json.GetProperty("tags")[0].GetProperty("variants").EnumerateArray().Select(variant => variant.GetString()));
        Assert.Equal(0, elsewhere.Run("verify", "all#cuda", "--key", Key).Code);
        Assert.Contains("did you mean '#cuda'?", elsewhere.Run("verify", "all#cuda1", "--key", Key).All);
    }

    [Theory]
    [InlineData("push", "tiny", "staging")]
    [InlineData("push", "tiny", "registry.example.org/team/tiny@sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a")]
    [InlineData("push", "tiny", "registry.example.org/Team/tiny:v1")]
    [InlineData("push", "tiny", "registry.example.org/team/tiny:v1", "--reason", "because")]
    [InlineData("push", "tiny")]
    [InlineData("push", "nothing", "registry.example.org/team/tiny:v1")]
    [InlineData("copy", "tiny")]
    [InlineData("tag", "tiny", "-bad")]
    [InlineData("tag", "tiny", "good", "--variant", "Bad")]
    [InlineData("tags", "tiny")]
    [InlineData("pull", "registry.example.org/team/tiny:v1", "registry.example.org/team/tiny:v2")]
    [InlineData("verify", "registry.example.org/team/tiny:v1")]
    [InlineData("pull", "registry.example.org/team/tiny:v1", "--password-stdin")]
    public void What_cannot_be_meant_is_refused_before_anything_is_sent(params string[] arguments)
    {
        var refused = project.Project.Run(arguments);
        Assert.True(refused.Code == 2, refused.All);
        Assert.Contains("→", refused.Errors);
    }

    [Fact]
    public void Killed_at_any_instant_push_and_pull_leave_nothing_half_and_go_on()
    {
        var kills = Kills.OrElse(12);
        var (name, seed) = ($"{host}/team/killed", 20u);
        using var elsewhere = new TinyProject();
        for (var kill = 0; kill < kills; kill++)
        {
            seed = seed * 1664525 + 1013904223;
            var isPush = kill % 2 == 0;
            using (var process = isPush ? project.Project.Start("push", "tiny", $"{name}:v{kill}") : elsewhere.Start("pull", $"{name}:v{kill - 1}", $"oci:{elsewhere.PathOf("pulled")}:v1", "--key", Key))
            {
                process.WaitForExit((int)(seed >> 16) % 900);
                process.Kill(entireProcessTree: true);
                process.WaitForExit();
            }

            var again = isPush ? project.Project.Run("push", "tiny", $"{name}:v{kill}") : elsewhere.Run("pull", $"{name}:v{kill - 1}", $"oci:{elsewhere.PathOf("pulled")}:v1", "--key", Key);
            Assert.True(again.Code == 0, again.All);
            if (!isPush)
            {
                var verified = elsewhere.Run("verify", $"oci:{elsewhere.PathOf("pulled")}:v1", "--key", Key);
                Assert.True(verified.Code == 0, verified.All);
                Directory.Delete(elsewhere.PathOf("pulled"), recursive: true);
            }
        }
    }
}
