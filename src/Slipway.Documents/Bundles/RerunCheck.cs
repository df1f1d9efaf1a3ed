using System.Text.Json;
using Slipway.Documents.Lineage;
using Slipway.Documents.Runs;
using Slipway.Documents.Specs;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;
using Slipway.Store.Archives;

namespace Slipway.Documents.Bundles;

/// <summary>Holds <c>reproduce.json</c> against the documents that tell the same: what it says alone is the stage contract, the engine, and inputs' paths and kinds.</summary>
internal static class RerunCheck
{
    public static IEnumerable<Fault> Of(BundleDocuments documents)
    {
        var (steps, stages) = (documents.Rerun.Stages, documents.Lineage.Stages);
        if (!steps.Select(step => step.Stage).SequenceEqual(stages.Select(stage => stage.Name)))
            return [new Fault("rerun-contradicts-lineage", $"reproduce.json has the stages {Listed(steps.Select(step => step.Stage))}; lineage.json {Listed(stages.Select(stage => stage.Name))}")];
        return steps.Zip(stages, (step, stage) => Of(step, stage, documents)).SelectMany(faults => faults);
    }

    private static IEnumerable<Fault> Of(StepKeyDocument step, LineageStage stage, BundleDocuments documents)
    {
        var name = Shown(step.Stage);
        if (KeyOf(step) is var key && key != stage.StepKey)
            yield return new Fault("rerun-contradicts-lineage", $"reproduce.json gives {name} the step key {key?.ToString() ?? "none"}; lineage.json {stage.StepKey}");
        if (!step.Inputs.Select(input => (input.Key, input.Value.Digest)).SequenceEqual(stage.Inputs.Select(input => (input.Key, input.Value))))
            yield return new Fault("rerun-contradicts-lineage", $"the inputs of {name} in reproduce.json are not those of lineage.json");
        if (documents.Spec.Stages.FirstOrDefault(declared => declared.Name == step.Stage) is not { } declared)
            yield break;
        if (Environment(declared, documents) is var environment && environment != step.Environment)
            yield return new Fault("rerun-contradicts-environment", $"{name} ran in {step.Environment?.ToString() ?? "no environment"} in reproduce.json; environment.json has {environment?.ToString() ?? "none"} for it");
        if (!FollowsFrom(documents.Spec, declared, step))
            yield return new Fault("rerun-contradicts-spec", $"command, outputs, params, seed, epoch or threads of {name} in reproduce.json are not those of spec.json");
    }

    /// <summary>Whether the spec gives the same document, with what only this one says taken from it.</summary>
    private static bool FollowsFrom(Spec spec, StageSpec declared, StepKeyDocument step)
    {
        try
        {
            var due = StepKeyDocument.Of(spec, declared, step.Inputs, step.Environment, step.Engine ?? "") with { Version = step.Version };
            return due.Key() == KeyOf(step);
        }
        catch (SlipwayException)
        {
            return false;       // a param that the spec does not have
        }
    }

    private static Digest? Environment(StageSpec declared, BundleDocuments documents) =>
        declared.Environment is { } name && documents.Environments.TryGetValue(name, out var found) ? found.Digest : null;

    /// <returns>Null where canonical JSON has no form for it.</returns>
    private static Digest? KeyOf(StepKeyDocument step)
    {
        try
        {
            return step.Key();
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static string Listed(IEnumerable<string> names) => string.Join(", ", names.Select(Shown)) is { Length: > 0 } listed ? listed : "none";

    private static string Shown(string text) => ForeignText.Shown(text);
}
