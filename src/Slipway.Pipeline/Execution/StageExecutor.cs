using System.Collections.Concurrent;
using System.Runtime.ExceptionServices;
using System.Threading.Channels;
using Slipway.Documents.Runs;
using Slipway.Documents.Specs;
using Slipway.Pipeline.Execution.Plan;
using Slipway.Pipeline.Execution.Scheduling;
using Slipway.Primitives.Faults;
using Slipway.Runtime.Sandbox;

namespace Slipway.Pipeline.Execution;

/// <summary>Does what the <see cref="StageSchedule"/> decides, and tells it what came of it.</summary>
internal sealed class StageExecutor(ProjectFolder project, Spec spec, ExecutionPlan plan, RunOptions options, Action<RunEvent> tell)
{
    private readonly ConcurrentDictionary<string, EndedStage> done = new(StringComparer.Ordinal);
    private readonly List<SlipwayException> failures = [];
    private readonly Channel<News> news = Channel.CreateUnbounded<News>();
    private readonly int[] attempts = new int[plan.Stages.Length];
    private readonly CommandTurn?[] turns = new CommandTurn?[plan.Stages.Length];
    private int active;

    /// <summary>Executes, or takes from what is known, one stage whose needs are among the results.</summary>
    /// <param name="turn">To be waited for before its command is run.</param>
    public delegate Task<EndedStage> RunStage(StageSpec stage, IReadOnlyDictionary<string, EndedStage> done, CommandTurn turn, CancellationToken cancellation);

    /// <exception cref="SlipwayException">What failed, and with <see cref="RunOptions.KeepGoing"/> what did not run for it.</exception>
    public async Task<IReadOnlyDictionary<string, EndedStage>> RunAsync(RunStage run, CancellationToken cancellation)
    {
        var order = plan.Stages.Index().ToDictionary(stage => stage.Item.Stage.Name, stage => stage.Index, StringComparer.Ordinal);
        var schedule = StageSchedule.Of(
            [.. plan.Stages.Select(planned => new ScheduledStage([.. planned.Needs.Select(need => order[need])], planned.Stage.Retries, StageDemand.Of(spec.ProfileOf(planned.Stage))))],
            ScheduleLimits.Of(options.Jobs, options.Host, options.KeepGoing, seeEachOther: options.Isolation == Isolation.None));
        // An end that nobody foresaw ends what still runs.
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        ScheduleEvent what = new ScheduleEvent.Begun();
        SlipwayException? failure = null;
        try
        {
            while (true)
            {
                (schedule, var actions) = schedule.Decide(what);
                if (what is ScheduleEvent.Failed(var failed, _))
                    TellFailure(failed, failure!, isRepeated: actions.Any(action => action is ScheduleAction.Start(var again, _, _) && again == failed));
                Do(actions, run, ended.Token);
                if (actions.Any(action => action is ScheduleAction.Finish))
                    break;
                var next = await NextNews();
                failure = next.Failure as SlipwayException;
                what = next switch
                {
                    { What: { } told } => told,
                    (var stage, { } end, _, _) => Succeeded(stage, end),
                    var (stage, _, _, _) when failure is not null => new ScheduleEvent.Failed(stage, MayPass(failure)),
                    (var stage, _, OperationCanceledException, _) when turns[stage]!.IsWithdrawn => new ScheduleEvent.Withdrawn(stage),
                    var (_, _, bug, _) => throw Rethrown(bug!),
                };
                if (cancellation.IsCancellationRequested)
                {
                    (schedule, actions) = schedule.Decide(new ScheduleEvent.Cancelled());
                    Do(actions, run, ended.Token);
                }
            }
        }
        finally
        {
            foreach (var turn in turns)
                turn?.Withdraw();
            if (active > 0)
                await ended.CancelAsync();
            // Whatever happened, no process of a stage outlives its run: every end is waited for, and a cancelled stage ends soon.
            while (active > 0)
                await NextNews();
        }

        if (failures.Count == 0)
            cancellation.ThrowIfCancellationRequested();
        return failures.Count == 0
            ? done
            : throw SlipwayException.Together([.. failures, .. options.KeepGoing ? plan.Stages.Where((stage, i) => attempts[i] == 0 && stage.Needs.Any(need => !done.ContainsKey(need))).Select(Skipped) : []]);
    }

    private void Do(IEnumerable<ScheduleAction> actions, RunStage run, CancellationToken cancellation)
    {
        foreach (var action in actions)
        {
            switch (action)
            {
                case ScheduleAction.Start start:
                    Start(start, run, cancellation);
                    break;
                case ScheduleAction.GiveTurn(var stage):
                    turns[stage]!.Give();
                    break;
                case ScheduleAction.Withdraw(var stage):
                    turns[stage]!.Withdraw();
                    break;
            }
        }
    }

    private void Start(ScheduleAction.Start start, RunStage run, CancellationToken cancellation)
    {
        var stage = plan.Stages[start.Stage].Stage;
        attempts[start.Stage] = start.Attempt;
        var turn = turns[start.Stage] = new CommandTurn(() => Tell(new ScheduleEvent.CommandEnded(start.Stage)), () => Tell(new ScheduleEvent.CommandFailed(start.Stage)));
        if (start.HasTurn)
            turn.Give();
        active++;
        _ = Task.Run(async () =>
        {
            try
            {
                news.Writer.TryWrite(new News(start.Stage, await RunAsync(run, stage, turn, cancellation), null));
            }
            catch (Exception e)
            {
                news.Writer.TryWrite(new News(start.Stage, null, e));
            }
        }, CancellationToken.None);

        void Tell(ScheduleEvent what) => news.Writer.TryWrite(new News(start.Stage, null, null, what));
    }

    private async Task<EndedStage> RunAsync(RunStage run, StageSpec stage, CommandTurn turn, CancellationToken cancellation)
    {
        try
        {
            return await run(stage, done, turn, cancellation);
        }
        catch (SlipwayException) when (!turn.IsGiven)
        {
            // What was in the way ahead of its turn, such as the space that others take until then, may not be there any more.
            await turn.WaitAsync(cancellation);
            return await run(stage, done, turn, cancellation);
        }
    }

    private async Task<News> NextNews()
    {
        var next = await news.Reader.ReadAsync(CancellationToken.None);
        if (next.IsEnd)
            active--;
        return next;
    }

    private static Exception Rethrown(Exception bug)
    {
        ExceptionDispatchInfo.Throw(bug);
        return bug;
    }

    private ScheduleEvent.Succeeded Succeeded(int stage, EndedStage ended)
    {
        ended = ended with { Result = ended.Result with { Repeats = attempts[stage] - 1 } };
        done[ended.Result.Name] = ended;
        tell(new StageEnded(ended.Result));
        return new(stage);
    }

    private void TellFailure(int index, SlipwayException failure, bool isRepeated)
    {
        var stage = plan.Stages[index].Stage;
        var attempt = attempts[index];
        if (isRepeated)
        {
            tell(new StageRetried(stage.Name, attempt, stage.Retries + 1, failure));
            Log(stage, $"{LogTail.Repeated} {attempt} of {stage.Retries + 1} failed; it is repeated");
            return;
        }

        tell(new StageFailed(stage.Name, failure));
        failures.Add(attempt == 1 ? failure : new SlipwayException(failure.Exit, [.. failure.Faults.Select(fault => fault with { Message = $"attempt {attempt} of {stage.Retries + 1}: {fault.Message}" })], failure));
    }

    /// <summary>The command's own failure, or its timeout: a declaration that does not hold will not hold the next time.</summary>
    private static bool MayPass(SlipwayException failure) => failure.Exit == ExitCode.UnusableInput && failure.Faults.All(fault => fault.Code is "stage-failed" or "stage-timeout");

    private void Log(StageSpec stage, string line)
    {
        try
        {
            File.AppendAllText(StageExecution.LogOf(project, options.RunId, stage.Name), line + "\n");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // A full disk: the next attempt finds that out, and says so.
        }
    }

    private SlipwayException Skipped(PlannedStage stage) => new(
        ExitCode.UnusableInput,
        stage.Stage.At.Fault("stage-skipped", $"stage {stage.Stage.Name} did not run: it needs {string.Join(" and ", stage.Needs.Where(need => !done.ContainsKey(need)))}, which did not end well"));

    /// <summary>Of a stage: that it ended, well or not; or what happened before.</summary>
    private sealed record News(int Stage, EndedStage? Ended, Exception? Failure, ScheduleEvent? What = null)
    {
        public bool IsEnd => What is null;
    }
}
