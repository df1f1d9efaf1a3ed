using Slipway.Stats.Intervals;

namespace Slipway.Stats.Sequential;

/// <summary>One run: an equal candidate that walks through the steps, with all the evidence of those before.</summary>
internal sealed class ForecastWalk(ForecastTerms terms, long seed, ulong stream)
{
    private readonly HarmInPlay harm = new(terms), worse = new(terms);
    private readonly NoWorseInPlay noWorse = new(terms);
    private Philox draw = new(seed, stream);

    /// <summary>The candidate turns harmful now: on a copy, so that the walk goes on from here.</summary>
    /// <returns>+∞ when no harm is found, or not before the step is over.</returns>
    public double SecondsToHarm(ForecastStep step, double badRatio, double lateRatio)
    {
        var traffic = Traffic.Of(terms, step, badRatio, lateRatio);
        var compares = terms.IsCompared(step) && Math.Max(badRatio, terms.LatencyQuantile is null ? 0 : lateRatio) > terms.ToleratedRatio;
        if (!compares && !(traffic.BadShare > terms.ErrorRateGuard) && !(traffic.LateShare > 1 - terms.LatencyQuantile))
            return double.PositiveInfinity;     // no harm by these terms
        worse.CopyFrom(harm);
        var end = terms.MustShow(step) ? RolloutForecast.LongestSeconds : step.AtLeast;
        var (time, good) = (0.0, 0.0);
        for (var events = 0; events < RolloutForecast.MostEvents; events++)
        {
            var gap = Gap(traffic);
            if ((time += gap) > end)
                break;
            good += gap * traffic.Good;
            var (isCandidate, isLate) = Next(traffic);
            if (isCandidate)
                worse.AddGood(Whole(ref good));
            worse.Add(step.Share, isCandidate, isLate);
            if (isCandidate && worse.IsReached)
                return time;
        }

        return double.PositiveInfinity;
    }

    public double SecondsToNoWorse(ForecastStep step)
    {
        var traffic = Traffic.Of(terms, step, 1, 1);
        var earliest = Math.Max(step.AtLeast, terms.LeastRequests / (terms.Mode == ForecastMode.Shadow ? traffic.Good : traffic.Candidate));
        var (time, good) = (0.0, 0.0);
        for (var events = 0; events < RolloutForecast.MostEvents && time < RolloutForecast.LongestSeconds; events++)
        {
            var next = Math.Min(time + Gap(traffic), RolloutForecast.LongestSeconds);
            if (next >= earliest)
            {
                GoOn(Math.Max(0, earliest - time));
                if (noWorse.IsReached())
                    return time;
                // Until the next event there are only good answers: what is not reached in the end is not reached on the way.
                var ahead = (long)(good + (next - time) * traffic.Good);
                if (noWorse.IsReached(ahead))
                {
                    var enough = Enough(ahead);
                    AddGood(enough);
                    return time + (enough - good) / traffic.Good;
                }
            }

            GoOn(next - time);
            var (isCandidate, isLate) = Next(traffic);
            harm.Add(step.Share, isCandidate, isLate);
            noWorse.Add(step.Share, isCandidate, isLate);
        }

        return double.PositiveInfinity;

        void GoOn(double seconds)
        {
            good += seconds * traffic.Good;
            AddGood(Whole(ref good));
            time += seconds;
        }
    }

    private void AddGood(long answers)
    {
        harm.AddGood(answers);
        noWorse.AddGood(answers);
    }

    /// <summary>The fewest good answers that suffice.</summary>
    private long Enough(long yes)
    {
        for (var no = 0L; yes - no > 1;)
        {
            var middle = no + (yes - no) / 2;
            (no, yes) = noWorse.IsReached(middle) ? (no, middle) : (middle, yes);
        }

        return yes;
    }

    private static long Whole(ref double answers)
    {
        var whole = (long)answers;
        answers -= whole;
        return whole;
    }

    private double Gap(Traffic traffic) => -Math.Log(Uniform()) / (traffic.Bad + traffic.Late + traffic.StableEvents);

    private (bool IsCandidate, bool IsLate) Next(Traffic traffic)
    {
        var place = Uniform() * (traffic.Bad + traffic.Late + traffic.StableEvents);
        if (place < traffic.Bad + traffic.Late)
            return (true, place >= traffic.Bad);
        return (false, place - traffic.Bad - traffic.Late >= traffic.StableBad);
    }

    private double Uniform() => (draw.Next() + 0.5) / 4294967296.0;

    /// <summary>Answers a second: all of the candidate's, the stable version's bad and late ones.</summary>
    private readonly record struct Traffic(double Candidate, double BadShare, double LateShare, double StableBad, double StableEvents)
    {
        public double Bad => Candidate * BadShare;

        public double Late => Candidate * LateShare;

        /// <summary>Of the candidate, neither bad nor late.</summary>
        public double Good => Candidate * (1 - BadShare - LateShare);

        public static Traffic Of(ForecastTerms terms, ForecastStep step, double badRatio, double lateRatio)
        {
            var isShadow = terms.Mode == ForecastMode.Shadow;
            var late = terms.LatencyQuantile is null ? 0 : terms.LateRate;
            var bads = Math.Min(1, badRatio * terms.BaselineRate);
            // A copy is made of what the stable version answered.
            return new(
                terms.RequestsPerSecond * (isShadow ? 1 - terms.BaselineRate : step.Share), bads, Math.Min(1 - bads, lateRatio * late),
                isShadow ? 0 : terms.RequestsPerSecond * (1 - step.Share) * terms.BaselineRate,
                isShadow ? 0 : terms.RequestsPerSecond * (1 - step.Share) * Math.Min(1, terms.BaselineRate + late));
        }
    }
}
