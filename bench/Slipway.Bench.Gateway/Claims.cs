using System.Globalization;

namespace Slipway.Bench.Gateway;

/// <summary>A gateway with everything on against a bare endpoint, by turns, so that a busy machine is busy for both.</summary>
internal static class Claims
{
    private const double LeastShare = 0.55, MostAddedMilliseconds = 1, LeastTelemetryShare = 0.97;

    private const int Switches = 1000, SwitchingRate = 1000;

    /// <summary>Turns of each server. Short ones, many: each turn is held against the one beside it, and the middle one counts.</summary>
    private const int Rounds = 11, LatencyRounds = 7, TelemetryRounds = 31;

    private const int WarmUpSeconds = 3, Seconds = 1, LatencySeconds = 2;

    /// <returns>0 when every claim holds, 1 when not, 3 when wrk is missing.</returns>
    public static async Task<int> CheckAsync()
    {
        if (!HasClient())
            return 3;
        Console.WriteLine("gateway: routing, validation, rate limit, telemetry, one canary at 10 %; ONNX model, one row, keep-alive");
        using var bare = ServerProcess.Start("bare");
        using var gateway = ServerProcess.Start("gateway");
        await bare.FullAsync(WarmUpSeconds);
        await gateway.FullAsync(WarmUpSeconds);
        var (throughput, rate) = await ThroughputAsync(bare, gateway);
        var latency = await LatencyAsync(bare, gateway, (int)(rate / 2));
        var switching = await SwitchingAsync(gateway);
        var telemetry = await TelemetryAsync(gateway);
        return throughput && latency && switching && telemetry ? 0 : 1;
    }

    /// <inheritdoc cref="CheckAsync"/>
    public static async Task<int> CheckTelemetryAsync()
    {
        if (!HasClient())
            return 3;
        using var gateway = ServerProcess.Start("gateway");
        await gateway.FullAsync(WarmUpSeconds);
        return await TelemetryAsync(gateway) ? 0 : 1;
    }

    private static bool HasClient()
    {
        if (File.Exists("/usr/bin/wrk"))
            return true;
        Console.Error.WriteLine("the load client is missing: apt-get install wrk");
        return false;
    }

    /// <summary>
    /// The same process with every request profiled, and with none counted: two processes differ by more than this, by how their code was compiled.
    /// Which of the two goes first alternates: the second finds a warmer machine.
    /// </summary>
    private static async Task<bool> TelemetryAsync(ServerProcess gateway)
    {
        Console.WriteLine("       without           with telemetry\n       requests/s  µs    requests/s  µs    (server CPU microseconds per request)");
        List<Load> without = [], with = [];
        for (var round = 0; round < TelemetryRounds; round++)
        {
            foreach (var (loads, order) in round % 2 == 0 ? new[] { (without, CanaryServer.Untold), (with, CanaryServer.Told) } : [(with, CanaryServer.Told), (without, CanaryServer.Untold)])
            {
                await gateway.TellAsync(order);
                loads.Add(await gateway.FullAsync(Seconds));
            }
        }

        var (profiled, counted) = SamplingCost.Measure();
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"by itself: {profiled:0} ns to count and profile a request of 5 inputs and 1 output, {counted:0} ns to count it"));
        var (middleWithout, middleWith) = (Middle(without), Middle(with));
        Print("middle", middleWithout, middleWith);
        var shares = with.Zip(without, (told, not) => told.Rate / not.Rate).Order().ToArray();
        var share = shares[TelemetryRounds / 2];
        var cpu = with.Zip(without, (told, not) => told.Microseconds / not.Microseconds).Order().ElementAt(TelemetryRounds / 2);
        var failures = with.Concat(without).Sum(load => load.Failures);
        return Verdict(
            share >= LeastTelemetryShare && failures == 0,
            $"{share:0.000} of the requests/s with telemetry at full sampling (half of the pairs from {shares[TelemetryRounds / 4]:0.000} to {shares[3 * TelemetryRounds / 4]:0.000}), claimed at least {LeastTelemetryShare}; {middleWith.Microseconds - middleWithout.Microseconds:0.00} µs CPU more per request, {cpu:0.000} of that without; {failures} failed");
    }

    private static async Task<(bool Holds, double Rate)> ThroughputAsync(ServerProcess bare, ServerProcess gateway)
    {
        Console.WriteLine("       bare              gateway\n       requests/s  µs    requests/s  µs    (server CPU microseconds per request)");
        List<Load> reference = [], ours = [];
        for (var round = 1; round <= Rounds; round++)
        {
            reference.Add(await bare.FullAsync(Seconds));
            ours.Add(await gateway.FullAsync(Seconds));
            Print(round.ToString(CultureInfo.InvariantCulture), reference[^1], ours[^1]);
        }

        var (middleReference, middle) = (Middle(reference), Middle(ours));
        Print("middle", middleReference, middle);
        var share = ours.Zip(reference, (our, other) => our.Rate / other.Rate).Order().ElementAt(Rounds / 2);
        var failures = reference.Concat(ours).Sum(load => load.Failures);
        return (Verdict(share >= LeastShare && failures == 0, $"{share:0.000} of the bare endpoint's requests/s, claimed at least {LeastShare}; {middle.Microseconds:0.0} µs CPU per request; {failures} failed"), middle.Rate);
    }

    private static async Task<bool> LatencyAsync(ServerProcess bare, ServerProcess gateway, int rate)
    {
        List<double> added = [];
        var failures = 0L;
        for (var round = 1; round <= LatencyRounds; round++)
        {
            var (reference, ours) = (await bare.ConstantAsync(rate, LatencySeconds), await gateway.ConstantAsync(rate, LatencySeconds));
            added.Add((ours.P99 - reference.P99) / 1000);
            failures += reference.Failed + ours.Failed;
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{rate} requests/s: median {reference.Median:0} and {ours.Median:0} µs, p99 {reference.P99:0} and {ours.P99:0} µs"));
        }

        var middle = added.Order().ElementAt(LatencyRounds / 2);
        return Verdict(middle <= MostAddedMilliseconds && failures == 0, $"{middle:0.000} ms added at p99 at half load, claimed at most {MostAddedMilliseconds}; {failures} failed");
    }

    private static async Task<bool> SwitchingAsync(ServerProcess gateway)
    {
        var switching = gateway.TellAsync(Switches.ToString(CultureInfo.InvariantCulture));
        var (sent, failed, longest) = (0L, 0L, 0d);
        while (!switching.IsCompleted)
        {
            var times = await gateway.ConstantAsync(SwitchingRate, 5);
            (sent, failed, longest) = (sent + times.Sent, failed + times.Failed, Math.Max(longest, times.Longest));
        }

        return Verdict(await switching == "1000" && failed == 0, $"{Switches} switches of the stable version at {SwitchingRate} requests/s: {failed} of {sent} requests failed, claimed 0; the longest took {longest / 1000:0.0} ms");
    }

    private static bool Verdict(bool holds, FormattableString what)
    {
        Console.WriteLine($"{FormattableString.Invariant(what)}: {(holds ? "PASS" : "FAIL")}");
        return holds;
    }

    private static Load Middle(List<Load> loads) => new(
        loads.Select(load => load.Rate).Order().ElementAt(loads.Count / 2), loads.Select(load => load.Microseconds).Order().ElementAt(loads.Count / 2), 0);

    private static void Print(string round, Load bare, Load gateway) =>
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{round,-6} {bare.Rate,10:0}  {bare.Microseconds,5:0.0} {gateway.Rate,10:0}  {gateway.Microseconds,5:0.0}"));
}
