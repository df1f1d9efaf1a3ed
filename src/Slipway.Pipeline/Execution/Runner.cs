using Slipway.Documents.Datasets;
using Slipway.Documents.Environments;
using Slipway.Documents.Runs;
using Slipway.Documents.Specs;
using Slipway.Pipeline.Execution.Plan;
using Slipway.Pipeline.Execution.Scheduling;
using Slipway.Pipeline.Execution.Stages;
using Slipway.Primitives.Faults;
using Slipway.Store.Content;

namespace Slipway.Pipeline.Execution;

/// <summary>Runs the stages of a spec: those whose step key is known are taken from the store, the others are executed.</summary>
/// <param name="held">The run lock, for the whole of the run.</param>
/// <param name="index">Digests of the user's files.</param>
/// <param name="observe">Told of each stage's start and end, one at a time.</param>
internal sealed class Runner(RunLock held, DigestIndex index, RunOptions options, Action<RunEvent> observe)
{
    private readonly Lock telling = new();

    /// <param name="snapshots">By dataset, of every one that a stage takes in.</param>
    /// <param name="fingerprints">By environment, of every one that a stage names.</param>
    /// <exception cref="SlipwayException">
    /// The plan has faults, a stage failed or broke its declaration (exit 2), or something is missing (exit 3). Stages that
    /// run beside a failing one are awaited, and what ended well stays known.
    /// </exception>
    /// <exception cref="OperationCanceledException">Cancelled; the stages' processes have ended.</exception>
    public async Task<RunOutcome> RunAsync(
        Spec spec,
        IReadOnlyDictionary<string, Snapshot> snapshots,
        IReadOnlyDictionary<string, HostFingerprint> fingerprints,
        CancellationToken cancellation)
    {
        options.Check();
        var plan = ExecutionPlan.Of(spec, options.UpTo);
        var files = new ProjectFiles(held.Project.Root, index);
        files.Require(plan, options.UpTo is null ? spec.Model : null);
        var forecast = new Forecast(spec, held.Project, files, dataset => snapshots[dataset].Digest, fingerprints, options.Isolation);
        plan = forecast.WithoutManual(plan, options);
        var given = RunNeeds.Require(spec, plan, forecast, options);
        spec = spec with { Stages = [.. plan.Stages.Select(planned => planned.Stage)] };
        var execution = new StageExecution(held.Project, spec, snapshots, fingerprints, files, given, what => Tell(what, spec));
        execution.Checkout.CheckClaims(spec.Stages);
        Tell(new StagesPlanned([.. spec.Stages.Select(stage => stage.Name)]), spec);
        try
        {
            var results = await new StageExecutor(held.Project, spec, plan, options, what => Tell(what, spec)).RunAsync(execution.RunAsync, cancellation);
            return new RunOutcome([.. spec.Stages.Select(stage => results[stage.Name].Result)], new RerunPlan([.. spec.Stages.Select(stage => results[stage.Name].Step)]));
        }
        finally
        {
            if (options.Shared is { } shared)
                await shared.FinishAsync();
            StageFolder.DeleteAll(Path.Combine(held.Project.Work, options.RunId));
            index.Save();
        }
    }

    private void Tell(RunEvent what, Spec spec)
    {
        lock (telling)
        {
            observe(what);
            if (what is StageStarted started && spec.Stages.First(stage => stage.Name == started.Stage) is { Hardware: { } name } stage && StageDemand.Of(spec.ProfileOf(stage)).IsBeyond(options.Host))
                observe(new StageRemark(started.Stage, $"its hardware profile {name} asks for more processors or memory than this host has, so that it runs with nothing beside it"));
        }
    }
}
