using System.Collections.Immutable;
using Slipway.Documents.Datasets;
using Slipway.Documents.Environments;
using Slipway.Documents.Runs;
using Slipway.Documents.Specs;
using Slipway.Pipeline.Execution.Plan;
using Slipway.Pipeline.Execution.Secrets;
using Slipway.Pipeline.Execution.Sql;
using Slipway.Pipeline.Execution.Stages;
using Slipway.Pipeline.Execution.Steps;
using Slipway.Primitives.Faults;
using Slipway.Primitives.Files;
using Slipway.Primitives.Processes;
using Slipway.Primitives.Units;
using Slipway.Runtime.Sandbox;
using Slipway.Store.Content;

namespace Slipway.Pipeline.Execution;

/// <summary>One stage at a time: look it up, else run it in a private folder, store its outputs, publish the record, check out.</summary>
/// <remarks>In that order, each step durable before the next: after a crash anywhere the stage is either unknown, and runs again, or wholly known.</remarks>
internal sealed class StageExecution
{
    /// <summary>Bytes: with less than this left when a stage fails, the disk is named as the likely cause.</summary>
    private const long FullDisk = 1 << 20;

    /// <summary>Time between SIGTERM and SIGKILL for a stage that is cancelled or too slow: enough to write a last line.</summary>
    private static readonly TimeSpan grace = TimeSpan.FromSeconds(5);

    /// <summary>Longest wait that a timer takes, about 49 days; a longer timeout is none.</summary>
    private static readonly TimeSpan longestTimer = TimeSpan.FromMilliseconds(uint.MaxValue - 1);

    private readonly ProjectFolder project;
    private readonly Spec spec;
    private readonly IReadOnlyDictionary<string, Snapshot> snapshots;
    private readonly ProjectFiles files;
    private readonly RunOptions options;
    private readonly Action<RunEvent> tell;
    private readonly ContentStore objects;
    private readonly StepStore steps;
    private readonly StepLookup lookup;

    public StageExecution(ProjectFolder project, Spec spec, IReadOnlyDictionary<string, Snapshot> snapshots, IReadOnlyDictionary<string, HostFingerprint> fingerprints, ProjectFiles files, RunOptions options, Action<RunEvent> tell)
    {
        (this.project, this.spec, this.snapshots, this.files, this.options, this.tell) = (project, spec, snapshots, files, options, tell);
        objects = new ContentStore(project.Objects);
        steps = new StepStore(project);
        lookup = new StepLookup(spec, steps, objects, fingerprints);
        Checkout = new Checkout(project, objects, files, options.Clock, options.Effect);
    }

    public Checkout Checkout { get; }

    public static string LogOf(ProjectFolder project, string run, string stage) => Path.Combine(RunRecord.FolderOf(project, run), "logs", stage + ".log");

    /// <param name="done">Results of all stages that this one needs.</param>
    public async Task<EndedStage> RunAsync(StageSpec stage, IReadOnlyDictionary<string, EndedStage> done, CancellationToken cancellation)
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
            return new EndedStage(result with { Seconds = options.Clock.GetElapsedTime(started).TotalSeconds, Outputs = record.Outputs }, step);
        }

        if (!mayRun)
            throw Forecast.NotKnown(stage, "what it takes in changed in this run");
        var log = LogOf(project, options.RunId, stage.Name);
        AtomicFile.CreateFolder(Path.GetDirectoryName(log)!);
        tell(new StageStarted(stage.Name, options.Force ? ["forced"] : lookup.Reasons(stage, step), log));
        var (outputs, exit) = await Execute(stage, step, inputs, log, cancellation);
        CheckOut(stage, outputs);
        return new EndedStage(result with { Source = StageSource.Executed, Seconds = exit.Wall.TotalSeconds, PeakMemory = exit.PeakMemory > 0 ? exit.PeakMemory : null, Outputs = outputs }, step);
    }

    private async Task<(ImmutableSortedDictionary<string, Artifact> Outputs, ChildExit Exit)> Execute(StageSpec stage, StepKeyDocument step, StageInputs inputs, string log, CancellationToken cancellation)
    {
        var document = new StageDocument(stage.Name, inputs.ByName.ToImmutableSortedDictionary(input => input.Key, input => input.Value.Path, StringComparer.Ordinal), stage.Outputs, step.Params, step.Seed, step.Threads);
        var placed = inputs.Files(spec, project.Root, objects, snapshots).ToList();
        using var folder = StageFolder.Make(Path.Combine(project.Work, options.RunId, stage.Name), stage, inputs, placed.SelectMany(input => input.Files), document, files, options.LinkAbove);
        if (stage.Sql is { } sql)
        {
            var memory = stage.Hardware is { } name && spec.Hardware.TryGetValue(name, out var profile) ? profile.Memory : null;
            new SqlStageRequest(sql, SqlViews.Of(stage, placed), stage.Outputs, step.Params, memory ?? SqlStageRequest.DefaultMemory, folder.Temporary).Write(folder.RequestFile);
        }

        options.Effect("private folder made");
        var secrets = options.SecretsOf(stage);
        var exit = await RunCommand(stage, folder, StageCommand.Of(step, folder, options.SqlProgram, log, secrets), log, cancellation);
        options.Effect("command ended");
        folder.CheckLinked(files, objects);
        var outputs = StageOutputs.Store(stage, folder, objects, new SecretScan(secrets));
        options.Effect("outputs stored");
        if (lookup.Environment(stage) is { } environment)
            steps.Keep(environment);
        steps.Publish(new StepRecord(step, outputs));
        options.Effect("record published");
        return (outputs, exit);
    }

    private async Task<ChildExit> RunCommand(StageSpec stage, StageFolder folder, ChildCommand command, string log, CancellationToken cancellation)
    {
        using var limit = stage.Timeout is { } timeout && timeout.Value < longestTimer ? new CancellationTokenSource(timeout.Value, options.Clock) : new CancellationTokenSource();
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellation);
        try
        {
            var exit = await ChildProcess.RunAsync(command, grace, either.Token);
            if (exit.Succeeded)
                return exit;
            // A full disk takes many forms in a child (a signal, a cut file, no word at all), so the disk itself is asked.
            var left = new DriveInfo(project.Work).AvailableFreeSpace;
            var isFull = left < FullDisk || stage.Sql is not null && exit.Code == (int)ExitCode.NotThere;
            var why = left < FullDisk ? $", with {new ByteSize(left)} of space left on the disk" : exit.Signal == 9 ? ", perhaps for want of memory" : "";
            throw Failed("stage-failed", $"its {(stage.Sql is null ? "command" : "query")} {exit}{why}", isFull ? ExitCode.NotThere : ExitCode.UnusableInput);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw Failed("stage-timeout", $"its command was ended after {stage.Timeout}, its timeout");
        }

        SlipwayException Failed(string code, string what, ExitCode exit = ExitCode.UnusableInput)
        {
            var tail = LogTail.Of(log);
            var shown = tail.Count == 0 ? ", and wrote nothing" : "; the last it wrote:" + string.Concat(tail.Select(line => "\n  | " + line));
            var where = $"the whole log is {Path.GetRelativePath(project.Root, log)}";
            if (UndeclaredReads.Find(tail, project.Root, folder.Root, stage.Outputs.Values) is { } read)
                return new SlipwayException(exit, stage.At.Fault("undeclared-read", $"stage {stage.Name} read {read}, which is not among its inputs: {what}{shown}", $"add {UndeclaredReads.InputFor(read, spec)} to in:; {where}"));
            var found = tail.Any(LogTail.MissesFile) ? $"a stage finds only what it declares under in: ({string.Join(", ", stage.Inputs.Select(input => input.Name))}); " : "";
            return new SlipwayException(exit, stage.At.Fault(code, $"stage {stage.Name}: {what}{shown}", found + where));
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
}

/// <summary>A stage that ended well, with all that could influence its outputs.</summary>
internal sealed record EndedStage(StageResult Result, StepKeyDocument Step);
