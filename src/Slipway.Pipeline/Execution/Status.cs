using System.Collections.Immutable;
using Slipway.Documents.Environments;
using Slipway.Documents.Runs;
using Slipway.Documents.Specs;
using Slipway.Pipeline.Execution.Plan;
using Slipway.Pipeline.Execution.Stages;
using Slipway.Pipeline.Execution.Steps;
using Slipway.Primitives.Bytes;
using Slipway.Store.Content;

namespace Slipway.Pipeline.Execution;

/// <summary>Tells what a run would do, without doing any of it: stats, and one small document a stage.</summary>
public static class Status
{
    private static readonly Artifact unknown = new(default, ArtifactKind.File, 0);

    /// <param name="datasets">The snapshot's digest by dataset.</param>
    /// <param name="fingerprints">By environment, of every one that a stage names.</param>
    /// <exception cref="Primitives.Faults.SlipwayException">The plan has faults, or an input is missing (exit 2).</exception>
    public static StatusReport Of(
        Spec spec,
        ProjectFolder project,
        DigestIndex index,
        IReadOnlyDictionary<string, Digest> datasets,
        IReadOnlyDictionary<string, HostFingerprint> fingerprints,
        Isolation isolation = Isolation.Sandbox)
    {
        var plan = ExecutionPlan.Of(spec);
        spec = spec with { Stages = [.. plan.Stages.Select(planned => planned.Stage)] };
        var files = new ProjectFiles(project.Root, index);
        files.Require(plan, spec.Model);
        var steps = new StepStore(project);
        var lookup = new StepLookup(spec, steps, new ContentStore(project.Objects), fingerprints, isolation);
        var outputs = new Dictionary<string, Artifact>(StringComparer.Ordinal);
        var report = ImmutableArray.CreateBuilder<StageStatus>();
        foreach (var (stage, needs) in plan.Stages)
        {
            var open = needs.Where(need => report.Any(status => status.Name == need && status.State == StageState.WouldRun)).ToList();
            var was = open.Count > 0 ? steps.Newest(stage.Name) : null;
            var inputs = StageInputs.Of(spec, stage, files, dataset => datasets[dataset], name => outputs.GetValueOrDefault(name) ?? Before(was, name));
            var step = lookup.Document(stage, inputs);
            if (open.Count > 0)
            {
                // What is not known yet counts as it was, so that only the stage's own changes are told beside the others'.
                var own = was is null ? ["never ran"] : was.Step.Key() == step.Key() ? [] : lookup.Reasons(step);
                report.Add(new StageStatus(stage.Name, StageState.WouldRun, null, [.. own, .. open.Select(need => $"because {need} would run")]));
            }
            else if (lookup.Find(step) is { } record)
            {
                foreach (var (name, artifact) in record.Outputs)
                    outputs[$"{stage.Name}.{name}"] = artifact;
                report.Add(new StageStatus(stage.Name, StageState.Cached, step.Key(), []));
            }
            else
            {
                report.Add(new StageStatus(stage.Name, StageState.WouldRun, step.Key(), [.. lookup.Reasons(step)]));
            }
        }

        return new StatusReport(report.ToImmutable());
    }

    private static Artifact Before(StepRecord? was, string input) =>
        was?.Step.Inputs.GetValueOrDefault(input) is { } known ? new Artifact(known.Digest, known.Kind, 0) : unknown;
}
