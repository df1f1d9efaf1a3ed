using System.Collections.Immutable;
using Slipway.Documents.Rollouts;
using Slipway.Expressions;
using Slipway.Expressions.Conditions;

namespace Slipway.Documents.Specs;

/// <summary>What of a model live traffic can tell: a condition over anything else could never be judged.</summary>
public static class WatchedModel
{
    /// <param name="evaluated">Metrics of the evaluation that is sealed with it; empty for none.</param>
    public static AlertVocabulary Vocabulary(ModelSpec model, ImmutableArray<string> evaluated, bool hasLabels)
    {
        var tensors = model.Signature.Inputs.Concat(model.Signature.Outputs).ToArray();
        return new([.. tensors.Select(tensor => tensor.Name)])
        {
            Unprofiled = [.. tensors.Where(tensor => !tensor.HasOneValueARow).Select(tensor => tensor.Name)],
            HasReference = model.Reference is not null,
            HasLabels = hasLabels,
            Task = model.Task,
            Evaluated = evaluated,
        };
    }

    /// <summary>Rules of a plan that can never be judged for a model, one line each: the plan may have been written for other versions of it.</summary>
    public static IEnumerable<string> NeverJudged(Spec spec, MonitorPlan plan)
    {
        if (spec.Model is not { } model)
            yield break;
        var vocabulary = Vocabulary(model, spec.Evaluate?.Metrics ?? [], plan.Labels is not null);
        foreach (var (kind, name, when) in plan.Alerts.Select(rule => ("alert", rule.Name, rule.When)).Concat(plan.Retrain.Select(rule => ("retraining rule", rule.Name, rule.When))))
        {
            if (MonitorConditions.Check(when, vocabulary) is [var fault, ..])
                yield return $"the {kind} '{name}' can never be judged for this version: {fault.Message}";
        }
    }
}
