using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Slipway.Bench.Infer;

/// <summary>Both servers under the same load from a process of its own, by turns, so that a busy machine is busy for both.</summary>
internal static partial class Comparison
{
    private const double Claim = 0.75;

    /// <summary>Turns of each server. Short ones, many: each turn is held against the one beside it, and the middle ratio counts.</summary>
    private const int Rounds = 15;

    private const int Connections = 8, WarmUpSeconds = 3, Seconds = 1;

    /// <returns>0 when the claim holds, 1 when not, 3 when wrk is missing or a server failed.</returns>
    public static async Task<int> RunAsync()
    {
        Console.WriteLine($"claim: one-row JSON infer on keep-alive connections, ONNX model: at least {Claim:P0} of the requests per second of a bare Kestrel endpoint");
        if (!File.Exists("/usr/bin/wrk"))
        {
            Console.Error.WriteLine("the load client is missing: apt-get install wrk");
            return 3;
        }

        using var bare = Server.Start("bare");
        using var slipway = Server.Start("slipway");
        foreach (var server in new[] { bare, slipway })
            await server.LoadAsync(WarmUpSeconds);
        Console.WriteLine("       bare              slipway");
        Console.WriteLine("       requests/s  µs    requests/s  µs    (server CPU microseconds per request)");
        List<Load> bareLoads = [], slipwayLoads = [];
        for (var round = 1; round <= Rounds; round++)
        {
            bareLoads.Add(await bare.LoadAsync(Seconds));
            slipwayLoads.Add(await slipway.LoadAsync(Seconds));
            Print(round.ToString(CultureInfo.InvariantCulture), bareLoads[^1], slipwayLoads[^1]);
        }

        Print("middle", Middle(bareLoads), Middle(slipwayLoads));
        var ratio = slipwayLoads.Zip(bareLoads, (ours, reference) => ours.Rate / reference.Rate).Order().ElementAt(Rounds / 2);
        var failures = bareLoads.Concat(slipwayLoads).Sum(load => load.Failures);
        var holds = ratio >= Claim && failures == 0;
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"ratio {ratio:0.000}, claimed at least {Claim}; {failures} failed requests: {(holds ? "PASS" : "FAIL")}"));
        return holds ? 0 : 1;
    }

    private static Load Middle(List<Load> loads) => new(
        loads.Select(load => load.Rate).Order().ElementAt(loads.Count / 2), loads.Select(load => load.Microseconds).Order().ElementAt(loads.Count / 2), 0);

    private static void Print(string round, Load bare, Load slipway) =>
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{round,-6} {bare.Rate,10:0}  {bare.Microseconds,5:0.0} {slipway.Rate,10:0}  {slipway.Microseconds,5:0.0}"));

    /// <param name="Rate">Requests per second.</param>
    /// <param name="Microseconds">Processor time of the server per request.</param>
    private readonly record struct Load(double Rate, double Microseconds, long Failures);

    private sealed partial class Server(Process process, string url) : IDisposable
    {
        public static Server Start(string kind)
        {
            var process = Process.Start(new ProcessStartInfo(Environment.ProcessPath!, [.. Self(), kind]) { RedirectStandardInput = true, RedirectStandardOutput = true })!;
            var url = process.StandardOutput.ReadLine() ?? throw new InvalidOperationException($"the {kind} server did not start");
            return new Server(process, url.TrimEnd('/'));
        }

        public async Task<Load> LoadAsync(int seconds)
        {
            var script = Path.Combine(AppContext.BaseDirectory, "post.lua");
            var before = Cpu();
            using var wrk = Process.Start(new ProcessStartInfo(
                "/usr/bin/wrk", ["-t1", $"-c{Connections}", $"-d{seconds}s", "-s", script, url + "/v2/models/flight-delay/infer"])
            { RedirectStandardOutput = true })!;
            var report = await wrk.StandardOutput.ReadToEndAsync();
            await wrk.WaitForExitAsync();
            var requests = double.Parse(Total().Match(report).Groups[1].Value, CultureInfo.InvariantCulture);
            var rate = double.Parse(PerSecond().Match(report).Groups[1].Value, CultureInfo.InvariantCulture);
            var failures = Refused().Match(report) is { Success: true } refused ? long.Parse(refused.Groups[1].Value, CultureInfo.InvariantCulture) : 0;
            if (report.Contains("Socket errors", StringComparison.Ordinal))
                failures++;
            return new Load(rate, (Cpu() - before).TotalMicroseconds / requests, failures);
        }

        public void Dispose()
        {
            process.StandardInput.Close();
            process.WaitForExit();
            process.Dispose();
        }

        private static string[] Self() => Path.GetFileName(Environment.ProcessPath) == "dotnet" ? [typeof(Comparison).Assembly.Location] : [];

        private TimeSpan Cpu()
        {
            process.Refresh();
            return process.TotalProcessorTime;
        }

        [GeneratedRegex(@"(\d+) requests in")]
        private static partial Regex Total();

        [GeneratedRegex(@"Requests/sec:\s+([\d.]+)")]
        private static partial Regex PerSecond();

        [GeneratedRegex(@"Non-2xx or 3xx responses: (\d+)")]
        private static partial Regex Refused();
    }
}
