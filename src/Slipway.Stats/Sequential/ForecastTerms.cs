using System.Collections.Immutable;

namespace Slipway.Stats.Sequential;

/// <summary>What a release is to be judged by, and what traffic and what versions are taken for the forecast.</summary>
public sealed record ForecastTerms
{
    public ForecastMode Mode { get; init; } = ForecastMode.Canary;

    /// <summary>Of both arms together, above 0.</summary>
    public required double RequestsPerSecond { get; init; }

    /// <summary>The share of bad answers of a healthy version, 0 to 1; late ones apart. All are taken to be of one kind.</summary>
    public required double BaselineRate { get; init; }

    /// <summary>The share of a healthy version's answers that are later than the latency guard's limit, 0 to 1. Without that guard no answer is late.</summary>
    public double LateRate { get; init; }

    /// <summary>α, in (0, 1).</summary>
    public required double Alpha { get; init; }

    /// <summary>r₀, above 0.</summary>
    public double ToleratedRatio { get; init; } = 1;

    /// <summary>A ratio below 1 + this is to be shown; above 0.</summary>
    public double Margin { get; init; } = 0.5;

    /// <summary>E-processes of harm that are averaged, at least as many as are played; the others stay at 1.</summary>
    public required int HarmMeasures { get; init; }

    /// <summary>The absolute bound of bad answers, in (0, 1); null for none.</summary>
    public double? ErrorRateGuard { get; init; }

    /// <summary>The share of answers that must not be late, in (0, 1); null for no latency guard, and for a shadow, which has none.</summary>
    public double? LatencyQuantile { get; init; }

    /// <summary>That a step must send to the candidate; for a shadow, that both versions must answer.</summary>
    public int LeastRequests { get; init; }

    public required ImmutableArray<ForecastStep> Steps { get; init; }

    /// <summary>Harm that is looked for, as multiples of <see cref="BaselineRate"/> and of <see cref="LateRate"/>.</summary>
    public required ImmutableArray<double> Ratios { get; init; }

    /// <summary>Whether the candidate is to be shown no worse; otherwise the step is over after its time.</summary>
    public bool MustShow(ForecastStep step) => Mode == ForecastMode.Shadow || IsCompared(step);

    /// <summary>Whether events of two arms are told apart.</summary>
    internal bool IsCompared(ForecastStep step) => Mode != ForecastMode.Shadow && step.Share < 1;

    internal void Check()
    {
        if (!(RequestsPerSecond > 0 && double.IsFinite(RequestsPerSecond)) || BaselineRate is not (>= 0 and <= 1) || LateRate is not (>= 0 and <= 1) || Alpha is not (> 0 and < 1))
            throw new ArgumentOutOfRangeException(nameof(RequestsPerSecond), this, "allowed are a traffic above 0, rates from 0 to 1, and α between");
        if (ErrorRateGuard is not (null or (> 0 and < 1)) || LatencyQuantile is not (null or (> 0 and < 1)) || Mode == ForecastMode.Shadow && LatencyQuantile is not null)
            throw new ArgumentOutOfRangeException(nameof(ErrorRateGuard), this, "allowed are bounds between 0 and 1, and of a shadow none on latency");
        if (HarmMeasures < Math.Max(1, Mode == ForecastMode.Shadow ? 0 : 1 + (ErrorRateGuard is null ? 0 : 1) + (LatencyQuantile is null ? 0 : 2)))
            throw new ArgumentOutOfRangeException(nameof(HarmMeasures), this, "fewer are averaged than take part");
        if (Steps.Any(step => !(step.Share is > 0 and <= 1 && step.AtLeast >= 0)))
            throw new ArgumentOutOfRangeException(nameof(Steps), this, "allowed are shares above 0, at most 1, and times that are not negative");
    }
}

/// <summary>How the candidate gets its traffic.</summary>
public enum ForecastMode
{
    /// <summary>All at once: nothing is beside it, and the guards alone speak.</summary>
    Switch,

    /// <summary>By steps, beside the stable version: harm by comparison and by guards; no worse by comparison, or below every bound.</summary>
    Canary,

    /// <summary>A copy of every request that the stable version answers well: held to the error rate alone, which has all of α.</summary>
    Shadow,
}

/// <param name="Share">Of the candidate: above 0, at most 1. At 1 the guards alone speak, and the step is over after <paramref name="AtLeast"/>. A shadow's is 1.</param>
/// <param name="AtLeast">Seconds.</param>
/// <param name="AtMost">Seconds; null for no end.</param>
public sealed record ForecastStep(double Share, double AtLeast, double? AtMost);
