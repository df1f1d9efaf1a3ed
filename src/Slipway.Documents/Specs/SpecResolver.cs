using System.Collections.Immutable;
using System.Text.Json;
using Slipway.Documents.Reading;
using Slipway.Documents.Rollouts;
using Slipway.Documents.Serving;
using Slipway.Expressions;
using Slipway.Expressions.Conditions;

namespace Slipway.Documents.Specs;

/// <summary>Makes a <see cref="Spec"/> of a draft: checks that every reference resolves and that the parts fit together.</summary>
internal sealed class SpecResolver
{
    private readonly SpecDraft draft;
    private readonly FaultList faults;
    private readonly StageMatrix matrix;
    private readonly SpecNames names;

    public SpecResolver(SpecDraft draft, FaultList faults)
    {
        (this.draft, this.faults) = (draft, faults);
        matrix = new StageMatrix(draft.Stages, faults);
        names = new SpecNames(draft, matrix, faults);
    }

    /// <param name="file">The spec's own file, which no stage may write.</param>
    /// <param name="version">The program's.</param>
    /// <returns>Meaningful only when no fault was added.</returns>
    public Spec Resolve(string file, Version version)
    {
        if (draft.Requires is { } requires && !VersionCondition.Holds(requires.Value, version))
            faults.Add(requires.At, "wrong-version", $"the spec requires version {requires.Value} of Slipway, this is {version.ToString(3)}", "Install a version that fits.");

        var asWritten = new StageResolver(draft.Params.Values, names, faults).Resolve(draft.Stages ?? []);
        var model = draft.Model is { } written ? new ModelResolver(names, faults).Resolve(written) : null;
        StageCircles.Find(asWritten, faults);
        var stages = new StageExpansion(draft, matrix, faults).Expand(asWritten);
        OutputConflicts.Find(draft, file, stages, model, faults);
        return new Spec(
            draft.Name ?? "",
            draft.Requires?.Value,
            draft.Description,
            draft.Owners,
            draft.License,
            ByName(draft.Data, (name, dataset) => dataset with { Name = name }),
            ByName(draft.Environments, (name, environment) => environment with { Name = name }),
            ByName(draft.Hardware, (_, profile) => profile),
            draft.Determinism ?? DeterminismSpec.Default,
            (draft.Params.Values ?? []).Where(param => param.Value.ValueKind != JsonValueKind.Undefined).ToImmutableSortedDictionary(param => param.Name, param => param.Value, StringComparer.Ordinal),
            stages,
            model,
            Evaluate(),
            Gates())
        {
            Release = Plan(model),
            Cache = draft.Cache,
        };
    }

    /// <summary>How it is released and watched; null when the file says neither.</summary>
    private ReleasePlan? Plan(ModelSpec? model)
    {
        var release = draft.Release?.Resolve(faults);
        if (draft.Monitor is not { } monitor)
            return release;
        // What could not be read has been told; what hangs on it would be told twice.
        if (monitor.IsSound)
            monitor.Value.Check(faults);
        var inputs = model?.Signature.Inputs.Select(input => input.Name).ToArray() ?? [];
        foreach (var input in monitor.Value.Inputs.Where(input => model is not null && !inputs.Contains(input.Name)))
            faults.Add(input.At, "unknown-reference", $"there is no input {Node.Quote(input.Name)}{Node.Nearest(input.Name, inputs)}; {SpecNames.Listed("input", inputs)}");
        if (model is not null)
            CheckConditions([.. monitor.Value.Alerts, .. monitor.Value.Retrain], Watched(model, !monitor.IsSound || monitor.Value.Plan.Labels is not null));
        return (release ?? ReleasePlan.Default) with { Monitor = monitor.Value.Plan };
    }

    /// <summary>What was given and could not be read has been told, and counts as known to be there.</summary>
    private AlertVocabulary Watched(ModelSpec model, bool hasLabels)
    {
        var known = WatchedModel.Vocabulary(model, draft.Evaluate?.Metrics ?? [], hasLabels);
        return known with
        {
            HasReference = known.HasReference || draft.Model!.HasReference,
            Task = draft.Model!.Task,
            Evaluated = draft.Evaluate is null && draft.HasEvaluate ? null : known.Evaluated,
        };
    }

    private void CheckConditions(ImmutableArray<RulePlace> rules, AlertVocabulary vocabulary)
    {
        foreach (var when in rules.Select(rule => rule.When).OfType<Rollouts.Condition>())
        {
            foreach (var fault in MonitorConditions.Check(when.Text, vocabulary))
                faults.Add(when.At.Inside(fault));
        }
    }

    private static ImmutableSortedDictionary<string, T> ByName<T>(ImmutableArray<Named<T>>? entries, Func<string, T, T> named) where T : class =>
        (entries ?? []).Where(entry => entry.Value is not null).ToImmutableSortedDictionary(entry => entry.Name, entry => named(entry.Name, entry.Value!), StringComparer.Ordinal);

    private EvaluateSpec? Evaluate()
    {
        if (draft.Evaluate is not { } evaluate)
            return null;
        const string classification = "binary-classification";
        if (!draft.HasModel)
            faults.Add(evaluate.At, "missing-key", "evaluate stands without a model, whose evaluation it is", "Declare the model, or remove evaluate.");
        else if (draft.Model?.Task is { } task && task != classification)
            faults.Add(evaluate.At, "bad-value", $"the model's task is '{task}', and evaluate knows {classification} alone", "Remove evaluate and the gates for a model of another task.");
        if (evaluate.Label is { } label && label == evaluate.Score)
            faults.Add(evaluate.At, "bad-value", $"label and score are the same column {Node.Quote(label)}, allowed are two");
        return new EvaluateSpec(
            names.Output(evaluate.Predictions, "predictions"),
            evaluate.Label ?? "",
            evaluate.Score ?? "",
            evaluate.Unit,
            evaluate.Baseline,
            evaluate.Metrics,
            evaluate.Slices,
            evaluate.Confidence,
            evaluate.Resamples)
        { At = evaluate.At };
    }

    private ImmutableArray<GateSpec> Gates()
    {
        if (draft.Gates.Length > 0 && !draft.HasEvaluate)
            faults.Add(draft.GatesAt!.Value, "missing-key", "gates stand without evaluate, whose figures they read", "Declare evaluate, or remove the gates.");
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var gate in draft.Gates)
        {
            if (gate.Name.Length > 0 && !seen.Add(gate.Name))
                faults.Add(gate.At, "duplicate-value", $"two gates are called {Node.Quote(gate.Name)}", "Give each gate a name of its own.");
        }

        foreach (var gate in draft.Gates.Where(gate => gate.Require.Length > 0))
            CheckExpression(gate);
        return draft.Gates;
    }

    /// <summary>The expression's own faults have columns in its text; here they get the file's.</summary>
    private void CheckExpression(GateSpec gate)
    {
        var vocabulary = draft.Evaluate is { } evaluate ? GateVocabulary.Declared(evaluate.Metrics, evaluate.Slices) : GateVocabulary.Any;
        if (GateExpression.TryParse(gate.Require, vocabulary, out var expression, out var found))
        {
            if (expression.ReadsBaseline && gate.WithoutBaseline == WithoutBaseline.Refuse && draft.Evaluate is { HasBaseline: false })
                faults.Add(gate.RequireAt, "missing-key", $"gate {Node.Quote(gate.Name)} reads a delta, and evaluate names no baseline", "Name a baseline, or write without-baseline: skip.");
            return;
        }

        foreach (var fault in found)
            faults.Add(gate.RequireAt.Inside(fault));
    }
}
