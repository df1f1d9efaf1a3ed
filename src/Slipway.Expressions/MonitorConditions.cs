using System.Collections.Immutable;
using Slipway.Expressions.Conditions;
using Slipway.Primitives.Faults;

namespace Slipway.Expressions;

/// <summary>Checks the conditions of a plan's <c>monitor:</c> as it is written.</summary>
public static class MonitorConditions
{
    /// <returns>Each fault with its 1-based column in <paramref name="text"/>, without file and line; empty when it may be used.</returns>
    public static ImmutableArray<Fault> Check(string text, AlertVocabulary vocabulary) =>
        AlertCondition.TryParse(text, vocabulary, out _, out var faults) ? [] : faults;
}
