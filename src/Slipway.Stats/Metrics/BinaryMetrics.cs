using System.Collections.Immutable;
using Slipway.Stats.Intervals;

namespace Slipway.Stats.Metrics;

/// <summary>
/// AUC (a tie counts half), log-loss, Brier score, expected calibration error and accuracy of binary predictions, as functions of how often
/// each unit counts: what a bootstrap over units needs.
/// </summary>
/// <remarks>
/// Log-loss clips scores to [1e-15, 1 − 1e-15] and counts what it clipped. The calibration errors are defined at <see cref="CalibrationBins"/>.
/// One evaluation costs O(units + calibration cells), and for AUC the cheaper of O(units²) and O(rows); both ways are exact in integers.
/// Built once from sorted rows, about 60 bytes a row where each row is a unit, far less otherwise; then immutable and thread-safe.
/// </remarks>
public sealed class BinaryMetrics
{
    /// <summary>The order in which <see cref="Measure"/> fills values.</summary>
    public static ImmutableArray<string> Names { get; } = ["auc", "log_loss", "brier", "ece", "ece_plain", "accuracy"];

    /// <summary>The score from which on an answer is taken for 1.</summary>
    public const double Threshold = 0.5;

    /// <summary>Scores nearer to 0 or 1 than this count as this near in log-loss: a certain and wrong score would cost infinitely much.</summary>
    public const double Clip = 1e-15;

    private readonly int[] rows;
    private readonly int[] positives;
    private readonly int[] right;
    private readonly double[] logLoss;
    private readonly double[] brier;
    private readonly CalibrationBins bins;
    private readonly RankedPairs pairs;

    /// <param name="order">Some or all row indices of <paramref name="data"/> by rising score, as <see cref="LabelledScores.Rank"/> gives them; at least one.</param>
    public BinaryMetrics(LabelledScores data, ReadOnlySpan<int> order)
    {
        var unitOf = UnitsPresent(data, order, out var count);
        var byUnit = GroupedByUnit(unitOf, count, out var starts);
        (Units, Rows) = (count, order.Length);
        (rows, positives, right, logLoss, brier) = (new int[count], new int[count], new int[count], new double[count], new double[count]);
        var cells = new CalibrationBins.Builder(count);
        for (var unit = 0; unit < count; unit++)
        {
            var (loss, squares) = (new CompensatedSum(), new CompensatedSum());
            for (var i = starts[unit]; i < starts[unit + 1]; i++)
            {
                var row = order[byUnit[i]];
                var (score, label) = (data.Scores[row], data.Labels[row]);
                var ofTruth = label ? score : 1 - score;
                Clipped += ofTruth is < Clip or > 1 - Clip ? 1 : 0;
                loss.Add(-Math.Log(Math.Clamp(ofTruth, Clip, 1 - Clip)));
                squares.Add((1 - ofTruth) * (1 - ofTruth));
                positives[unit] += label ? 1 : 0;
                right[unit] += score >= Threshold == label ? 1 : 0;
                cells.Add(score, label);
            }

            cells.EndUnit();
            rows[unit] = starts[unit + 1] - starts[unit];
            Positives += positives[unit];
            (logLoss[unit], brier[unit]) = (loss.Value, squares.Value);
        }

        bins = cells.Build();
        pairs = new RankedPairs(data, order, unitOf, count);
    }

    /// <summary>Units that have a row here; they keep the order of the data's units.</summary>
    public int Units { get; }

    public int Rows { get; }

    public long Positives { get; }

    /// <summary>Rows whose score was so near 0 or 1 that log-loss clipped it.</summary>
    public long Clipped { get; }

    /// <summary>The measures of all rows, in the order of <see cref="Names"/>; NaN for AUC where a class is missing.</summary>
    public double[] Measure()
    {
        var (weights, values) = (new int[Units], new double[Names.Length]);
        Array.Fill(weights, 1);
        Measure(weights, Weighting.Sample, values);
        return values;
    }

    /// <summary>The measures when unit u counts <paramref name="weights"/>[u] times. All are NaN where no row is left.</summary>
    public void Measure(ReadOnlySpan<int> weights, Weighting weighting, Span<double> values)
    {
        var (total, positive, correct) = (0L, 0L, 0L);
        var (loss, squares) = (new CompensatedSum(), new CompensatedSum());
        for (var unit = 0; unit < weights.Length; unit++)
        {
            var weight = weights[unit];
            if (weight == 0)
                continue;
            total += (long)weight * rows[unit];
            positive += (long)weight * positives[unit];
            correct += (long)weight * right[unit];
            loss.Add(weight * logLoss[unit]);
            squares.Add(weight * brier[unit]);
        }

        if (total == 0)
        {
            values.Fill(double.NaN);
            return;
        }

        values[0] = positive == 0 || positive == total ? double.NaN
            : pairs.TwiceOrdered(weights) / (2.0 * positive * (total - positive));
        values[1] = loss.Value / total;
        values[2] = squares.Value / total;
        (values[3], values[4]) = bins.Error(weights, weighting);
        values[5] = correct / (double)total;
    }

    /// <summary>By position in <paramref name="order"/>, the unit numbered among those present.</summary>
    private static int[] UnitsPresent(LabelledScores data, ReadOnlySpan<int> order, out int count)
    {
        var units = new int[order.Length];
        for (var i = 0; i < units.Length; i++)
            units[i] = data.UnitOf(order[i]);
        if (units.Length == data.Rows)
        {
            count = data.UnitCount;
            return units;
        }

        var present = (int[])units.Clone();
        Array.Sort(present);
        count = 0;
        foreach (var unit in present)
        {
            if (count == 0 || present[count - 1] != unit)
                present[count++] = unit;
        }

        for (var i = 0; i < units.Length; i++)
            units[i] = Array.BinarySearch(present, 0, count, units[i]);
        return units;
    }

    /// <summary>Positions of the rows, unit by unit; unit u has those from starts[u] to starts[u + 1].</summary>
    private static int[] GroupedByUnit(int[] unitOf, int count, out int[] starts)
    {
        starts = new int[count + 1];
        foreach (var unit in unitOf)
            starts[unit + 1]++;
        for (var unit = 0; unit < count; unit++)
            starts[unit + 1] += starts[unit];
        var (grouped, next) = (new int[unitOf.Length], starts[..^1]);
        for (var i = 0; i < unitOf.Length; i++)
            grouped[next[unitOf[i]]++] = i;
        return grouped;
    }
}
