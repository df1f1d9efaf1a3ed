using System.Collections.Immutable;

namespace Slipway.Expressions.Figures;

/// <summary>All that a condition may read about one evaluation, or about one window of live traffic.</summary>
/// <param name="Rows">Read as <c>n</c>.</param>
/// <param name="Units">Read as <c>units</c>: what was resampled.</param>
/// <param name="Basis">What every interval rests on, for the reasons: <c>95 % over 30 units of date</c>.</param>
/// <param name="Measures">By name: <c>auc</c>; a difference from the baseline as <c>auc.delta</c>.</param>
/// <param name="Slices">By column, every value that was seen.</param>
/// <param name="Absent">Why a measure that is not among them has no value: then nothing is decided by it. Null where naming it is the condition's own fault.</param>
public sealed record FigureSet(
    long Rows,
    long Units,
    string Basis,
    ImmutableSortedDictionary<string, FigureReading> Measures,
    ImmutableSortedDictionary<string, ImmutableArray<SliceFigures>> Slices,
    string? Absent = null);

/// <summary>One value of a slice column and what was measured on its rows.</summary>
/// <param name="Measures">By name; what could not be measured on so few rows is left out, and no condition on it is ever true.</param>
public sealed record SliceFigures(string Value, long Rows, ImmutableSortedDictionary<string, FigureReading> Measures);

/// <summary>A measured number with its interval, or the reason why there is none.</summary>
/// <param name="Value">Null where even the number could not be had, such as a difference from a baseline that cannot be paired.</param>
/// <param name="Low">Lower end; null together with <paramref name="High"/>.</param>
/// <param name="Rows">Rows that it rests on.</param>
/// <param name="Lacks">Why there is no value or no interval; null where there are both.</param>
/// <param name="Of">What attained it, of a figure that is the largest of several; null for others.</param>
public sealed record FigureReading(double? Value, double? Low, double? High, long Rows, string? Lacks = null, string? Of = null);
