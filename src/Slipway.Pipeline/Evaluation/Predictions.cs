using System.Collections.Immutable;
using Slipway.Stats.Metrics;

namespace Slipway.Pipeline.Evaluation;

/// <summary>The columns of a predictions table that are evaluated, in the order of its rows.</summary>
/// <param name="UnitNames">By unit, in ordinal order; null where each row is its own unit.</param>
/// <param name="TimeColumns">Columns of dates or times that the table has, used or not.</param>
internal sealed record Predictions(LabelledScores Rows, string[]? UnitNames, ImmutableArray<SliceColumn> Slices, ImmutableArray<string> TimeColumns);

/// <param name="Codes">By row, the index of its value in <paramref name="Values"/>.</param>
/// <param name="Values">In ordinal order.</param>
internal sealed record SliceColumn(string Name, int[] Codes, string[] Values)
{
    /// <summary>Of each value its rows, in the order of <paramref name="ranked"/>.</summary>
    public int[][] Split(int[] ranked)
    {
        var counts = new int[Values.Length];
        foreach (var code in Codes)
            counts[code]++;
        var parts = Array.ConvertAll(counts, static count => new int[count]);
        Array.Clear(counts);
        foreach (var row in ranked)
            parts[Codes[row]][counts[Codes[row]]++] = row;
        return parts;
    }
}
