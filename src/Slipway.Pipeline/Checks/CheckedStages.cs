using System.Collections.Immutable;
using Slipway.Documents.Checks;
using Slipway.Documents.Runs;
using Slipway.Documents.Specs;
using Slipway.Pipeline.Execution;
using Slipway.Pipeline.Execution.Plan;
using Slipway.Pipeline.Execution.Stages;
using Slipway.Primitives.Faults;
using Slipway.Runtime.Sandbox;

namespace Slipway.Pipeline.Checks;

/// <summary>Runs the stages on the samples, every one that can be run, in the check's own project.</summary>
internal sealed class CheckedStages(CheckFolder folder, RunLock held, CheckOptions options, Findings findings, Action<PipelineEvent> observe)
{
    private readonly List<StageResult> ended = [];
    private readonly Dictionary<string, string> logs = new(StringComparer.Ordinal);
    private bool isBegun;

    /// <returns>Those that ended well.</returns>
    public async Task<IReadOnlyList<StageResult>> RunAsync(Spec spec, ResolvedInputs inputs, CheckSamples samples, CancellationToken cancellation)
    {
        if (spec.Stages.IsEmpty)
        {
            findings.Skipped(CheckGroup.Stages, "stages", "the spec has no stages");
            return [];
        }

        var lacking = Lacking(spec, inputs, samples);
        var unmet = new Dictionary<string, IReadOnlyList<Fault>>(StringComparer.Ordinal);
        Spec Left() => spec with { Stages = [.. spec.Stages.Where(stage => !lacking.ContainsKey(stage.Name) && !unmet.ContainsKey(stage.Name))] };
        var failure = await TryRunAsync(Left(), inputs, samples, cancellation);
        if (failure is { Exit: ExitCode.NotThere } && !isBegun)
        {
            // A run with a stage that lacks a secret or a device begins none, and tells all that is missing; a check runs those that lack nothing.
            foreach (var stage in spec.Stages.Where(stage => failure.Faults.Any(fault => IsOf(fault, stage, spec))))
                unmet[stage.Name] = [.. failure.Faults.Where(fault => IsOf(fault, stage, spec))];
            foreach (var (stage, needs) in ExecutionPlan.Of(spec).Stages)
            {
                if (needs.FirstOrDefault(need => unmet.ContainsKey(need) || lacking.ContainsKey(need)) is { } before)
                    lacking.TryAdd(stage.Name, NeedsWhatDidNotRun(before));
            }

            var others = failure.Faults.Where(fault => !unmet.Values.Any(told => told.Contains(fault))).ToList();
            failure = others.Count > 0 ? new SlipwayException(failure.Exit, others) : await TryRunAsync(Left(), inputs, samples, cancellation);
        }

        var exit = failure?.Exit ?? ExitCode.Done;
        var faults = (failure?.Faults ?? []).Select(Placed).ToList();
        foreach (var (stage, _) in ExecutionPlan.Of(spec).Stages)
        {
            if (unmet.TryGetValue(stage.Name, out var lacks))
                findings.NotChecked(CheckGroup.Stages, stage.Name, lacks);
            else
                Tell(stage, lacking.GetValueOrDefault(stage.Name), [.. faults.Where(fault => IsOf(fault, stage, spec))], exit);
        }

        var unplaced = faults.Where(fault => !spec.Stages.Any(stage => IsOf(fault, stage, spec))).ToList();
        if (unplaced.Count > 0)
            findings.Bad(CheckGroup.Stages, "all", unplaced, exit);
        return ended;
    }

    /// <returns>How it failed; null when it did not.</returns>
    private async Task<SlipwayException?> TryRunAsync(Spec spec, ResolvedInputs inputs, CheckSamples samples, CancellationToken cancellation)
    {
        var run = options.Stages with { Jobs = options.Threads, KeepGoing = true, UsersFolder = folder.Outer };
        try
        {
            await new Runner(held, samples.Index, run, Note).RunAsync(spec, samples.ByDataset.ToDictionary(sample => sample.Key, sample => sample.Value.Taken.Snapshot), inputs.Environments, cancellation);
            return null;
        }
        catch (SlipwayException failure)
        {
            return failure;
        }
    }

    private void Note(RunEvent what)
    {
        observe(new StageProgress(what));
        isBegun |= what is StagesPlanned;
        if (what is StageStarted started)
            logs[started.Stage] = started.Log;
        else if (what is StageEnded { Result: var result })
            ended.Add(result);
    }

    private void Tell(StageSpec stage, string? lacks, IReadOnlyList<Fault> faults, ExitCode exit)
    {
        if (ended.FirstOrDefault(result => result.Name == stage.Name) is { } done)
            findings.Passed(CheckGroup.Stages, stage.Name, done.Source == StageSource.Executed ? null : done.Source.Word(), done.Seconds);
        else if (lacks is not null)
            findings.Skipped(CheckGroup.Stages, stage.Name, lacks);
        else if (faults is [{ Code: "stage-skipped" } skipped])
            findings.Skipped(CheckGroup.Stages, stage.Name, skipped.Message);
        else if (faults.Count > 0)
            findings.Bad(CheckGroup.Stages, stage.Name, faults, exit);
        else if (stage.When == StageWhen.Manual)
            findings.Skipped(CheckGroup.Stages, stage.Name, "it is manual: it runs when it is named, by slipway run");
        else
            findings.Skipped(CheckGroup.Stages, stage.Name, "it did not run, because of what is told beside it");
    }

    /// <summary>Why a stage cannot be run at all: a dataset or an environment that is not there, a person who asks for it; its own or of a stage that it needs.</summary>
    private static Dictionary<string, string> Lacking(Spec spec, ResolvedInputs inputs, CheckSamples samples)
    {
        var lacking = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (stage, needs) in ExecutionPlan.Of(spec).Stages)
        {
            if (stage.Inputs.FirstOrDefault(input => input.Kind == InputKind.Dataset && !samples.ByDataset.ContainsKey(input.Name)) is { } data)
                lacking[stage.Name] = $"its input {data.Name} could not be looked at";
            else if (stage.Environment is { } environment && !inputs.Environments.ContainsKey(environment))
                lacking[stage.Name] = $"its environment {environment} could not be looked at";
            else if (stage.When == StageWhen.Manual)
                lacking[stage.Name] = "it is manual: it runs when a person names it";
            else if (needs.FirstOrDefault(lacking.ContainsKey) is { } before)
                lacking[stage.Name] = NeedsWhatDidNotRun(before);
        }

        return lacking;
    }

    private static string NeedsWhatDidNotRun(string stage) => $"it needs {stage}, which did not run";

    /// <summary>Combinations of one stage stand at one place: there the message says whose it is.</summary>
    private static bool IsOf(Fault fault, StageSpec stage, Spec spec) =>
        IsPlacedIn(fault, stage) && (Names(fault, stage) || !spec.Stages.Any(other => other.Name != stage.Name && IsPlacedIn(fault, other) && Names(fault, other)));

    private static bool IsPlacedIn(Fault fault, StageSpec stage) => IsAt(fault, stage.At) || stage.Inputs.Any(input => IsAt(fault, input.At));

    private static bool Names(Fault fault, StageSpec stage) =>
        fault.Message.StartsWith($"stage {stage.Name} ", StringComparison.Ordinal) || fault.Message.StartsWith($"stage {stage.Name}:", StringComparison.Ordinal);

    private static bool IsAt(Fault fault, Documents.Reading.Place place) => fault.File == place.File && fault.Line == place.Line && fault.Column == place.Column;

    /// <summary>Logs are told relative to the project that people know.</summary>
    private Fault Placed(Fault fault)
    {
        foreach (var log in logs.Values)
            fault = fault with { Help = fault.Help?.Replace(Path.GetRelativePath(folder.Project.Root, log), Path.GetRelativePath(folder.Outer, log), StringComparison.Ordinal) };
        return fault;
    }
}
