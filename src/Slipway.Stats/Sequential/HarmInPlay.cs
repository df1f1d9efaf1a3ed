namespace Slipway.Stats.Sequential;

/// <summary>Evidence of harm as the judge holds it, event by event: the mean of all e-processes that its terms name.</summary>
internal sealed class HarmInPlay(ForecastTerms terms)
{
    private readonly ThinningProcess bad = ThinningProcess.Harm(terms.ToleratedRatio), late = ThinningProcess.Harm(terms.ToleratedRatio);
    private readonly ThinningProcess errorRate = ThinningProcess.Harm(1), latency = ThinningProcess.Harm(1);
    private readonly double threshold = Math.Log(1 / terms.Alpha);

    /// <summary>What no event here speaks of stays at 1.</summary>
    private readonly double[] logs = new double[terms.HarmMeasures];

    /// <summary>The candidate's, neither bad nor late.</summary>
    public void AddGood(long answers)
    {
        if (terms.ErrorRateGuard is { } bound)
            errorRate.Add(bound, 0, answers);
        if (terms.LatencyQuantile is { } quantile)
            latency.Add(1 - quantile, 0, answers);
    }

    /// <param name="share">At 1 nothing is beside the candidate, and its own bounds alone speak.</param>
    public void Add(double share, bool isCandidate, bool isLate)
    {
        (isLate ? late : bad).Add(share, isCandidate);
        if (!isCandidate)
            return;
        if (terms.ErrorRateGuard is { } bound)
            errorRate.Add(bound, !isLate);
        if (terms.LatencyQuantile is { } quantile)
            latency.Add(1 - quantile, isLate);
    }

    /// <summary>Whether the mean reaches 1/α, which it can only if one of them does.</summary>
    public bool IsReached =>
        (bad.Reaches(threshold) || late.Reaches(threshold) || errorRate.Reaches(threshold) || latency.Reaches(threshold)) && Mean() >= threshold;

    public void CopyFrom(HarmInPlay other)
    {
        bad.CopyFrom(other.bad);
        late.CopyFrom(other.late);
        errorRate.CopyFrom(other.errorRate);
        latency.CopyFrom(other.latency);
    }

    private double Mean()
    {
        var next = 0;
        if (terms.Mode != ForecastMode.Shadow)
        {
            logs[next++] = bad.LogE;
            if (terms.LatencyQuantile is not null)
                logs[next++] = late.LogE;
        }

        if (terms.ErrorRateGuard is not null)
            logs[next++] = errorRate.LogE;
        if (terms.LatencyQuantile is not null)
            logs[next++] = latency.LogE;
        return EValues.LogMean(logs);
    }
}
