using System.Collections.Immutable;
using Slipway.Documents.Rollouts;
using Slipway.Server.Judging;
using Slipway.Stats.Sequential;

namespace Slipway.Bench.Judge;

/// <summary>Bad events a second on one core, against a loop that sums as many exponentials as the mixture has ratios, in turn; medians of processor time.</summary>
internal static class Throughput
{
    private const int Rounds = 7, Events = 2_000_000, Batches = Events / EventBatch.MaxEvents;
    private const double Claim = 2_000_000;

    public static bool Hold()
    {
        var random = new Random(1);
        var arms = Enumerable.Range(0, Events).Select(_ => random.Next(10) == 0).ToArray();
        var batches = Enumerable.Range(0, Batches).Select(number => Batch(number, arms)).ToArray();
        ImmutableArray<WeightChange> weights = [new(1, 1_000, 0)];
        var (process, fold, reference) = (new double[Rounds], new double[Rounds], new double[Rounds]);
        for (var round = -1; round < Rounds; round++)
        {
            var measured = (Time(() => Add(arms)), Time(() => Fold(batches, weights)), Time(() => Exponentials(Events / 10)) * 10);
            if (round >= 0)
                (process[round], fold[round], reference[round]) = measured;
        }

        var (alone, whole, sum) = (Events / Median(process), Events / Median(fold), Events / Median(reference));
        Console.WriteLine($"e-process, asked after each event  {alone / 1e6:0.0} million events/s");
        Console.WriteLine($"fold, from batches to evidence     {whole / 1e6:0.0} million events/s");
        Console.WriteLine($"sum of {ThinningProcess.GridSize} exponentials an event   {sum / 1e6:0.0} million events/s  reference");
        Console.WriteLine($"ratios {alone / sum:0.0} and {whole / sum:0.0}; claim: at least {Claim / 1e6:0} million/s each: {Verdict(alone >= Claim && whole >= Claim)}");
        return alone >= Claim && whole >= Claim;
    }

    private static double Add(bool[] arms)
    {
        var process = ThinningProcess.Harm(1);
        var reached = 0;
        foreach (var arm in arms)
        {
            process.Add(0.1, arm);
            reached += process.Reaches(3) ? 1 : 0;
        }

        return process.LogE + reached;
    }

    private static double Fold(EventBatch[] batches, ImmutableArray<WeightChange> weights)
    {
        var fold = EvidenceFold.Start("r");
        foreach (var batch in batches)
        {
            if (fold.Take(batch, weights).Result != BatchResult.Taken)
                throw new InvalidOperationException("a batch was not taken in");
        }

        return fold.Evidence(weights).Cells[0].Bad[0].Candidate;
    }

    private static double Exponentials(int events)
    {
        var sum = 0.0;
        for (var i = 0; i < events * ThinningProcess.GridSize; i++)
            sum += Math.Exp(i * -1e-9);
        return sum;
    }

    private static EventBatch Batch(int number, bool[] arms)
    {
        var first = number * EventBatch.MaxEvents;
        var bad = Enumerable.Range(first, EventBatch.MaxEvents)
            .Select(i => new BadEvent(i + 1, ((ulong)i * 0x9E3779B97F4A7C15).ToString("x16"), arms[i] ? Arm.Candidate : Arm.Stable, BadKind.Error, 1)).ToImmutableArray();
        var counts = new[] { Arm.Candidate, Arm.Stable }.Select(arm => bad.Count(one => one.Arm == arm) is var count ? new ArmCounts(1, arm, count, [count, .. new long[LatencyBuckets.Count - 1]]) : null!);
        return new("g", "b", "production", number + 1, [new("r", first + EventBatch.MaxEvents, 0, [.. counts], bad, null)]);
    }

    private static double Time(Func<double> work)
    {
        var clock = Environment.CpuUsage.TotalTime;
        GC.KeepAlive(work());
        return (Environment.CpuUsage.TotalTime - clock).TotalSeconds;
    }

    private static double Median(double[] values) => values.Order().ElementAt(values.Length / 2);

    internal static string Verdict(bool holds) => holds ? "PASS" : "FAIL";
}
