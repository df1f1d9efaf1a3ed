using Slipway.Documents.Environments;
using Slipway.Documents.Runs;
using Slipway.Documents.Specs;
using Slipway.Pipeline.Execution.Stages;
using Slipway.Pipeline.Execution.Steps;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;
using Slipway.Store.Content;

namespace Slipway.Pipeline.Execution;

/// <summary>Whether a stage's outputs are known, and if not, why: the one answer that both a run and a status give.</summary>
/// <param name="isolation">What was made under a weaker one is not known.</param>
internal sealed class StepLookup(Spec spec, StepStore steps, ContentStore objects, IReadOnlyDictionary<string, HostFingerprint> fingerprints, Isolation isolation)
{
    public StepKeyDocument Document(StageSpec stage, StageInputs inputs) =>
        StepKeyDocument.Of(spec, stage, inputs.ForKey, Environment(stage)?.Digest, Sql.SqlStageRequest.Engine);

    public HostFingerprint? Environment(StageSpec stage) => stage.Environment is not { } name
        ? null
        : fingerprints.GetValueOrDefault(name) ?? throw new SlipwayException(ExitCode.UnusableInput, stage.At.Fault("unknown-environment", $"stage {stage.Name} names the environment '{name}', which is not under environments"));

    /// <returns>The record, when every one of its outputs is in the store, untouched.</returns>
    public StepRecord? Find(StepKeyDocument step) =>
        steps.Find(step.Key()) is { } record && record.Isolation >= isolation && step.Outputs.Keys.All(record.Outputs.ContainsKey) && record.Outputs.Values.All(IsSound) ? record : null;

    /// <summary>Why a stage must run whose outputs are not taken from what is known.</summary>
    public IReadOnlyList<string> Reasons(StageSpec stage, StepKeyDocument step)
    {
        if (stage.RunsAlways)
            return [$"runs always ({(stage.When == StageWhen.Always ? "when: always" : "network: host")})"];
        if (steps.Find(step.Key()) is { } known)
            return known.Isolation < isolation ? [$"isolation {known.Isolation.Word()} → {isolation.Word()}"] : ["its outputs are no longer in the store, or were changed there"];
        if (steps.Newest(step.Stage) is not { } newest)
            return ["never ran"];
        var current = step.Environment is { } digest ? fingerprints.Values.FirstOrDefault(known => known.Digest == digest) : null;
        var changes = StepDifferences.Between(newest.Step, step, known => known == current?.Digest ? current : steps.Environment(known));
        return changes.Count > 0 ? changes : throw new System.Diagnostics.UnreachableException("two step keys differ and their documents do not");
    }

    private bool IsSound(Artifact artifact)
    {
        if (artifact.Kind != ArtifactKind.Folder)
            return objects.IsSound(artifact.Digest, artifact.Size);
        try
        {
            return objects.ReadTree(artifact.Digest).Files.All(file => objects.IsSound(file.Digest, file.Size));
        }
        catch (SlipwayException)
        {
            return false;
        }
    }
}
