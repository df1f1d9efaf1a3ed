using System.Collections.Immutable;
using Slipway.Documents.Rollouts;
using Slipway.Server.Judging;
using Slipway.Stats.Sequential;

namespace Slipway.Bench.Judge;

/// <summary>Healthy candidates under traffic that misleads: how often the evidence of harm ever reaches 1/α, and how often a test without its care would.</summary>
internal static class FalseAlarms
{
    private const int Runs = 10_000;
    private const double Alpha = 0.05;

    private static readonly double Threshold = Math.Log(1 / Alpha);

    /// <summary>1 → 5 → 20 → 50 %, 100 seconds each.</summary>
    private static readonly ImmutableArray<WeightChange> Ramp = [new(1, 100, 0), new(2, 500, 100), new(3, 2_000, 200), new(4, 5_000, 300)];

    public static bool Hold()
    {
        var allowed = Alpha + 3 * Math.Sqrt(Alpha * (1 - Alpha) / Runs);
        Console.WriteLine($"ever a false alarm, of {Runs:N0} healthy candidates; claim: at most {allowed:0.0000} each");
        return new[]
        {
            Tell("ramp under a tenfold site-wide jump", "rates pooled over the weights", SiteWideJump),
            Tell("failures known after 10 ms or 30 s", "in order of arrival", UnequalDelays),
            Tell("sticky users with heavy tails", "every bad request counted", StickyUsers),
        }.All(holds => holds);

        bool Tell(string name, string naive, Func<Random, (bool Ours, bool Naive)> run)
        {
            var alarms = Enumerable.Range(0, Runs).Select(seed => run(new Random(seed))).ToArray();
            var (ours, theirs) = (alarms.Count(alarm => alarm.Ours) / (double)Runs, alarms.Count(alarm => alarm.Naive) / (double)Runs);
            Console.WriteLine($"  {name,-38} {ours:0.0000}  {Throughput.Verdict(ours <= allowed)}   ({naive}: {theirs:0.0000})");
            return ours <= allowed;
        }
    }

    /// <summary>10,000 requests/s of which 0.02 % are bad, ten times as many from the third step on. The naive test compares rates over all requests so far, once a second, at five sigma.</summary>
    private static (bool, bool) SiteWideJump(Random random)
    {
        const double requests = 10_000;
        var process = ThinningProcess.Harm(1);
        var (ours, naive) = (false, false);
        var (n, x) = (new double[2], new double[2]);
        for (var second = 0; second < 400; second++)
        {
            var share = Ramp[second / 100].Weight / (double)Weight.All;
            n[0] += requests * share;
            n[1] += requests * (1 - share);
            for (var left = Poisson(random, requests * (second < 200 ? 0.0002 : 0.002)); left > 0; left--)
            {
                var isCandidate = random.NextDouble() < share;
                x[isCandidate ? 0 : 1]++;
                process.Add(share, isCandidate);
                ours |= process.Reaches(Threshold);
            }

            var all = (x[0] + x[1]) / (n[0] + n[1]);
            naive |= x[0] / n[0] - x[1] / n[1] > 5 * Math.Sqrt(all * (1 - all) * (1 / n[0] + 1 / n[1]));
        }

        return (ours, naive);
    }

    /// <summary>Half of the traffic each, a bad answer a second each; the candidate's are known at once. Told every two seconds, and folded as the server does.</summary>
    private static (bool, bool) UnequalDelays(Random random)
    {
        const long second = 1_000_000, length = 120 * second;
        var bad = new List<BadEvent>();
        for (var time = Gap(); time < length; time += Gap())
            bad.Add(new(time, random.NextInt64().ToString("x16"), random.Next(2) == 0 ? Arm.Candidate : Arm.Stable, BadKind.Error, 4));
        static long Known(BadEvent one) => one.Order + (one.Arm == Arm.Candidate ? second / 100 : 30 * second);

        var naive = ThinningProcess.Harm(1);
        var alarm = false;
        foreach (var one in bad.OrderBy(Known))
        {
            naive.Add(0.5, one.Arm == Arm.Candidate);
            alarm |= naive.Reaches(Threshold);
        }

        var fold = new Folding();
        var told = 0;
        for (var now = 2 * second; now < length + 32 * second; now += 2 * second)
        {
            // Everything is known up to the first that is still open.
            var through = now;
            var next = told;
            for (var i = told; i < bad.Count && bad[i].Order <= now; i++)
            {
                if (Known(bad[i]) <= now)
                    continue;
                through = bad[i].Order - 1;
                break;
            }

            while (next < bad.Count && bad[next].Order <= through)
                next++;
            fold.Tell(through, bad.GetRange(told, next - told));
            told = next;
        }

        return (fold.Alarm, alarm);

        long Gap() => 1 + (long)(-Math.Log(1 - random.NextDouble()) / 2 * second);
    }

    /// <summary>200 users whose requests fail at rates with an infinite mean (Pareto, 0.9): a few have most of the bad ones. Arms stick to users.</summary>
    private static (bool, bool) StickyUsers(Random random)
    {
        const double length = 400;
        const int most = 50;
        var bad = new List<(double Time, BadEvent Event)>();
        for (var user = 0; user < 200; user++)
        {
            var (place, rate) = (random.NextDouble(), 0.0002 * Math.Pow(1 - random.NextDouble(), -1 / 0.9));
            var (time, count) = (0.0, 0);
            while ((time -= Math.Log(1 - random.NextDouble()) / rate) < length && count++ < most)
            {
                var weight = Ramp[(int)(time / 100)];
                bad.Add((time, new(1 + (long)(time * 1e6), ((ulong)user).ToString("x16"), place < weight.Weight / (double)Weight.All ? Arm.Candidate : Arm.Stable, BadKind.Error, weight.Revision)));
            }
        }

        bad.Sort((a, b) => a.Time.CompareTo(b.Time));
        var naive = ThinningProcess.Harm(1);
        var (alarm, fold, told) = (false, new Folding(), 0);
        for (var i = 0; i < bad.Count; i++)
        {
            naive.Add(Ramp[(int)(bad[i].Time / 100)].Weight / (double)Weight.All, bad[i].Event.Arm == Arm.Candidate);
            alarm |= naive.Reaches(Threshold);
            if (i == bad.Count - 1 || bad[i + 1].Time > bad[told].Time + 5 && bad[i + 1].Event.Order > bad[i].Event.Order)
            {
                fold.Tell(bad[i].Event.Order, Distinct(bad[told..(i + 1)].Select(one => one.Event)));
                told = i + 1;
            }
        }

        return (fold.Alarm, alarm);
    }

    /// <summary>A gateway's orders strictly increase.</summary>
    private static List<BadEvent> Distinct(IEnumerable<BadEvent> events) => [.. events.DistinctBy(one => one.Order)];

    private static int Poisson(Random random, double mean)
    {
        var count = 0;
        for (var sum = -Math.Log(1 - random.NextDouble()); sum < mean; sum -= Math.Log(1 - random.NextDouble()))
            count++;
        return count;
    }

    /// <summary>One gateway, the server's fold behind it, and harm looked at after every batch.</summary>
    private sealed class Folding
    {
        private readonly EvidenceFold fold = EvidenceFold.Start("r");
        private long sequence;

        public bool Alarm { get; private set; }

        public void Tell(long through, List<BadEvent> bad)
        {
            var counts = bad.GroupBy(one => (one.WeightRevision, one.Arm))
                .Select(group => new ArmCounts(group.Key.WeightRevision, group.Key.Arm, group.Count(), [group.Count(), .. new long[LatencyBuckets.Count - 1]]));
            var outcome = fold.Take(new("g", "b", "production", ++sequence, [new("r", through, 0, [.. counts], [.. bad], null)]), Ramp);
            if (outcome.Result != BatchResult.Taken)
                throw new InvalidOperationException(outcome.Reason);
            var process = ThinningProcess.Harm(1);
            foreach (var cell in fold.Evidence(Ramp).Cells)
            {
                foreach (var kind in cell.Bad)
                    process.Add(cell.Weight / (double)Weight.All, kind.Candidate, kind.Stable);
            }

            Alarm |= process.Reaches(Threshold);
        }
    }
}
