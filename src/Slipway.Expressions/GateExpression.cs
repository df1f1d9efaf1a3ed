using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using Slipway.Expressions.Conditions;
using Slipway.Expressions.Figures;
using Slipway.Expressions.Syntax;
using Slipway.Primitives.Faults;

namespace Slipway.Expressions;

/// <summary>A gate's condition, such as <c>auc >= 0.60 and slices.hour.all(s, s.n &lt; 5000 or s.auc > 0.55)</c>, parsed and checked.</summary>
/// <remarks>
/// Figures: <c>auc accuracy log_loss brier ece ece_plain</c>, each with <c>.low .high .value .n</c> and <c>.delta</c> (candidate minus baseline);
/// <c>n units</c>; <c>slices.COLUMN.count</c>. A bare figure is its interval: wholly inside the condition is true, wholly outside is
/// false, straddling is unknown. <c>and or not</c> follow Kleene. <c>+ - * /</c> move or stretch one interval by an exact number, which is
/// sound; two measured figures are never combined. <c>slices.COLUMN.all(s, …)</c> and <c>.any</c> read <c>s.n s.value</c> and the
/// slice's own figures. Immutable and safe to share between threads.
/// </remarks>
public sealed class GateExpression
{
    /// <summary>Characters of one condition; the work and memory of reading it are proportional to them.</summary>
    public const int MaxLength = 4096;

    private readonly Condition condition;

    private GateExpression(string text, Condition condition, bool readsBaseline) =>
        (Text, this.condition, ReadsBaseline) = (text, condition, readsBaseline);

    /// <summary>As it was written.</summary>
    public string Text { get; }

    /// <summary>Whether it reads any <c>.delta</c>, so that it cannot be judged without a baseline.</summary>
    public bool ReadsBaseline { get; }

    /// <summary>Parses with every known figure and any slice column.</summary>
    /// <exception cref="SlipwayException">Each fault with its 1-based column in <paramref name="text"/>.</exception>
    public static GateExpression Parse(string text) =>
        TryParse(text, GateVocabulary.Any, out var expression, out var faults)
            ? expression
            : throw new SlipwayException(ExitCode.UnusableInput, faults);

    /// <param name="vocabulary">The names that may be used: what <c>evaluate:</c> declares.</param>
    /// <param name="faults">Each with its 1-based column in <paramref name="text"/>, without file and line; the first fault of syntax, or all faults of names and types.</param>
    public static bool TryParse(string text, GateVocabulary vocabulary, [NotNullWhen(true)] out GateExpression? expression, out ImmutableArray<Fault> faults)
    {
        (expression, faults) = (null, []);
        if (text.Length > MaxLength)
        {
            faults = [new Fault("too-long", $"the condition has {text.Length} characters, allowed are {MaxLength}", Column: 1, Help: "split it into several gates")];
            return false;
        }

        try
        {
            var node = Parser.Parse(text);
            var checker = new GateChecker(vocabulary);
            var condition = checker.Condition(node);
            faults = checker.Faults;
            if (condition is null || !faults.IsEmpty)
                return false;
            expression = new GateExpression(text, condition, checker.ReadsBaseline);
            return true;
        }
        catch (SyntaxFault fault)
        {
            faults = [fault.Fault];
            return false;
        }
    }

    /// <summary>Judges one evaluation. Pure.</summary>
    /// <exception cref="SlipwayException">A figure or slice column that the evaluation does not hold at all: <c>unknown-figure</c>, <c>unknown-slice</c>.</exception>
    public Judgement Judge(FigureSet figures)
    {
        var read = ImmutableSortedDictionary.CreateBuilder<string, FigureReading>(StringComparer.Ordinal);
        var finding = condition.Judge(new Reading(figures, read));
        return new Judgement(finding.Truth, finding.Reason, read.ToImmutable());
    }
}
