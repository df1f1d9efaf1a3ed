using System.Collections.Immutable;
using Slipway.Documents.Specs;

namespace Slipway.Pipeline.Execution.Plan;

/// <summary>Which stages are a part of the bundle: all but the manual ones that nothing else needs.</summary>
/// <remarks>Whether somebody has run those here must not change the bundle's digest.</remarks>
internal static class SealedStages
{
    public static ImmutableHashSet<string> Of(Spec spec)
    {
        var wanted = Outputs(spec).Select(output => StageSpec.Split(output.Output).Stage).ToHashSet(StringComparer.Ordinal);
        foreach (var (stage, needs) in ExecutionPlan.Of(spec).Stages.Reverse())
        {
            if (stage.When == StageWhen.Manual && !wanted.Contains(stage.Name))
                continue;
            wanted.Add(stage.Name);
            wanted.UnionWith(needs);
        }

        return wanted.ToImmutableHashSet(StringComparer.Ordinal);
    }

    /// <summary>Outputs that the seal takes in itself, each with what takes it.</summary>
    public static IEnumerable<(string Output, string By)> Outputs(Spec spec)
    {
        if (spec.Model is { } model)
        {
            yield return (model.Artifact, "the model");
            if (model.Reference is { Kind: InputKind.Output } reference)
                yield return (reference.Name, "the model's reference");
        }

        if (spec.Evaluate is { } evaluate)
            yield return (evaluate.Predictions, "evaluate");
    }
}
