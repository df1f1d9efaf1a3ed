using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Slipway.Bench.Gateway;

/// <summary>One of the servers in a process of its own, and what it does under load from others.</summary>
internal sealed partial class ServerProcess(Process process, string url) : IDisposable
{
    private const int Connections = 8;

    public static ServerProcess Start(string kind)
    {
        var process = Self(kind, redirectInput: true);
        return new ServerProcess(process, (process.StandardOutput.ReadLine() ?? throw new InvalidOperationException($"the {kind} server did not start")).TrimEnd('/'));
    }

    /// <summary>As many requests as it answers.</summary>
    public async Task<Load> FullAsync(int seconds)
    {
        var script = Path.Combine(AppContext.BaseDirectory, "post.lua");
        var before = Cpu();
        using var wrk = Process.Start(new ProcessStartInfo(
            "/usr/bin/wrk", ["-t1", $"-c{Connections}", $"-d{seconds}s", "-s", script, url + "/v2/models/flight-delay/infer"])
        { RedirectStandardOutput = true })!;
        var report = await wrk.StandardOutput.ReadToEndAsync();
        await wrk.WaitForExitAsync();
        var failures = Refused().Match(report) is { Success: true } refused ? long.Parse(refused.Groups[1].Value, CultureInfo.InvariantCulture) : 0;
        return new Load(
            double.Parse(PerSecond().Match(report).Groups[1].Value, CultureInfo.InvariantCulture),
            (Cpu() - before).TotalMicroseconds / double.Parse(Total().Match(report).Groups[1].Value, CultureInfo.InvariantCulture),
            failures + (report.Contains("Socket errors", StringComparison.Ordinal) ? 1 : 0));
    }

    /// <summary>A constant number of requests a second.</summary>
    public async Task<Times> ConstantAsync(int rate, int seconds)
    {
        using var client = Self("load", false, url, rate.ToString(CultureInfo.InvariantCulture), seconds.ToString(CultureInfo.InvariantCulture));
        var line = await client.StandardOutput.ReadToEndAsync();
        await client.WaitForExitAsync();
        var numbers = line.Split(' ').Select(number => double.Parse(number, CultureInfo.InvariantCulture)).ToArray();
        return new Times((long)numbers[0], (long)numbers[1], numbers[2], numbers[3], numbers[4]);
    }

    /// <summary>Has the server do something, and waits for its word that it is done.</summary>
    public async Task<string?> TellAsync(string line)
    {
        await process.StandardInput.WriteLineAsync(line);
        return await process.StandardOutput.ReadLineAsync();
    }

    public void Dispose()
    {
        process.StandardInput.Close();
        process.WaitForExit();
        process.Dispose();
    }

    private static Process Self(string kind, bool redirectInput, params string[] arguments)
    {
        string[] program = Path.GetFileName(Environment.ProcessPath) == "dotnet" ? [typeof(ServerProcess).Assembly.Location] : [];
        return Process.Start(new ProcessStartInfo(Environment.ProcessPath!, [.. program, kind, .. arguments]) { RedirectStandardInput = redirectInput, RedirectStandardOutput = true })!;
    }

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

/// <param name="Rate">Requests per second.</param>
/// <param name="Microseconds">Processor time of the server per request.</param>
internal readonly record struct Load(double Rate, double Microseconds, long Failures);

/// <summary>Microseconds from the moment that a request was due.</summary>
internal readonly record struct Times(long Sent, long Failed, double Median, double P99, double Longest);
