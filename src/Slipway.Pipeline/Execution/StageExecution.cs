using System.Collections.Immutable;
using Slipway.Documents.Datasets;
using Slipway.Documents.Environments;
using Slipway.Documents.Runs;
using Slipway.Documents.Specs;
using Slipway.Pipeline.Execution.Plan;
using Slipway.Pipeline.Execution.Secrets;
using Slipway.Pipeline.Execution.Sharing;
using Slipway.Pipeline.Execution.Sql;
using Slipway.Pipeline.Execution.Stages;
using Slipway.Pipeline.Execution.Steps;
using Slipway.Primitives.Faults;
using Slipway.Primitives.Files;
using Slipway.Primitives.Processes;
using Slipway.Primitives.Units;
using Slipway.Runtime.Hardware;
using Slipway.Runtime.Sandbox;
using Slipway.Store.Content;

namespace Slipway.Pipeline.Execution;

/// <summary>A stage from begin to end: look it up, else run it in a private folder when its turn has come, store its outputs, publish the record, check out.</summary>
/// <remarks>In that order, each step durable before the next: after a crash anywhere the stage is either unknown, and runs again, or wholly known.</remarks>
internal sealed class StageExecution
{
    /// <summary>Time between SIGTERM and SIGKILL for a stage that is cancelled or too slow: enough to write a last line.</summary>
    private static readonly TimeSpan grace = TimeSpan.FromSeconds(5);

    /// <summary>Longest wait that a timer takes, about 49 days; a longer timeout is none.</summary>
    private static readonly TimeSpan longestTimer = TimeSpan.FromMilliseconds(uint.MaxValue - 1);

    /// <summary>A stage is prepared ahead of its turn when its inputs take no more than this part of the disk's free space: the commands that run meanwhile need it.</summary>
    private const double ShareOfSpaceAhead = 0.02;

    private readonly ProjectFolder project;
    private readonly Spec spec;
    private readonly IReadOnlyDictionary<string, Snapshot> snapshots;
    private readonly ProjectFiles files;
    private readonly RunOptions options;
    private readonly Action<RunEvent> tell;
    private readonly ContentStore objects;
    private readonly StepStore steps;
    private readonly StepLookup lookup;
    private readonly HostSettings settings;
    private bool toldOfGroups;

    public StageExecution(ProjectFolder project, Spec spec, IReadOnlyDictionary<string, Snapshot> snapshots, IReadOnlyDictionary<string, HostFingerprint> fingerprints, ProjectFiles files, RunOptions options, Action<RunEvent> tell)
    {
        (this.project, this.spec, this.snapshots, this.files, this.options, this.tell) = (project, spec, snapshots, files, options, tell);
        objects = new ContentStore(project.Objects);
        steps = new StepStore(project);
        lookup = new StepLookup(spec, steps, objects, fingerprints, options.Isolation);
        settings = new HostSettings(Path.Combine(project.Work, options.RunId), StageFolder.Settings);
        Checkout = new Checkout(project, objects, files, options.Clock, options.Effect);
    }

    public Checkout Checkout { get; }

    public static string LogOf(ProjectFolder project, string run, string stage) => Path.Combine(RunRecord.FolderOf(project, run), "logs", stage + ".log");

    /// <param name="done">Results of all stages that this one needs.</param>
    public async Task<EndedStage> RunAsync(StageSpec stage, IReadOnlyDictionary<string, EndedStage> done, CommandTurn turn, CancellationToken cancellation)
    {
        var started = options.Clock.GetTimestamp();
        var inputs = StageInputs.Of(spec, stage, files, dataset => snapshots[dataset].Digest, name => Output(done, name));
        var step = lookup.Document(stage, inputs);
        var sizes = inputs.ByName.ToImmutableSortedDictionary(
            input => input.Key,
            input => new Artifact(input.Value.Digest, input.Value.Kind, input.Value.Size ?? snapshots[input.Value.Name].Files.Sum(file => file.Size)),
            StringComparer.Ordinal);
        var result = new StageResult(stage.Name, StageSource.Cached, step.Key(), 0, null, sizes, ImmutableSortedDictionary<string, Artifact>.Empty);
        var mayRun = options.MayRun(stage);
        if (!((options.Force || stage.RunsAlways) && mayRun) && lookup.Find(step) is { } record)
        {
            steps.MarkNewest(stage.Name, step.Key());
            CheckOut(stage, record.Outputs);
            var known = StageMetrics.Read(stage, record.Outputs, objects);
            return new EndedStage(result with { Isolation = record.Isolation, Metrics = known, Seconds = options.Clock.GetElapsedTime(started).TotalSeconds, Outputs = record.Outputs }, step);
        }

        if (!options.Force && SharedCache.Takes(stage) && await TakeShared(stage, step, cancellation) is { } shared)
        {
            CheckOut(stage, shared.Record.Outputs);
            return new EndedStage(
                result with
                {
                    Source = StageSource.Shared,
                    Shared = shared.Origin,
                    Isolation = shared.Record.Isolation,
                    Metrics = StageMetrics.Read(stage, shared.Record.Outputs, objects),
                    Seconds = options.Clock.GetElapsedTime(started).TotalSeconds,
                    Outputs = shared.Record.Outputs,
                },
                step);
        }

        if (!mayRun)
            throw Forecast.NotKnown(stage, "what it takes in changed in this run");
        RunNeeds.Require(spec, stage, options);
        var attempt = new Attempt(stage, step, inputs, LogOf(project, options.RunId, stage.Name), options.SecretsOf(stage), turn);
        AtomicFile.CreateFolder(Path.GetDirectoryName(attempt.Log)!);
        var begun = new StageStarted(stage.Name, options.Force ? ["forced"] : lookup.Reasons(stage, step), attempt.Log);
        turn.Announce(() => tell(begun));
        if (!turn.IsGiven && sizes.Values.Sum(input => input.Size) > new DriveInfo(project.Work).AvailableFreeSpace * ShareOfSpaceAhead)
            await turn.WaitAsync(cancellation);
        var (outputs, metrics, exit, joules) = await Execute(attempt, cancellation);
        CheckOut(stage, outputs);
        var usage = new StageUsage(exit.User.TotalSeconds, exit.System.TotalSeconds, exit.BytesRead, exit.BytesWritten) { HostJoules = joules };
        result = result with { Source = StageSource.Executed, Seconds = exit.Wall.TotalSeconds, PeakMemory = exit.PeakMemory > 0 ? exit.PeakMemory : null, Outputs = outputs, Isolation = options.Isolation, Usage = usage, Metrics = metrics };
        return new EndedStage(result, step);
    }

    private async Task<(ImmutableSortedDictionary<string, Artifact> Outputs, ImmutableSortedDictionary<string, double>? Metrics, ChildExit Exit, double? Joules)> Execute(Attempt attempt, CancellationToken cancellation)
    {
        var (stage, step, inputs, log, secrets, turn) = attempt;
        var document = new StageDocument(stage.Name, inputs.ByName.ToImmutableSortedDictionary(input => input.Key, input => input.Value.Path, StringComparer.Ordinal), stage.Outputs, step.Params, step.Seed, step.Threads);
        var placed = inputs.Files(spec, project.Root, files, objects, snapshots).ToList();
        if (stage.Sql is not null)
            placed = [.. placed.Select(input => (input.Input, (IEnumerable<PlacedFile>)[.. input.Files]))];     // its views are of those files and of no other
        StageFolder Make(string name) =>
            StageFolder.Make(Path.Combine(project.Work, options.RunId, name), stage, inputs, placed.SelectMany(input => input.Files), document, files, options.LinkAbove, options.Isolation != Isolation.None);
        var profile = spec.ProfileOf(stage);
        EnclosedCommand Command(StageFolder each) => StageCommand.Of(stage, step, each, profile, options, settings);
        void Remark(string text) => tell(new StageRemark(stage.Name, text));
        using var folder = Make(stage.Name);
        if (stage.Sql is { } sql)
            new SqlStageRequest(sql, SqlViews.Of(stage, placed), stage.Outputs, step.Params, profile?.Memory ?? SqlStageRequest.DefaultMemory, folder.Seen.Temporary).Write(folder.RequestFile);
        options.Effect("private folder made");
        StageFailure Failure(ByteSize? memoryOfEach) => new(stage, spec, project, options.UsersFolder ?? project.Root, folder, log, memoryOfEach);
        var (exit, joules, memoryOfEach) = await RunCommand(attempt, Failure(null), Command(folder), cancellation);
        if (!exit.Succeeded)
        {
            var failure = Failure(memoryOfEach);
            if (!TracedRun.IsFor(stage, exit, options.Isolation) || failure.NamesRead)
                throw failure.OfCommand(exit, null);
            turn.Fail();
            throw await new TracedRun(failure, exit, spec.TimeLimitOf(stage), options.Clock).ExplainAsync(() => Make(".traced-" + stage.Name), Command, Remark, cancellation);
        }

        options.Effect("command ended");
        folder.CheckLinked(files, objects, inputs.Stored(objects));
        StageOutputs.Require(stage, folder, new SecretScan(secrets));
        turn.End();
        var outputs = StageOutputs.Store(stage, folder, objects);
        options.Effect("outputs stored");
        var metrics = StageMetrics.Read(stage, outputs, objects);
        var record = new StepRecord(step, outputs, options.Isolation);
        Publish(stage, record);
        if (SharedCache.Takes(stage))
            options.Shared?.Offer(record, objects, Remark, (place, bytes) => tell(new StageSent(stage.Name, place, bytes)), cancellation);
        if (secrets.Count == 0)
            folder.LeaveIfSmall();
        return (outputs, metrics, exit, joules);
    }

    private async Task<(StepRecord Record, SharedOrigin Origin)?> TakeShared(StageSpec stage, StepKeyDocument step, CancellationToken cancellation)
    {
        if (options.Shared is not { } cache || await cache.TakeAsync(step, options.Isolation, objects, text => tell(new StageRemark(stage.Name, text)), cancellation) is not { } taken)
            return null;
        options.Effect("shared outputs stored");
        Publish(stage, taken.Record);
        return taken;
    }

    private void Publish(StageSpec stage, StepRecord record)
    {
        if (lookup.Environment(stage) is { } environment)
            steps.Keep(environment);
        steps.Publish(record);
        options.Effect("record published");
    }

    /// <returns>How it ended within its limits, well or not; the host's energy meanwhile; what memory each process was held to, where nothing held all together.</returns>
    private async Task<(ChildExit Exit, double? Joules, ByteSize? MemoryOfEach)> RunCommand(Attempt attempt, StageFailure failure, EnclosedCommand command, CancellationToken cancellation)
    {
        var (stage, turn) = (attempt.Stage, attempt.Turn);
        using var limit = new CancellationTokenSource(Timeout.InfiniteTimeSpan, options.Clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellation);
        using var log = new CommandLog(attempt.Log, [.. attempt.Secrets.Values], progress => tell(new StageProgressed(stage.Name, progress)));
        await using var sampler = new UseSampler(options.Clock, present => tell(new StageUsed(stage.Name, present)));
        EnergyMeter? meter = null;
        ByteSize? memoryOfEach = null;
        try
        {
            var (exit, exceeded) = await Enclosure.RunAsync(command with { Ready = Begin }, log, grace, either.Token);
            log.Dispose();
            return exit.Succeeded || exceeded == ExceededLimit.None ? (exit, meter?.Read(), memoryOfEach) : throw failure.OverLimit(exceeded, command.Limits);
        }
        catch (OperationCanceledException) when (!turn.IsGiven)
        {
            log.Dispose();
            File.Delete(attempt.Log);      // it never began
            throw;
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested && !cancellation.IsCancellationRequested)
        {
            log.Dispose();
            throw failure.OfTimeout();
        }
        finally
        {
            meter?.Dispose();
        }

        async Task Begin(ControlGroup? group, string? unlimited)
        {
            await turn.WaitAsync(cancellation);
            sampler.Watch(group);
            if (unlimited is not null)
            {
                memoryOfEach = command.Limits.Memory;
                if (!Interlocked.Exchange(ref toldOfGroups, true))
                    tell(new StageRemark(stage.Name, $"no control group could be made for it, nor will be for stages like it ({unlimited}): memory is limited for each of its processes, shared memory is not, and neither are processors and processes{(ControlGroup.IsSystemds ? $"; {ControlGroup.Delegated} makes them possible" : "")}"));
            }

            // Beside another stage, the host's energy would be counted for both.
            meter = options.Jobs == 1 ? new EnergyMeter(options.EnergyCounters, options.Clock) : null;
            if (spec.TimeLimitOf(stage) is { } longest && longest.Value < longestTimer)
                limit.CancelAfter(longest.Value);
        }
    }

    private void CheckOut(StageSpec stage, ImmutableSortedDictionary<string, Artifact> outputs)
    {
        foreach (var (name, path) in stage.Outputs)
            Checkout.Put(path, outputs[name]);
    }

    private static Artifact Output(IReadOnlyDictionary<string, EndedStage> done, string reference)
    {
        var (stage, output) = StageSpec.Split(reference);
        return done[stage].Result.Outputs[output];
    }

    /// <summary>One execution of a stage's command.</summary>
    private sealed record Attempt(StageSpec Stage, StepKeyDocument Step, StageInputs Inputs, string Log, IReadOnlyDictionary<string, string> Secrets, CommandTurn Turn);
}

/// <summary>A stage that ended well, with all that could influence its outputs.</summary>
internal sealed record EndedStage(StageResult Result, StepKeyDocument Step);
