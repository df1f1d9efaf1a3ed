using System.Collections.Immutable;
using Slipway.Documents.Rollouts;
using Slipway.Stats.Metrics;
using Slipway.Stats.Sequential;

namespace Slipway.Server.Judging;

/// <summary>The arms' latencies under the weight now, with bands that hold at all times, for people to see.</summary>
internal static class LatencyBands
{
    /// <summary>The probability that any band, of either arm and at any weight, is ever wrong: an arm has half, and weight k of those 1/(k(k+1)).</summary>
    private const double EverWrong = 0.05;

    private static readonly ImmutableArray<double> Quantiles = [0.5, 0.95, 0.99];

    public static ImmutableArray<LatencyBand> Of(RolloutEvidence evidence)
    {
        if (evidence.Cells.IsEmpty)
            return [];
        var now = evidence.Cells[^1];
        double k = evidence.Cells.Length;
        var constant = QuantileBand.Constant(EverWrong / 2 / (k * (k + 1)));
        return [.. Bands(Arm.Candidate, now.Candidate, constant), .. Bands(Arm.Stable, now.Stable, constant)];
    }

    private static IEnumerable<LatencyBand> Bands(Arm arm, ArmEvidence evidence, double constant)
    {
        var radius = QuantileBand.Radius(evidence.Requests, constant);
        return Quantiles.Select(quantile => new LatencyBand(
            arm, quantile, At(evidence, quantile),
            radius is { } down ? Below(evidence, quantile - down) : null,
            radius is { } up ? At(evidence, quantile + up) : null,
            evidence.Requests));
    }

    /// <summary>Upper bound of the first bucket by which a share of the answers had come; null where that is beyond the last bound.</summary>
    private static double? At(ArmEvidence evidence, double share)
    {
        var (sum, due) = (0L, share * evidence.Requests);
        for (var i = 0; i < LatencyBuckets.Bounds.Length && evidence.Requests > 0; i++)
        {
            sum += evidence.Latency[i];
            if (sum >= due && sum > 0)
                return SignificantDigits.Round(LatencyBuckets.Bounds[i]);
        }

        return null;
    }

    /// <summary>Lower bound of that bucket.</summary>
    private static double? Below(ArmEvidence evidence, double share)
    {
        if (share <= 0)
            return 0;
        var (sum, due) = (0L, share * evidence.Requests);
        for (var i = 0; i < LatencyBuckets.Count; i++)
        {
            sum += evidence.Latency[i];
            if (sum >= due)
                return i == 0 ? 0 : SignificantDigits.Round(LatencyBuckets.Bounds[i - 1]);
        }

        return null;
    }
}
