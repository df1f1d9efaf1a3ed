using System.Collections.Concurrent;
using Slipway.Documents.Datasets;
using Slipway.Documents.Environments;
using Slipway.Documents.Runs;
using Slipway.Documents.Specs;
using Slipway.Pipeline.Execution.Plan;
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
        plan = new Forecast(spec, held.Project, files, dataset => snapshots[dataset].Digest, fingerprints).WithoutManual(plan, options);
        spec = spec with { Stages = [.. plan.Stages.Select(planned => planned.Stage)] };
        var execution = new StageExecution(held.Project, spec, snapshots, fingerprints, files, options, Tell);
        execution.Checkout.CheckClaims(spec.Stages);
        try
        {
            var results = await Schedule(plan, execution, cancellation);
            return new RunOutcome([.. spec.Stages.Select(stage => results[stage.Name].Result)], new RerunPlan([.. spec.Stages.Select(stage => results[stage.Name].Step)]));
        }
        finally
        {
            StageFolder.Delete(Path.Combine(held.Project.Work, options.RunId));
            index.Save();
        }
    }

    private async Task<IReadOnlyDictionary<string, EndedStage>> Schedule(ExecutionPlan plan, StageExecution execution, CancellationToken cancellation)
    {
        var done = new ConcurrentDictionary<string, EndedStage>(StringComparer.Ordinal);
        var failures = new List<SlipwayException>();
        var waiting = plan.Stages.ToList();
        var running = new List<Task<EndedStage>>();
        try
        {
            while (true)
            {
                while ((failures.Count == 0 || options.KeepGoing) && running.Count < options.Jobs && waiting.FirstOrDefault(stage => stage.Needs.All(done.ContainsKey)) is { } next)
                {
                    cancellation.ThrowIfCancellationRequested();
                    waiting.Remove(next);
                    running.Add(Task.Run(() => execution.RunAsync(next.Stage, done, cancellation), cancellation));
                }

                if (running.Count == 0)
                    break;
                var ended = await Task.WhenAny(running);
                running.Remove(ended);
                try
                {
                    var stage = await ended;
                    done[stage.Result.Name] = stage;
                    Tell(new StageEnded(stage.Result));
                }
                catch (SlipwayException failure)
                {
                    failures.Add(failure);
                }
            }
        }
        finally
        {
            // Whatever happened, no process of a stage outlives its run.
            await Task.WhenAll(running).ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        }

        return failures.Count == 0
            ? done
            : throw SlipwayException.Together([.. failures, .. options.KeepGoing ? waiting.Select(stage => Skipped(stage, done)) : []]);
    }

    private static SlipwayException Skipped(PlannedStage stage, IReadOnlyDictionary<string, EndedStage> done) => new(
        ExitCode.UnusableInput,
        stage.Stage.At.Fault("stage-skipped", $"stage {stage.Stage.Name} did not run: it needs {string.Join(" and ", stage.Needs.Where(need => !done.ContainsKey(need)))}, which did not end well"));

    private void Tell(RunEvent what)
    {
        lock (telling)
            observe(what);
    }
}
