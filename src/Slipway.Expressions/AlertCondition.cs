using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using Slipway.Expressions.Conditions;
using Slipway.Expressions.Figures;
using Slipway.Expressions.Syntax;
using Slipway.Primitives.Faults;

namespace Slipway.Expressions;

/// <summary>A condition over live traffic, such as <c>drift.max > 0.2 and requests >= 1000</c>, parsed and checked.</summary>
/// <remarks>
/// Figures: <c>requests labelled</c> (counts of the window); <c>error_rate refused_rate</c>; <c>latency.p50 .p95 .p99</c> in seconds; <c>drift.max</c>
/// and <c>drift.FEATURE</c> (a name that is no word is quoted: <c>drift.'distance-km'</c>); <c>accuracy auc brier ece log_loss mae rmse
/// bias</c>, each with <c>.delta</c>, live minus sealed. Intervals, parts and arithmetic are those of <see cref="GateExpression"/>. What has
/// no value is unknown, and never an error. Beside a figure, "at least so many" of a count asks for a sample: without it the whole <c>and</c> is unknown. Immutable and safe to share between threads.
/// </remarks>
public sealed class AlertCondition
{
    private readonly Condition condition;

    private AlertCondition(string text, Condition condition) => (Text, this.condition) = (text, condition);

    /// <summary>As it was written.</summary>
    public string Text { get; }

    /// <param name="faults">Each with its 1-based column in <paramref name="text"/>, without file and line; the first fault of syntax, or all faults of names and types.</param>
    public static bool TryParse(string text, AlertVocabulary vocabulary, [NotNullWhen(true)] out AlertCondition? parsed, out ImmutableArray<Fault> faults)
    {
        (parsed, faults) = (null, []);
        if (text.Length > GateExpression.MaxLength)
        {
            faults = [new Fault("too-long", $"the condition has {text.Length} characters, allowed are {GateExpression.MaxLength}", Column: 1, Help: "split it into several rules")];
            return false;
        }

        try
        {
            var checker = new AlertChecker(vocabulary);
            var condition = checker.Condition(Parser.Parse(text));
            faults = checker.Faults;
            if (condition is null || !faults.IsEmpty)
                return false;
            parsed = new AlertCondition(text, condition);
            return true;
        }
        catch (SyntaxFault fault)
        {
            faults = [fault.Fault];
            return false;
        }
    }

    /// <summary>The name under which a <see cref="FigureSet"/> holds a feature's drift.</summary>
    public static string DriftOf(string feature) => AlertChecker.OfFeature(feature);

    /// <summary>Judges one window. Pure.</summary>
    /// <param name="figures">With <see cref="FigureSet.Absent"/>, since traffic may lack what a condition names.</param>
    public Judgement Judge(FigureSet figures)
    {
        var read = ImmutableSortedDictionary.CreateBuilder<string, FigureReading>(StringComparer.Ordinal);
        var finding = condition.Judge(new Reading(figures, read));
        return new Judgement(finding.Truth, finding.Reason, read.ToImmutable());
    }
}
