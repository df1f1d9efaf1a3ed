using System.Collections.Immutable;
using Slipway.Expressions.Figures;
using Slipway.Primitives.Faults;

namespace Slipway.Expressions.Conditions;

/// <summary>Looks figures up; a name that the evaluation does not hold is an error of the spec's, never a verdict.</summary>
internal static class Names
{
    public static FigureReading Measure(FigureSet figures, string name, int column) =>
        figures.Measures.TryGetValue(name, out var found) ? found
        : figures.Absent is { } why ? new FigureReading(null, null, null, 0, why)
        : throw Missing("unknown-figure", "figure", name, figures.Measures.Keys, column);

    public static ImmutableArray<SliceFigures> Slices(FigureSet figures, string name, int column) =>
        figures.Slices.TryGetValue(name, out var found) ? found : throw Missing("unknown-slice", "slice column", name, figures.Slices.Keys, column);

    /// <summary><c>; did you mean 'auc'?</c>, or the names there are.</summary>
    public static string Help(string found, IEnumerable<string> known)
    {
        var names = known.ToList();
        return NearestName.Of(found, names) is { } near ? $"did you mean {near}?"
            : names.Count == 0 ? "there are none" : $"there are: {string.Join(", ", names)}";
    }

    private static SlipwayException Missing(string code, string kind, string name, IEnumerable<string> known, int column) =>
        new(ExitCode.UnusableInput, new Fault(code, $"the evaluation holds no {kind} '{name}'", Column: column, Help: Help(name, known)));
}
