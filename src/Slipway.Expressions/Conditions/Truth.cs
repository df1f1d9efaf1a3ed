using System.Collections.Immutable;
using Slipway.Expressions.Figures;

namespace Slipway.Expressions.Conditions;

/// <summary>Kleene's three values. Zero is unknown, so that an unset truth is not a pass.</summary>
public enum Truth
{
    /// <summary>The evidence does not decide it.</summary>
    Unknown,
    True,
    False,
}

/// <summary>What became of a condition.</summary>
/// <param name="Reason">One sentence with the figures that decided, without a final stop.</param>
/// <param name="Read">Every measure that was read, by the name it has in the condition; of a slice as <c>slices.hour[7].auc</c>.</param>
public sealed record Judgement(Truth Truth, string Reason, ImmutableSortedDictionary<string, FigureReading> Read);
