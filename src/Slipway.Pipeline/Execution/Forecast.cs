using System.Collections.Immutable;
using Slipway.Documents.Environments;
using Slipway.Documents.Runs;
using Slipway.Documents.Specs;
using Slipway.Pipeline.Execution.Plan;
using Slipway.Pipeline.Execution.Stages;
using Slipway.Pipeline.Execution.Steps;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;
using Slipway.Store.Content;

namespace Slipway.Pipeline.Execution;

/// <summary>What a run would do with each stage of a plan, by what is known now: stats, and one small document a stage.</summary>
/// <param name="datasets">The snapshot's digest by dataset.</param>
internal sealed class Forecast(Spec spec, ProjectFolder project, ProjectFiles files, Func<string, Digest> datasets, IReadOnlyDictionary<string, HostFingerprint> fingerprints, Isolation isolation)
{
    private static readonly Artifact unknown = new(default, ArtifactKind.File, 0);

    private readonly StepStore steps = new(project);

    /// <summary>In plan order.</summary>
    public StatusReport Of(ExecutionPlan plan) => Of(plan, []);

    /// <param name="likely">Takes the names of manual stages whose outputs are known if stages that always run make what they made last, which is not known before.</param>
    private StatusReport Of(ExecutionPlan plan, HashSet<string> likely)
    {
        // Those that have to run because one always does, and would make what they made last if that one did.
        var constant = new HashSet<string>(StringComparer.Ordinal);
        var lookup = new StepLookup(spec, steps, new ContentStore(project.Objects), fingerprints, isolation);
        var outputs = new Dictionary<string, Artifact>(StringComparer.Ordinal);
        var open = new Dictionary<string, StageState>(StringComparer.Ordinal);
        var report = ImmutableArray.CreateBuilder<StageStatus>(plan.Stages.Length);
        foreach (var (stage, needs) in plan.Stages)
        {
            var waits = needs.Where(open.ContainsKey).ToList();
            var was = waits.Count > 0 ? steps.Newest(stage.Name) : null;
            var inputs = StageInputs.Of(spec, stage, files, datasets, name => outputs.GetValueOrDefault(name) ?? Before(was, name));
            var step = lookup.Document(stage, inputs);
            var status = Of(stage, step, waits.Count > 0);
            var isConstant = waits.Count == 0
                ? stage.RunsAlways && steps.Newest(stage.Name)?.Step.Key() == status.Key
                : was?.Step.Key() == step.Key() && waits.TrueForAll(constant.Contains) && lookup.Find(step) is not null;
            if (isConstant)
                constant.Add(stage.Name);
            if (isConstant && status.State == StageState.Manual)
            {
                likely.Add(stage.Name);
                status = status with { Reasons = [$"only if {string.Join(" or ", waits)} makes something else than before"] };
            }

            report.Add(status);
            if (status.State != StageState.Cached)
                open[stage.Name] = status.State;

            string Because(string need) => likely.Contains(need) ? $"because what {need} takes in may change" : open[need] == StageState.Manual ? $"because {need} is manual and has to run" : $"because {need} would run";

            StageStatus Of(StageSpec stage, StepKeyDocument step, bool isOpen)
            {
                var state = stage.When == StageWhen.Manual ? StageState.Manual : StageState.WouldRun;
                if (isOpen)
                {
                    // What is not known yet counts as it was, so that only the stage's own changes are told beside the others'.
                    var own = was is null ? ["never ran"] : was.Step.Key() == step.Key() ? [] : lookup.Reasons(stage, step);
                    return new StageStatus(stage.Name, state, null, [.. own, .. waits.Select(Because)]);
                }

                if ((state == StageState.Manual || !stage.RunsAlways) && lookup.Find(step) is { } record)
                {
                    foreach (var (name, artifact) in record.Outputs)
                        outputs[$"{stage.Name}.{name}"] = artifact;
                    return new StageStatus(stage.Name, StageState.Cached, step.Key(), []);
                }

                return new StageStatus(stage.Name, state, step.Key(), [.. lookup.Reasons(stage, step)]);
            }
        }

        return new StatusReport(report.MoveToImmutable());
    }

    /// <summary>The plan without its manual stages whose outputs are not known.</summary>
    /// <param name="options">Which manual stages a person named.</param>
    /// <exception cref="SlipwayException">What is to be run, sealed or evaluated needs one of them (exit 2).</exception>
    public ExecutionPlan WithoutManual(ExecutionPlan plan, RunOptions options)
    {
        if (plan.Stages.All(planned => options.MayRun(planned.Stage)))
            return plan;
        // Below a stage that always runs nothing is ever known beforehand: what was made of its last outputs is looked up when there are new ones.
        var likely = new HashSet<string>(StringComparer.Ordinal);
        var left = plan.Stages.Zip(Of(plan, likely).Stages).Where(pair => pair.Second.State == StageState.Manual && !likely.Contains(pair.First.Stage.Name) && !options.MayRun(pair.First.Stage)).Select(pair => pair.First.Stage.Name).ToHashSet(StringComparer.Ordinal);
        var kept = plan.Stages.Where(planned => !left.Contains(planned.Stage.Name)).ToImmutableArray();
        var needed = kept.SelectMany(planned => planned.Needs.Select(need => (Stage: need, By: planned.Stage.Name)))
            .Concat(options.UpTo is null ? SealedStages.Outputs(spec).Select(output => (StageSpec.Split(output.Output).Stage, output.By)) : [])
            .Where(need => left.Contains(need.Stage))
            .ToLookup(need => need.Stage, need => need.By, StringComparer.Ordinal);
        var faults = plan.Stages.Select(planned => planned.Stage).Where(stage => needed.Contains(stage.Name)).Select(stage => NotKnown(stage, $"{string.Join(" and ", needed[stage.Name].Distinct().Take(3))} needs it")).ToList();
        return faults.Count == 0 ? new ExecutionPlan(kept) : throw SlipwayException.Together(faults);
    }

    /// <param name="why">Why that matters, as the end of a sentence.</param>
    public static SlipwayException NotKnown(StageSpec stage, string why) => new(
        ExitCode.UnusableInput,
        stage.At.Fault("manual-stage", $"stage {stage.Name} is manual, its outputs are not known for what it would take in now, and {why}", $"run it with `slipway run {stage.Name}`"));

    private static Artifact Before(StepRecord? was, string input) =>
        was?.Step.Inputs.GetValueOrDefault(input) is { } known ? new Artifact(known.Digest, known.Kind, 0) : unknown;
}
