namespace Slipway.Stats.Sequential;

/// <summary>Evidence that the candidate is no worse as the judge holds it, event by event: by comparison, or below every bound.</summary>
internal sealed class NoWorseInPlay(ForecastTerms terms)
{
    private readonly ThinningProcess compared = ThinningProcess.NonInferiority(terms.Margin);
    private readonly Below? errorRate = terms.ErrorRateGuard is { } bound ? new(bound) : null;
    private readonly Below? latency = terms.LatencyQuantile is { } quantile ? new(1 - quantile) : null;

    /// <summary>α is shared by the ways that the terms leave open: a canary's comparison, and the bound on bad answers.</summary>
    private readonly double threshold = Math.Log(Math.Max(1, (terms.Mode == ForecastMode.Canary ? 1 : 0) + (terms.ErrorRateGuard is null ? 0 : 1)) / terms.Alpha);

    /// <summary>The candidate's, neither bad nor late.</summary>
    public void AddGood(long answers)
    {
        errorRate?.Add(0, answers);
        latency?.Add(0, answers);
    }

    /// <param name="share">At 1 nothing is beside the candidate to compare it with.</param>
    public void Add(double share, bool isCandidate, bool isLate)
    {
        compared.Add(share, isCandidate);
        if (!isCandidate)
            return;
        errorRate?.Add(isLate ? 0 : 1, isLate ? 1 : 0);
        latency?.Add(isLate ? 1 : 0, isLate ? 0 : 1);
    }

    /// <param name="ahead">Whether it would be, after so many more good answers, which are not kept.</param>
    public bool IsReached(long ahead = 0) =>
        compared.Reaches(threshold) || errorRate?.Reaches(threshold, ahead) == true && latency?.Reaches(threshold, ahead) != false;

    /// <summary>A rate of the candidate's own, against its bound.</summary>
    private sealed class Below(double bound)
    {
        private readonly ThinningProcess process = ThinningProcess.Lower(), then = ThinningProcess.Lower();

        public void Add(long over, long within) => process.Add(bound, over, within);

        public bool Reaches(double threshold, long ahead)
        {
            if (ahead == 0)
                return process.Reaches(threshold);
            then.CopyFrom(process);
            then.Add(bound, 0, ahead);
            return then.Reaches(threshold);
        }
    }
}
