namespace Slipway.Stats.Metrics;

/// <summary>Outcomes of binary predictions by score, as sums that merge and can be taken apart again: what is left of rows that nobody keeps. Not thread-safe.</summary>
/// <remarks>Scores lie in <see cref="Bins"/> equal bins: accuracy at 0.5 and the calibration errors are exact, AUC takes two scores of one bin for a tie.</remarks>
public sealed class BinnedScores
{
    public const int Bins = 100;

    /// <summary>Outcomes that were 1, by bin; likewise <see cref="Negatives"/> those that were 0.</summary>
    public long[] Positives { get; } = new long[Bins];

    public long[] Negatives { get; } = new long[Bins];

    /// <summary>Σ(label − score) by calibration bin; <see cref="Squares"/> has Σ(label − score)².</summary>
    public double[] Residuals { get; } = new double[CalibrationBins.Count];

    public double[] Squares { get; } = new double[CalibrationBins.Count];

    /// <summary>Σ(label − score)⁴.</summary>
    public double FourthPowers { get; set; }

    /// <summary>Σ−ln of the share given to the truth, clipped as <see cref="BinaryMetrics.Clip"/> says; <see cref="LossSquares"/> the squares of it.</summary>
    public double Loss { get; set; }

    public double LossSquares { get; set; }

    public long Count => Positives.Sum() + Negatives.Sum();

    /// <param name="score">0 to 1.</param>
    public void Add(double score, bool label)
    {
        var bin = Math.Min((int)(score * Bins), Bins - 1);
        (label ? Positives : Negatives)[bin]++;
        var residual = label ? 1 - score : -score;
        var square = residual * residual;
        // The coarse bin follows from the fine one, so that every fine bin lies in one coarse bin whatever the rounding.
        var coarse = bin / (Bins / CalibrationBins.Count);
        Residuals[coarse] += residual;
        Squares[coarse] += square;
        FourthPowers += square * square;
        var loss = -Math.Log(Math.Clamp(label ? score : 1 - score, BinaryMetrics.Clip, 1 - BinaryMetrics.Clip));
        (Loss, LossSquares) = (Loss + loss, LossSquares + (loss * loss));
    }

    public void Add(BinnedScores other) => Add(other, 1);

    /// <param name="part">Was added before.</param>
    public BinnedScores Without(BinnedScores part)
    {
        var rest = new BinnedScores();
        rest.Add(this, 1);
        rest.Add(part, -1);
        return rest;
    }

    /// <summary>Whether scores of 0.5 and more said 1, as a count of the right ones.</summary>
    public long Right()
    {
        var right = 0L;
        for (var bin = 0; bin < Bins; bin++)
            right += bin >= Bins / 2 ? Positives[bin] : Negatives[bin];
        return right;
    }

    /// <summary>AUC, and its standard error by DeLong; NaN where a class is missing.</summary>
    /// <remarks>Source: DeLong, DeLong, Clarke-Pearson, "Comparing the areas under two or more correlated receiver operating characteristic curves", Biometrics 44 (1988).</remarks>
    public (double Auc, double Error) Auc()
    {
        double positives = Positives.Sum(), negatives = Negatives.Sum();
        if (positives == 0 || negatives == 0)
            return (double.NaN, double.NaN);
        var (below, auc) = (0.0, 0.0);
        for (var bin = 0; bin < Bins; bin++)
        {
            auc += Positives[bin] * (below + (Negatives[bin] / 2.0)) / (positives * negatives);
            below += Negatives[bin];
        }

        var (ofPositives, ofNegatives, under, over) = (0.0, 0.0, 0.0, positives);
        for (var bin = 0; bin < Bins; bin++)
        {
            over -= Positives[bin];
            ofPositives += Positives[bin] * Math.Pow(((under + (Negatives[bin] / 2.0)) / negatives) - auc, 2);
            ofNegatives += Negatives[bin] * Math.Pow(((over + (Positives[bin] / 2.0)) / positives) - auc, 2);
            under += Negatives[bin];
        }

        var variance = (ofPositives / Math.Max(1, positives - 1) / positives) + (ofNegatives / Math.Max(1, negatives - 1) / negatives);
        return (auc, Math.Sqrt(variance));
    }

    /// <summary>Expected calibration error, debiased as <see cref="CalibrationBins"/> has it with rows as units, and its standard error by rows.</summary>
    public (double Error, double StandardError) Calibration()
    {
        var (sum, spread, total) = (0.0, 0.0, (double)Count);
        const int width = Bins / CalibrationBins.Count;
        for (var bin = 0; bin < Residuals.Length; bin++)
        {
            double rows = Positives.AsSpan(bin * width, width).ToArray().Sum() + Negatives.AsSpan(bin * width, width).ToArray().Sum();
            if (rows == 0)
                continue;
            var gap = Residuals[bin] / rows;
            var variance = rows > 1 ? Math.Max(0, Squares[bin] - (rows * gap * gap)) / (rows - 1) / rows : 0;
            sum += rows / total * ((2 * Math.Abs(gap)) - CalibrationBins.FoldedMean(Math.Abs(gap), Math.Sqrt(variance)));
            spread += rows / total * (rows / total) * variance;
        }

        return (Math.Max(0, sum), Math.Sqrt(spread));
    }

    private void Add(BinnedScores other, int sign)
    {
        for (var bin = 0; bin < Bins; bin++)
        {
            Positives[bin] += sign * other.Positives[bin];
            Negatives[bin] += sign * other.Negatives[bin];
        }

        for (var bin = 0; bin < Residuals.Length; bin++)
        {
            Residuals[bin] += sign * other.Residuals[bin];
            Squares[bin] += sign * other.Squares[bin];
        }

        FourthPowers += sign * other.FourthPowers;
        Loss += sign * other.Loss;
        LossSquares += sign * other.LossSquares;
    }
}
