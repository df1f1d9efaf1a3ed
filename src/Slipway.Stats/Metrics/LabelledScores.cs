namespace Slipway.Stats.Metrics;

/// <summary>Predictions of a binary classifier in the order of their table, as compact arrays: 13 bytes a row.</summary>
/// <remarks>Holds the arrays that it is given; do not write to them afterwards.</remarks>
public sealed class LabelledScores
{
    /// <summary>Rows that fit; their index, class and the end of their tie are packed into 32 bits.</summary>
    public const int MaxRows = 1 << 28;

    /// <param name="scores">Probabilities of class 1, each in [0, 1].</param>
    /// <param name="labels">True for class 1.</param>
    /// <param name="units">By row, the unit that it belongs to, 0 ≤ unit &lt; <paramref name="unitCount"/>; null makes each row its own unit.</param>
    public LabelledScores(double[] scores, bool[] labels, int[]? units, int unitCount)
    {
        if (scores.Length != labels.Length || (units is not null && units.Length != scores.Length) || (units is null && unitCount != scores.Length))
            throw new ArgumentException("scores, labels and units are of different lengths");
        if (scores.Length is 0 or > MaxRows)
            throw new ArgumentException($"found {scores.Length} rows, allowed are 1 to {MaxRows}");
        foreach (var score in scores)
        {
            if (score is not (>= 0 and <= 1))
                throw new ArgumentException($"found the score {score}, allowed are 0 to 1");
        }

        (Scores, Labels, Units, UnitCount) = (scores, labels, units, unitCount);
    }

    public double[] Scores { get; }

    public bool[] Labels { get; }

    public int[]? Units { get; }

    public int UnitCount { get; }

    public int Rows => Scores.Length;

    public int UnitOf(int row) => Units is null ? row : Units[row];

    /// <summary>Row indices by rising score.</summary>
    public int[] Rank()
    {
        var order = new int[Rows];
        for (var row = 0; row < order.Length; row++)
            order[row] = row;
        Array.Sort((double[])Scores.Clone(), order);
        return order;
    }
}
