using MathNet.Numerics;
using Slipway.Stats.Intervals;

namespace Slipway.Stats.Metrics;

/// <summary>Expected calibration error over 10 equal-width bins on [0, 1], plain and debiased, for any weights of the units.</summary>
/// <remarks>
/// <para>Plain: Σ (n_b/n) |d_b|, d_b = mean label − mean score in bin b. Noise alone makes it positive.</para>
/// <para>
/// Debiased: Σ (n_b/n) (2|d_b| − E|N(|d_b|, σ_b²)|), not below 0: from each |d_b| goes what a normal error of variance σ_b² would add to it
/// (the plug-in estimate of the bias, in closed form by the folded normal's mean; the idea of Kumar, Liang, Ma, "Verified uncertainty
/// calibration", NeurIPS 2019, there by resampling). σ_b² is the cluster-robust variance of d_b: G/(G−1) Σ_u (r_u − d_b n_u)² / n_b²,
/// over the G units u with n_u rows and residual sum r_u in the bin; with rows as units, the ordinary variance of a mean. A bin of one
/// unit has no σ_b and counts plainly, which is never too good.
/// </para>
/// <para>
/// In a resample d_b carries the noise of the sample and that of the resample, so σ_b² is doubled: without it, replicates gather
/// around the plain error, and intervals for a well calibrated model miss its true error.
/// </para>
/// </remarks>
internal sealed class CalibrationBins
{
    public const int Count = 10;

    /// <summary>Unit u has the cells from starts[u] to starts[u + 1]; a cell is one bin that it has rows in.</summary>
    private readonly int[] starts;
    private readonly byte[] cellBins;
    private readonly int[] cellRows;
    private readonly double[] cellResiduals;

    private CalibrationBins(int[] starts, byte[] bins, int[] rows, double[] residuals) =>
        (this.starts, cellBins, cellRows, cellResiduals) = (starts, bins, rows, residuals);

    /// <returns>Both NaN-free for at least one weighted row.</returns>
    public (double Debiased, double Plain) Error(ReadOnlySpan<int> weights, Weighting weighting)
    {
        Span<Moments> moments = stackalloc Moments[Count];
        moments.Clear();
        for (var unit = 0; unit < weights.Length; unit++)
        {
            if (weights[unit] == 0)
                continue;
            for (var cell = starts[unit]; cell < starts[unit + 1]; cell++)
                moments[cellBins[cell]].Add(weights[unit], cellRows[cell], cellResiduals[cell]);
        }

        var (total, debiased, plain) = (0.0, 0.0, 0.0);
        foreach (var bin in moments)
        {
            if (bin.Rows == 0)
                continue;
            total += bin.Rows;
            var gap = Math.Abs(bin.Residuals / bin.Rows);
            plain += bin.Rows * gap;
            debiased += bin.Rows * (2 * gap - FoldedMean(gap, Math.Sqrt(bin.Variance * (weighting is Weighting.Resample ? 2 : 1))));
        }

        return (Math.Max(0, debiased / total), plain / total);
    }

    /// <summary>E|N(mean, deviation²)| for mean ≥ 0.</summary>
    internal static double FoldedMean(double mean, double deviation)
    {
        if (deviation == 0)
            return mean;
        var z = mean / deviation;
        return deviation * Math.Sqrt(2 / Math.PI) * Math.Exp(-z * z / 2) + mean * SpecialFunctions.Erf(z / Math.Sqrt(2));
    }

    private struct Moments
    {
        public double Rows, Residuals;
        private double units, squaredRows, squaredResiduals, products;

        public void Add(double weight, double rows, double residual)
        {
            units += weight;
            Rows += weight * rows;
            Residuals += weight * residual;
            squaredRows += weight * rows * rows;
            squaredResiduals += weight * residual * residual;
            products += weight * rows * residual;
        }

        public readonly double Variance
        {
            get
            {
                if (units <= 1)
                    return 0;
                var gap = Residuals / Rows;
                var squares = squaredResiduals - 2 * gap * products + gap * gap * squaredRows;
                return Math.Max(0, squares) * units / (units - 1) / (Rows * Rows);
            }
        }
    }

    /// <summary>Takes the rows unit by unit.</summary>
    public sealed class Builder(int units)
    {
        private readonly List<int> starts = new(units + 1) { 0 };
        private readonly List<byte> bins = [];
        private readonly List<int> rows = [];
        private readonly List<double> residuals = [];
        private readonly int[] unitRows = new int[Count];
        private readonly CompensatedSum[] unitResiduals = new CompensatedSum[Count];

        public void Add(double score, bool label)
        {
            var bin = Math.Min((int)(score * Count), Count - 1);
            unitRows[bin]++;
            unitResiduals[bin].Add(label ? 1 - score : -score);
        }

        public void EndUnit()
        {
            for (byte bin = 0; bin < Count; bin++)
            {
                if (unitRows[bin] == 0)
                    continue;
                bins.Add(bin);
                rows.Add(unitRows[bin]);
                residuals.Add(unitResiduals[bin].Value);
                (unitRows[bin], unitResiduals[bin]) = (0, default);
            }

            starts.Add(bins.Count);
        }

        public CalibrationBins Build() => new([.. starts], [.. bins], [.. rows], [.. residuals]);
    }
}
