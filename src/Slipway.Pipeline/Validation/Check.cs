using System.Collections.Immutable;
using Slipway.Documents.Datasets;
using Slipway.Primitives.Units;

namespace Slipway.Pipeline.Validation;

/// <summary>One expectation made ready to be looked at in the data.</summary>
/// <param name="Name">For people.</param>
/// <param name="Count">SQL aggregate over the table that gives one integer; null when <see cref="Decided"/> says all.</param>
internal sealed record Check(string Name, string? Column, Severity Severity, string? Count)
{
    /// <summary>Condition of the rows that break it; null when no single row does.</summary>
    public string? Bad { get; init; }

    /// <summary>Largest share of rows that may break it.</summary>
    public Ratio Tolerate { get; init; }

    /// <summary>Columns that no two rows may share; then it has a query of its own.</summary>
    public ImmutableArray<string> Unique { get; init; } = [];

    /// <summary>Bounds of the count itself, where that is what is expected.</summary>
    public (long? Min, long? Max)? Bounds { get; init; }

    /// <summary>Known without looking at rows: the verdict, and what was found.</summary>
    public (ExpectationVerdict Verdict, string? Detail)? Decided { get; init; }

    public bool IsUnique => !Unique.IsEmpty;

    public ExpectationResult NotChecked(string reason) =>
        new(Name, Column, Severity, ExpectationVerdict.NotChecked, 0, 0, 0, reason, []);

    /// <summary>What the count means.</summary>
    public ExpectationResult Judge(long count, long rows)
    {
        if (Bounds is { } bounds)
        {
            var within = count >= (bounds.Min ?? long.MinValue) && count <= (bounds.Max ?? long.MaxValue);
            return new(Name, Column, Severity, within ? ExpectationVerdict.Holds : ExpectationVerdict.Broken, rows, 0, 0, within ? null : $"found {count}", []);
        }

        // In decimal, 0.02 % of 3,000,000 is exactly 600; in binary floating point it may fall below.
        var allowed = (long)Math.Floor((decimal)Tolerate.Value * rows);
        return new(Name, Column, Severity, count <= allowed ? ExpectationVerdict.Holds : ExpectationVerdict.Broken, rows, count, allowed, null, []);
    }
}
