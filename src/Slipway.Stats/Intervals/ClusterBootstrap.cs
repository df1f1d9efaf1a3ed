namespace Slipway.Stats.Intervals;

/// <summary>Which of the three ways a measure is being asked for; the measure of a calibration error differs by it.</summary>
public enum Weighting
{
    /// <summary>Every unit once.</summary>
    Sample,

    /// <summary>Units as often as they were drawn.</summary>
    Resample,

    /// <summary>Every unit once but one.</summary>
    LeaveOneOut,
}

/// <summary>Measures that depend on the rows only through how often each unit counts.</summary>
/// <param name="weights">How often each unit counts, by unit.</param>
/// <param name="values">To fill, one a measure; NaN where a measure is undefined, such as an AUC of one class.</param>
/// <remarks>Called from several threads at once.</remarks>
public delegate void WeightedMeasures(ReadOnlySpan<int> weights, Weighting weighting, Span<double> values);

/// <summary>Resamples whole units with replacement; what a unit is (a row, a day, a customer) decides what counts as independent.</summary>
/// <param name="Replicates">[measure][resample]; NaN where undefined.</param>
/// <param name="LeaveOneOut">[measure][unit]; empty where there are more than <see cref="MaxJackknifeUnits"/> units.</param>
public sealed record ClusterBootstrap(double[][] Replicates, double[][] LeaveOneOut)
{
    /// <summary>Units up to which each is left out once: the jackknife costs one evaluation a unit, and with more units BCa moves nothing.</summary>
    public const int MaxJackknifeUnits = 1024;

    /// <summary>Fewer units than this say nothing about how units vary.</summary>
    public const int MinUnits = 5;

    /// <summary>Draws, and measures each draw.</summary>
    /// <param name="units">At least 1.</param>
    /// <param name="measures">How many numbers <paramref name="measure"/> fills.</param>
    /// <param name="seed">Resample r draws the same units for equal (seed, units), whatever the thread count.</param>
    /// <param name="threads">At most so many at once; each holds one array of <paramref name="units"/> integers.</param>
    public static ClusterBootstrap Run(int units, int measures, WeightedMeasures measure, int resamples, long seed, int threads, CancellationToken cancellation)
    {
        var replicates = Measure(resamples, Weighting.Resample, (resample, weights) =>
        {
            Array.Clear(weights);
            var stream = new Philox(seed, (ulong)resample);
            for (var draw = 0; draw < units; draw++)
                weights[stream.Below((uint)units)]++;
        });
        var leaveOneOut = Measure(units <= MaxJackknifeUnits ? units : 0, Weighting.LeaveOneOut, static (unit, weights) =>
        {
            Array.Fill(weights, 1);
            weights[unit] = 0;
        });
        return new ClusterBootstrap(replicates, leaveOneOut);

        double[][] Measure(int count, Weighting weighting, Action<int, int[]> weigh)
        {
            var all = new double[measures][];
            for (var m = 0; m < measures; m++)
                all[m] = new double[count];
            var options = new ParallelOptions { MaxDegreeOfParallelism = threads, CancellationToken = cancellation };
            Parallel.For(0, count, options, () => (Weights: new int[units], Values: new double[measures]), (i, _, own) =>
            {
                weigh(i, own.Weights);
                measure(own.Weights, weighting, own.Values);
                for (var m = 0; m < measures; m++)
                    all[m][i] = own.Values[m];
                return own;
            }, static _ => { });
            return all;
        }
    }
}
