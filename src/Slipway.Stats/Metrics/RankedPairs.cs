using System.Numerics;

namespace Slipway.Stats.Metrics;

/// <summary>Counts, for any weights of the units, the pairs of a positive and a negative row that the scores put in order: AUC's numerator.</summary>
/// <remarks>
/// Counted twice and in integers, so that a tie is one and the result is exact whatever the way or the order of summing.
/// Few units: a matrix of all pairs of units, built in one pass. Many: the sorted rows are walked each time.
/// </remarks>
internal sealed class RankedPairs
{
    /// <summary>Units up to which the matrix (8 MiB at most) is worth its building, which costs rows × units.</summary>
    public const int MaxMatrixUnits = 1024;

    private const uint Positive = 1, EndsTie = 2;
    private const int UnitShift = 2;

    private readonly uint[] tags;
    private readonly int units;
    private readonly long[]? matrix;

    /// <param name="order">Row indices by rising score.</param>
    /// <param name="unitOf">By position in <paramref name="order"/>.</param>
    /// <param name="useMatrix">Null chooses the cheaper way.</param>
    public RankedPairs(LabelledScores data, ReadOnlySpan<int> order, int[] unitOf, int units, bool? useMatrix = null)
    {
        this.units = units;
        tags = new uint[order.Length];
        for (var i = 0; i < tags.Length; i++)
        {
            var endsTie = i + 1 == tags.Length || data.Scores[order[i]] != data.Scores[order[i + 1]];
            tags[i] = (uint)unitOf[i] << UnitShift | (endsTie ? EndsTie : 0) | (data.Labels[order[i]] ? Positive : 0);
        }

        if (useMatrix ?? (units <= MaxMatrixUnits && (long)units * units <= order.Length))
        {
            matrix = BuildMatrix();
            tags = [];
        }
    }

    /// <summary>Σ over pairs of 2 where the positive scores higher and 1 where both score the same.</summary>
    public long TwiceOrdered(ReadOnlySpan<int> weights) => matrix is null ? Walk(weights) : Multiply(matrix, weights);

    private long Walk(ReadOnlySpan<int> weights)
    {
        var (ordered, below, positive, negative) = (0L, 0L, 0L, 0L);
        foreach (var tag in tags)
        {
            var weight = weights[(int)(tag >> UnitShift)];
            if ((tag & Positive) != 0)
                positive += weight;
            else
                negative += weight;
            if ((tag & EndsTie) == 0)
                continue;
            checked
            {
                ordered += positive * (2 * below + negative);
            }

            below += negative;
            (positive, negative) = (0, 0);
        }

        return ordered;
    }

    private long Multiply(long[] pairs, ReadOnlySpan<int> weights)
    {
        var ordered = 0L;
        for (var a = 0; a < units; a++)
        {
            if (weights[a] == 0)
                continue;
            var row = pairs.AsSpan(a * units, units);
            var sum = 0L;
            checked
            {
                for (var b = 0; b < row.Length; b++)
                    sum += weights[b] * row[b];
                ordered += weights[a] * sum;
            }
        }

        return ordered;
    }

    /// <summary>[a, b] = ordered pairs of a's positives over b's negatives.</summary>
    private long[] BuildMatrix()
    {
        var pairs = new long[units * units];
        var (twiceBelow, positives) = (new long[units], new long[units]);       // positives: of the tie being read
        var start = 0;
        for (var i = 0; i < tags.Length; i++)
        {
            var unit = (int)(tags[i] >> UnitShift);
            if ((tags[i] & Positive) != 0)
                positives[unit]++;
            else
                twiceBelow[unit]++;         // once now, as tied; once more behind the tie, as below
            if ((tags[i] & EndsTie) == 0)
                continue;
            for (var j = start; j <= i; j++)
            {
                unit = (int)(tags[j] >> UnitShift);
                if (positives[unit] == 0)
                    continue;
                AddScaled(pairs.AsSpan(unit * units, units), twiceBelow, positives[unit]);
                positives[unit] = 0;
            }

            for (var j = start; j <= i; j++)
                twiceBelow[tags[j] >> UnitShift] += (tags[j] & Positive) != 0 ? 0 : 1;
            start = i + 1;
        }

        return pairs;
    }

    private static void AddScaled(Span<long> sum, ReadOnlySpan<long> term, long factor)
    {
        var i = 0;
        for (; i <= sum.Length - Vector<long>.Count; i += Vector<long>.Count)
            (new Vector<long>(sum[i..]) + new Vector<long>(term[i..]) * factor).CopyTo(sum[i..]);
        for (; i < sum.Length; i++)
            sum[i] += term[i] * factor;
    }
}
