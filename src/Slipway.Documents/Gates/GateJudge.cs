using System.Collections.Immutable;
using System.Diagnostics;
using Slipway.Documents.Evaluations;
using Slipway.Documents.Specs;
using Slipway.Expressions;
using Slipway.Expressions.Conditions;
using Slipway.Expressions.Figures;
using Slipway.Primitives.Faults;

namespace Slipway.Documents.Gates;

/// <summary>Judges a sealed bundle's gates from its sealed evaluation alone. Pure: anyone who holds the bundles gets the same report.</summary>
public static class GateJudge
{
    /// <param name="baseline">The locked baseline's sealed evaluation; null where there is none.</param>
    /// <param name="baselineMissing">Why a baseline that is named is not at hand: then a gate that reads it lacks evidence, whatever it says of having none.</param>
    /// <exception cref="SlipwayException">A condition that does not parse, or that names a figure which the evaluation does not hold.</exception>
    public static GateReport Judge(IReadOnlyList<GateSpec> gates, SealedEvaluation candidate, SealedEvaluation? baseline, string? baselineMissing = null)
    {
        var figures = GateFigures.Of(candidate, baseline);
        var results = gates.Select(gate => Judge(gate, figures, baseline is not null, baselineMissing)).ToImmutableArray();
        var note = results.IsEmpty ? "no gate is declared, so there is nothing that the model was held to"
            : results.All(result => result.Verdict is Verdict.NotEvaluated) ? "no gate could be evaluated: all were skipped"
            : null;
        var verdict = results.Any(result => result.Verdict is Verdict.Fail) ? Verdict.Fail
            : note is not null || results.Any(result => result.Verdict is Verdict.InsufficientEvidence) ? Verdict.InsufficientEvidence
            : Verdict.Pass;
        return new GateReport(candidate.Bundle, baseline?.Bundle, verdict, results, note);
    }

    private static GateResult Judge(GateSpec gate, FigureSet figures, bool hasBaseline, string? baselineMissing)
    {
        if (!GateExpression.TryParse(gate.Require, GateVocabulary.Any, out var expression, out var faults))
            throw Refuse(gate, faults);
        if (expression.ReadsBaseline && !hasBaseline)
        {
            return baselineMissing is not null ? Result(Verdict.InsufficientEvidence, baselineMissing, [])
                : gate.WithoutBaseline is WithoutBaseline.Skip
                ? Result(Verdict.NotEvaluated, "skipped: there is no baseline to compare with", [])
                : Result(Verdict.InsufficientEvidence, "there is no baseline to compare with, and the gate does not say without-baseline: skip", []);
        }

        try
        {
            var judgement = expression.Judge(figures);
            var verdict = judgement.Truth switch
            {
                Truth.True => Verdict.Pass,
                Truth.False => Verdict.Fail,
                Truth.Unknown => Verdict.InsufficientEvidence,
                _ => throw new UnreachableException(),
            };
            return Result(verdict, judgement.Reason, judgement.Read);
        }
        catch (SlipwayException e)
        {
            throw Refuse(gate, e.Faults);
        }

        GateResult Result(Verdict verdict, string reason, IEnumerable<KeyValuePair<string, FigureReading>> read) => new(
            gate.Name,
            gate.Require,
            verdict,
            reason,
            read.Where(each => each.Value.Value is not null).ToImmutableSortedDictionary(
                each => each.Key,
                each => new Figure(each.Value.Value!.Value, each.Value.Low, each.Value.High, each.Value.Rows, each.Value.Lacks),
                StringComparer.Ordinal));
    }

    private static SlipwayException Refuse(GateSpec gate, IEnumerable<Fault> faults) => new(ExitCode.UnusableInput,
    [
        .. faults.Select(fault => fault with
        {
            Message = $"gate '{gate.Name}', at {fault.Column} of '{gate.Require}': {fault.Message}",
            File = gate.At.File,
            Line = gate.At.File is null ? null : gate.At.Line,
            Column = gate.At.File is null ? null : gate.At.Column,
        }),
    ]);
}
