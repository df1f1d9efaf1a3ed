using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Slipway.EndToEnd;

/// <summary>Machine A builds and shares; machine B, with another home and an empty project, takes all of it and seals the same.</summary>
public sealed class SharedCacheTests : IDisposable
{
    private static readonly TimeSpan AtMost = TimeSpan.FromSeconds(60);

    private readonly TinyProject a = new(), b = new();
    private readonly string folder = Directory.CreateTempSubdirectory("slipway-cache-").FullName;
    private Process? registry;

    public SharedCacheTests()
    {
        a.MakeKey();
        b.MakeKey();
        File.Copy(Path.Combine(a.Home, ".config/slipway/keys/default.key.pub"), Path.Combine(b.Home, ".config/slipway/keys/builder.pub"));
    }

    private string Cache => Path.Combine(folder, "cache");

    public void Dispose()
    {
        registry?.Kill();
        registry?.WaitForExit();
        registry?.Dispose();
        a.Dispose();
        b.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public void Another_machine_takes_everything_from_a_folder_and_seals_the_same_digest()
    {
        var made = a.Run("run", "--cache", Cache, "--cache-push", "--json");
        Assert.True(made.Code == 0, made.All);
        Assert.All(Sources(made), source => Assert.Equal("executed", source));
        var taken = b.Run("run", "--cache", Cache, "--json");
        Assert.True(taken.Code == 0, taken.All);
        Assert.All(Sources(taken), source => Assert.Equal("shared", source));
        Assert.Equal(DigestOf(made), DigestOf(taken));
        Assert.Equal(KeyOf(a), taken.Json.GetProperty("stages")[0].GetProperty("shared").GetProperty("key").GetString());
        Assert.Equal(0, b.Run("verify", "tiny").Code);
        var shown = b.Run("runs", "show", taken.Json.GetProperty("run").GetString()!);
        Assert.Contains($"shared: from {Cache}", shown.Output);
        Assert.Contains("0 executed", b.Run("runs").Output);
    }

    [Fact]
    public void The_spec_says_where_and_never_that_something_is_put_there()
    {
        File.AppendAllText(a.PathOf("slipway.yaml"), $"\ncache: {Cache}\n");
        var run = a.Run("run", "--json");
        Assert.True(run.Code == 0, run.All);
        Assert.Contains("cache-missing", run.Errors);
        Assert.False(Directory.Exists(Cache));
        a.Variables["SLIPWAY_CACHE_PUSH"] = "1";
        var pushed = a.Run("run", "--force", "--json");
        Assert.Equal(DigestOf(run), DigestOf(pushed));
        File.AppendAllText(b.PathOf("slipway.yaml"), $"\ncache: {Cache}\n");
        Assert.All(Sources(b.Run("run", "--json")), source => Assert.Equal("shared", source));
    }

    [Fact]
    public void Who_does_not_know_the_key_executes_and_is_told_why()
    {
        Assert.Equal(0, a.Run("run", "--cache", Cache, "--cache-push").Code);
        File.Delete(Path.Combine(b.Home, ".config/slipway/keys/builder.pub"));
        var run = b.Run("run", "--cache", Cache, "--json");
        Assert.True(run.Code == 0, run.All);
        Assert.All(Sources(run), source => Assert.Equal("executed", source));
        Assert.Contains("(signer-unknown)", run.Errors);
        Assert.Equal(0, b.Run("run", "--cache", "none").Code);
    }

    [Theory]
    [InlineData(2, "bad-cache", "run", "--cache", "somewhere")]
    [InlineData(2, "bad-argument", "run", "--cache-push")]
    [InlineData(2, "bad-argument", "run", "--cache", "none", "--cache-push")]
    [InlineData(2, "bad-cache", "check", "--cache", "registry.example.org/team/cache:v1")]
    public void A_mistake_is_told_before_anything_runs(int code, string fault, params string[] arguments)
    {
        var run = a.Run([.. arguments, "--json"]);
        Assert.Equal(code, run.Code);
        Assert.Equal(fault, run.Json.GetProperty("faults")[0].GetProperty("code").GetString());
    }

    [Fact]
    public void A_check_takes_and_never_writes()
    {
        a.Variables["SLIPWAY_CACHE_PUSH"] = "1";
        Assert.Equal(0, a.Run("lock").Code);
        var check = a.Run("check", "--cache", Cache);
        Assert.True(check.Code == 0, check.All);
        Assert.False(Directory.Exists(Cache));
        Assert.Equal(0, a.Run("run", "--cache", Cache).Code);
        Assert.Equal(0, b.Run("lock").Code);
        // The data have fewer rows than a sample, so that a check asks for what a run has made.
        var taken = b.Run("check", "--cache", Cache, "--json");
        Assert.True(taken.Code == 0, taken.All);
        Assert.All(taken.Json.GetProperty("stages").EnumerateArray(), stage => Assert.Equal("shared", stage.GetProperty("source").GetString()));
    }

    [Fact]
    public void Killed_while_it_shares_or_takes_the_next_run_comes_to_the_same()
    {
        var expected = DigestOf(a.Run("run", "--json"));
        for (var kill = 0; kill < Kills.OrElse(6); kill++)
        {
            var project = kill % 2 == 0 ? a : b;
            foreach (var made in new[] { ".slipway", "build" }.Select(project.PathOf).Where(Directory.Exists))
                Directory.Delete(made, recursive: true);
            if (kill == 0 || kill % 4 == 2)
                Directory.Delete(Directory.CreateDirectory(Cache).FullName, recursive: true);
            using (var process = project.Start("run", "--cache", Cache, "--cache-push"))
            {
                process.WaitForExit(300 + 450 * kill);
                process.Kill(entireProcessTree: true);
                process.WaitForExit();
            }

            var run = project.Run("run", "--cache", Cache, "--cache-push", "--json");
            Assert.True(run.Code == 0, run.All);
            Assert.Equal(expected, DigestOf(run));
            Assert.DoesNotContain("does not count", run.Errors);
        }
    }

    [Fact]
    public async Task A_registry_serves_as_well_and_one_that_is_gone_stops_nothing()
    {
        Assert.SkipUnless(File.Exists("/usr/bin/docker-registry"), "docker-registry is not installed: apt-get install docker-registry");
        var place = await StartRegistryAsync() + "/team/cache";
        var made = a.Run("run", "--cache", place, "--cache-push", "--json");
        Assert.True(made.Code == 0, made.All);
        b.Variables["SLIPWAY_CACHE"] = place;
        var taken = b.Run("run", "--json");
        Assert.All(Sources(taken), source => Assert.Equal("shared", source));
        Assert.Equal(DigestOf(made), DigestOf(taken));
        registry!.Kill();
        registry.WaitForExit();
        Directory.Delete(b.PathOf(".slipway"), recursive: true);
        Directory.Delete(b.PathOf("build"), recursive: true);
        var alone = b.Run("run", "--json");
        Assert.Equal(DigestOf(made), DigestOf(alone));
        Assert.All(Sources(alone), source => Assert.Equal("executed", source));
        Assert.Equal(2, alone.Errors.Split("registry-unreachable").Length);
    }

    private async Task<string> StartRegistryAsync()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var host = $"127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}";
        listener.Stop();
        var configuration = Path.Combine(folder, "registry.yml");
        await File.WriteAllTextAsync(
            configuration, $"version: 0.1\nlog: {{ level: error }}\nstorage:\n  filesystem: {{ rootdirectory: {folder}/data }}\nhttp: {{ addr: {host} }}\n");
        registry = Process.Start(new ProcessStartInfo("/usr/bin/docker-registry", ["serve", configuration]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        registry.BeginErrorReadLine();
        registry.BeginOutputReadLine();
        using var http = new HttpClient();
        for (var started = Stopwatch.GetTimestamp(); ; await Task.Delay(50, TestContext.Current.CancellationToken))
        {
            try
            {
                await http.GetAsync($"http://{host}/v2/", TestContext.Current.CancellationToken);
                return host;
            }
            catch (HttpRequestException)
            {
                Assert.True(Stopwatch.GetElapsedTime(started) < AtMost, "docker-registry did not start");
            }
        }
    }

    private static IEnumerable<string> Sources(Ended run)
    {
        Assert.True(run.Code == 0, run.All);
        return [.. run.Json.GetProperty("stages").EnumerateArray().Select(stage => stage.GetProperty("source").GetString()!)];
    }

    private static string DigestOf(Ended run)
    {
        Assert.True(run.Code == 0, run.All);
        return run.Json.GetProperty("bundle").GetProperty("digest").GetString()!;
    }

    private static string KeyOf(TinyProject project)
    {
        var shown = project.Run("keys", "show", "--json");
        Assert.True(shown.Code == 0, shown.All);
        return shown.Json.GetProperty("key").GetProperty("id").GetString()!;
    }
}
