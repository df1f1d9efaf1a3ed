using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Slipway.Primitives.Processes;

namespace Slipway.Bench.Registry;

/// <summary>A folder with a sealed bundle whose model has 1 GiB, and a registry that is empty at each start.</summary>
internal sealed class Workplace : IDisposable
{
    public const long Bytes = 1L << 30;

    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(5);

    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("slipway-bench-registry-");

    private Workplace(string slipway) => Slipway = slipway;

    public string Slipway { get; }

    public string PathOf(string relative) => Path.Combine(folder.FullName, relative);

    public static async Task<Workplace> MakeAsync(string slipway, string tiny)
    {
        var place = new Workplace(slipway);
        foreach (var file in Directory.EnumerateFiles(tiny, "*", SearchOption.AllDirectories))
        {
            var target = place.PathOf(Path.Combine("project", Path.GetRelativePath(tiny, file)));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(file, target);
        }

        Directory.CreateDirectory(place.PathOf("project/data"));
        await File.WriteAllTextAsync(place.PathOf("project/data/trips.csv"), Trips());
        // What cannot be compressed, so that nobody gains by trying.
        await File.AppendAllTextAsync(place.PathOf("project/pipeline/train.py"), $"\nimport random\nrandom.seed(7)\nwith open('build/model/ballast', 'wb') as ballast:\n    for _ in range({Bytes >> 20}):\n        ballast.write(random.randbytes(1 << 20))\n");
        await place.RunAsync(slipway, "keys", "new", "--no-passphrase");
        await place.RunAsync(slipway, "-q", "-C", place.PathOf("project"), "run");
        return place;
    }

    /// <summary>Runs a program to its end, which must be a good one.</summary>
    public async Task<ChildExit> RunAsync(params string[] command)
    {
        var environment = Environment.GetEnvironmentVariables().Cast<System.Collections.DictionaryEntry>().ToDictionary(entry => (string)entry.Key, entry => (string?)entry.Value ?? "");
        (environment["HOME"], environment["XDG_CONFIG_HOME"]) = (folder.FullName, PathOf("config"));
        var log = PathOf("log");
        File.Delete(log);
        var ended = await ChildProcess.RunAsync(new ChildCommand(command, folder.FullName, environment, log, log), Grace, CancellationToken.None);
        return ended.Succeeded ? ended : throw new InvalidOperationException($"{string.Join(' ', command)} {ended}: {await File.ReadAllTextAsync(log)}");
    }

    public async Task<LocalRegistry> StartRegistryAsync()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var registry = new LocalRegistry(folder.FullName, $"127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}");
        listener.Stop();
        await registry.StartAsync();
        return registry;
    }

    public void Dispose() => folder.Delete(recursive: true);

    private static string Trips()
    {
        var text = new StringBuilder("day,x,kind,late\n");
        var state = 12345u;
        double Next() => (state = state * 1664525 + 1013904223) / 4294967296.0;
        for (var i = 0; i < 6000; i++)
        {
            var (day, x) = (new DateOnly(2020, 1, 1).AddDays(i * 90 / 6000), Next());
            text.Append(CultureInfo.InvariantCulture, $"{day:yyyy-MM-dd},{x:0.0000},{"abc"[(int)(Next() * 3)]},{(Next() < 0.1 + 0.7 * x ? 1 : 0)}\n");
        }

        return text.ToString();
    }
}

/// <summary>Debian's <c>docker-registry</c> on loopback.</summary>
internal sealed class LocalRegistry(string folder, string host) : IAsyncDisposable
{
    /// <summary>For a start, which takes some 0.2 s.</summary>
    private const int Looks = 300;

    private ChildProcess? running;

    public string Host => host;

    private string Data => Path.Combine(folder, "registry");

    public async Task StartAsync()
    {
        var configuration = Path.Combine(folder, "registry.yml");
        await File.WriteAllTextAsync(configuration, $"version: 0.1\nlog: {{ level: error, accesslog: {{ disabled: true }} }}\nstorage:\n  filesystem: {{ rootdirectory: {Data} }}\nhttp: {{ addr: {host} }}\n");
        running = ChildProcess.Start(new ChildCommand(["docker-registry", "serve", configuration], folder, new Dictionary<string, string> { ["PATH"] = Environment.GetEnvironmentVariable("PATH") ?? "" }));
        using var http = new HttpClient();
        for (var look = 0; ; look++)
        {
            try
            {
                await http.GetAsync($"http://{host}/v2/");
                return;
            }
            catch (HttpRequestException) when (look < Looks)
            {
                await Task.Delay(50);
            }
        }
    }

    /// <summary>Empties it.</summary>
    public async Task ClearAsync()
    {
        await DisposeAsync();
        await StartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (running is not null)
            await running.DisposeAsync();
        if (Directory.Exists(Data))
            Directory.Delete(Data, recursive: true);
    }
}
