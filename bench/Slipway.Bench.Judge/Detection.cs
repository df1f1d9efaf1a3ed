using Slipway.Documents.Rollouts;
using Slipway.Primitives.Units;
using Slipway.Server.Rollouts;
using Slipway.Stats.Sequential;

namespace Slipway.Bench.Judge;

/// <summary>How soon harm is found and an equal candidate promoted: 1 % bad answers, a tenth of 100 requests/s, α = 5 %.</summary>
internal static class Detection
{
    private const int Runs = 10_000;
    private const double Slack = 1.25;

    private static readonly (double Ratio, double Seconds)[] References = [(2, 114), (5, 11), (10, 4)];

    public static bool Hold()
    {
        // The process alone, as the references are; and with margin 0.5.
        var terms = new ForecastTerms { RequestsPerSecond = 100, BaselineRate = 0.01, Alpha = 0.05, HarmMeasures = 1, Steps = [new(0.1, 0, null)], Ratios = [.. References.Select(reference => reference.Ratio)] };
        var step = RolloutForecast.Run(terms, 1, Runs)[0];
        var judged = PlanForecast.Of(Plan, 100, 0.01)[0];
        var holds = true;
        Console.WriteLine($"median time until harm is found, of {Runs:N0} runs; claim: at most {Slack} of the reference");
        for (var i = 0; i < References.Length; i++)
        {
            var fast = step.Harm[i].Median <= Slack * References[i].Seconds;
            holds &= fast;
            Console.WriteLine($"  {References[i].Ratio,2} × the errors  {step.Harm[i].Median:0.0} s ({step.Harm[i].MedianLow:0.0} to {step.Harm[i].MedianHigh:0.0}); reference {References[i].Seconds} s: {Throughput.Verdict(fast)}   (as judged, α = 1 % over all kinds: {judged.Harm[i].Median:0} s)");
        }

        var promoted = step.NoWorse!.InTime;
        Console.WriteLine($"  an equal one is promoted in {promoted:P1} of the runs, median {step.NoWorse.Median:0} s, nine of ten by {step.NoWorse.Late:0} s; claim: at least 90 %: {Throughput.Verdict(promoted >= 0.9)}");

        var clock = Environment.CpuUsage.TotalTime;
        PlanForecast.Of(Plan with { Steps = [.. new[] { 100, 1_000, 5_000, 9_800 }.Select(Step)], Guard = new(new Ratio(0.02), null) }, 100, 0.01);
        var seconds = (Environment.CpuUsage.TotalTime - clock).TotalSeconds;
        Console.WriteLine($"a plan of four steps is played in {seconds:0.00} s of processor time; claim: under 2 s: {Throughput.Verdict(seconds < 2)}");
        return holds && promoted >= 0.9 && seconds < 2;
    }

    private static ChannelPlan Plan => new(Strategy.Canary, [Step(1_000)], ChannelPlan.RequestId, new(null, null), JudgeSettings.Default, [], default);

    private static RolloutStep Step(int weight) => new(weight, default, null, 0, null);
}
