using System.Globalization;

namespace Slipway.Pipeline.Checks;

/// <summary>Which rows of a dataset a sample takes: the rows are cut into as many equal spans as rows are wanted, and each span gives one.</summary>
/// <remarks>
/// Exactly so many rows, in their order, from all over the dataset, whatever its order; the same for the same numbers, on any machine, in one pass
/// and without memory. Which row of its span is taken is mixed from seed and span by arithmetic that is written once here and once as SQL, in
/// whole numbers below 2^63: no engine's own randomness, which may change with its version.
/// </remarks>
/// <param name="Total">Rows of the dataset, more than <paramref name="Wanted"/>.</param>
/// <param name="Wanted">1 to 100,000,000.</param>
/// <param name="Seed">0 to 2^32−1.</param>
internal readonly record struct RowChoice(long Total, long Wanted, long Seed)
{
    /// <summary>2^31−1, a prime.</summary>
    private const long Prime = 2_147_483_647;

    /// <summary>A primitive root of <see cref="Prime"/>.</summary>
    /// <remarks>Source: Park and Miller, "Random number generators: good ones are hard to find", as corrected in 1993.</remarks>
    private const long Root = 48_271;

    /// <summary>Rows at most, so that no product here is more than 2^63.</summary>
    public const long MostRows = long.MaxValue / 100_000_000 - 1;

    /// <summary>The row that the span gives, counted from 0.</summary>
    /// <param name="span">0 to <see cref="Wanted"/> − 1; the rows grow with it.</param>
    public long Row(long span)
    {
        var start = Start(span);
        var first = (span * Root + Seed) % Prime;
        return start + (first * first + Seed) % Prime % (Start(span + 1) - start);
    }

    /// <summary>The same as a condition of SQL.</summary>
    /// <param name="row">An expression for the row's number in the dataset.</param>
    public string Condition(string row)
    {
        var span = $"(({row}) * {Number(Wanted)} // {Number(Total)})";
        var first = $"(({span} * {Root} + {Number(Seed)}) % {Prime})";
        return $"({row}) = {Start(span)} + ({first} * {first} + {Number(Seed)}) % {Prime} % ({Start($"({span} + 1)")} - {Start(span)})";
    }

    private long Start(long span) => (span * Total + Wanted - 1) / Wanted;

    private string Start(string span) => $"(({span} * {Number(Total)} + {Number(Wanted - 1)}) // {Number(Wanted)})";

    private static string Number(long number) => number.ToString(CultureInfo.InvariantCulture) + "::BIGINT";
}
