using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Slipway.Stats.Sequential;

/// <summary>
/// Evidence about the ratio θ of two event rates, from nothing but which arm each event fell to and the share of the traffic that
/// the first arm had then. It may be looked at after every event: P(E ever reaches 1/α) ≤ α as long as the tested hypothesis holds.
/// </summary>
/// <remarks>
/// <para>
/// An event at share ρ is the first arm's with probability q = ρθ/(1−ρ+ρθ), whatever the common rate does. So L_r = r^x/(1−ρ+ρr) is its
/// likelihood up to a factor without r, and L_r/L_r₀ has the expectation 1 at θ = r₀ and less on the side away from r. E is the mean of
/// the products over a grid of <see cref="GridSize"/> ratios r, all on one side of r₀: a nonnegative supermartingale that begins at 1. A grid
/// with points on both sides would be none.
/// </para>
/// <para>Source: generalises Lindon and Malek, "Anytime-valid inference for multinomial count data", NeurIPS 2022. Memory is constant; not thread-safe.</para>
/// </remarks>
public sealed class ThinningProcess
{
    /// <summary>Ratios of the grid; a multiple of every vector's length.</summary>
    public const int GridSize = 40;

    /// <summary>A mixture reaches far on one side only, and costs at most ln 40 = 3.7 of evidence beside its best ratio.</summary>
    private const double SmallestHarm = 1.1, LargestHarm = 100, SmallestRatio = 0.25, BelowMargin = 0.99, LargestGood = 0.95, SmallestGood = 0.01;

    private readonly double nullRatio;
    private readonly double[] ratios;
    private readonly double[] sums = new double[GridSize];
    private readonly double[] ifFirst = new double[GridSize];
    private readonly double[] ifSecond = new double[GridSize];
    private double tabulated = double.NaN;

    private ThinningProcess(double nullRatio, double[] ratios) => (this.nullRatio, this.ratios) = (nullRatio, ratios);

    /// <summary>Tests θ ≤ r₀ against ratios of r₀·1.1 to r₀·100: large when the first arm is worse than is tolerated.</summary>
    /// <param name="toleratedRatio">r₀: finite, above 0.</param>
    public static ThinningProcess Harm(double toleratedRatio)
    {
        Require(toleratedRatio is > 0 and < double.PositiveInfinity, toleratedRatio, nameof(toleratedRatio));
        return new(toleratedRatio, LogSpaced(toleratedRatio * SmallestHarm, toleratedRatio * LargestHarm));
    }

    /// <summary>Tests θ ≥ 1 + margin against ratios of 0.25 to 0.99(1 + margin), 1 among them: large when the first arm is no worse by the margin.</summary>
    /// <param name="margin">Finite, above 0.</param>
    public static ThinningProcess NonInferiority(double margin)
    {
        Require(margin is > 0 and < double.PositiveInfinity, margin, nameof(margin));
        var grid = LogSpaced(SmallestRatio, BelowMargin * (1 + margin));
        // What is hoped for is an equal candidate, so it is met exactly.
        grid[Enumerable.Range(0, GridSize).MinBy(i => Math.Abs(Math.Log(grid[i])))] = 1;
        return new(1 + margin, grid);
    }

    /// <summary>Tests odds ratio ≥ 1 against 0.01 to 0.95; see <see cref="RateGuard.LogEBelow"/>.</summary>
    internal static ThinningProcess Lower() => new(1, LogSpaced(SmallestGood, LargestGood));

    internal ReadOnlySpan<double> Ratios => ratios;

    /// <summary>Natural logarithm of E: 0 before the first event.</summary>
    public double LogE
    {
        get
        {
            // One by one, so that the sum is the same whatever a machine's vectors hold.
            var (largest, total) = (LargestLog, 0.0);
            foreach (var sum in sums)
                total += Math.Exp(sum - largest);
            return largest + Math.Log(total / GridSize);
        }
    }

    /// <summary>Whether E ≥ 1/α. Seldom costs a logarithm, so that it can be asked after every event.</summary>
    /// <param name="logThreshold">ln(1/α).</param>
    public bool Reaches(double logThreshold) => LargestLog >= logThreshold && LogE >= logThreshold;

    /// <summary>Folds in one event.</summary>
    /// <param name="share">ρ, the first arm's share of the traffic when the event's request was assigned: 0 to 1. At 0 and at 1 there is no other arm, and an event says nothing.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Add(double share, bool isFirst)
    {
        if (share != tabulated && !Tabulate(share))
            return;
        var lanes = MemoryMarshal.Cast<double, Vector<double>>(sums.AsSpan());
        var steps = MemoryMarshal.Cast<double, Vector<double>>(isFirst ? ifFirst : ifSecond);
        for (var i = 0; i < lanes.Length; i++)
            lanes[i] += steps[i];
    }

    /// <summary>Folds in many events of one share: the same as one by one, in any order.</summary>
    /// <param name="share">As above.</param>
    /// <param name="first">Events of the first arm, not negative.</param>
    /// <param name="second">Events of the other arm, not negative.</param>
    public void Add(double share, long first, long second)
    {
        Require(first >= 0, first, nameof(first));
        Require(second >= 0, second, nameof(second));
        if (share != tabulated && !Tabulate(share))
            return;
        var lanes = MemoryMarshal.Cast<double, Vector<double>>(sums.AsSpan());
        var firsts = MemoryMarshal.Cast<double, Vector<double>>(ifFirst);
        var seconds = MemoryMarshal.Cast<double, Vector<double>>(ifSecond);
        for (var i = 0; i < lanes.Length; i++)
            lanes[i] += firsts[i] * first + seconds[i] * second;
    }

    /// <summary>Forgets every event.</summary>
    public void Clear() => sums.AsSpan().Clear();

    /// <summary>Takes over what another of the same kind has folded in.</summary>
    internal void CopyFrom(ThinningProcess other) => other.sums.CopyTo(sums, 0);

    private double LargestLog
    {
        get
        {
            var lanes = MemoryMarshal.Cast<double, Vector<double>>(sums);
            var largest = lanes[0];
            for (var i = 1; i < lanes.Length; i++)
                largest = Vector.Max(largest, lanes[i]);
            var result = largest[0];
            for (var i = 1; i < Vector<double>.Count; i++)
                result = Math.Max(result, largest[i]);
            return result;
        }
    }

    /// <returns>False where an event says nothing.</returns>
    private bool Tabulate(double share)
    {
        Require(share is >= 0 and <= 1, share, nameof(share));
        if (share is 0 or 1)
            return false;
        for (var i = 0; i < GridSize; i++)
        {
            ifSecond[i] = Math.Log(1 + share * (nullRatio - 1)) - Math.Log(1 + share * (ratios[i] - 1));
            ifFirst[i] = Math.Log(ratios[i] / nullRatio) + ifSecond[i];
        }

        tabulated = share;
        return true;
    }

    private static double[] LogSpaced(double from, double to) =>
        [.. Enumerable.Range(0, GridSize).Select(i => from * Math.Pow(to / from, i / (GridSize - 1.0)))];

    private static void Require(bool holds, double value, string name)
    {
        if (!holds)
            throw new ArgumentOutOfRangeException(name, value, null);
    }
}
