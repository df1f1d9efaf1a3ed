using System.Collections.Immutable;
using Slipway.Documents.Runs;
using Slipway.Documents.Specs;
using Slipway.Pipeline.Execution.Secrets;
using Slipway.Pipeline.Execution.Sharing;
using Slipway.Primitives.Faults;
using Slipway.Runtime.Hardware;
using Slipway.Runtime.Sandbox;

namespace Slipway.Pipeline.Execution;

/// <summary>How a run goes about its stages; nothing here influences their outputs.</summary>
public sealed record RunOptions
{
    /// <summary>Of <see cref="RunRecord.NewId"/>: names the folder of logs and of private copies.</summary>
    public required string RunId { get; init; }

    /// <summary>Program and first arguments that run an SQL stage, the request file's path following: <c>slipway sql-stage</c>.</summary>
    public required ImmutableArray<string> SqlProgram { get; init; }

    public const int MostJobs = 1024;

    /// <summary>Commands at a time, 1 to <see cref="MostJobs"/>; default 1.</summary>
    public int Jobs { get; init; } = 1;

    /// <summary>Runs every stage, whether its outputs are known or not.</summary>
    public bool Force { get; init; }

    /// <summary>After a failure, runs what does not depend on it; otherwise nothing more is begun.</summary>
    public bool KeepGoing { get; init; }

    /// <summary>Runs only this stage and what it needs; null for all.</summary>
    public string? UpTo { get; init; }

    /// <summary>What stages that run at a time may take together, as far as their hardware profiles say; default: no bound.</summary>
    public HostCapacity Host { get; init; } = HostCapacity.Unbounded;

    /// <summary>Where the values of secrets come from; default: nowhere.</summary>
    public SecretSource Secrets { get; init; } = SecretSource.None;

    /// <summary>Values of the secrets of all stages that would run.</summary>
    internal ImmutableDictionary<string, string> SecretValues { get; init; } = ImmutableDictionary<string, string>.Empty;

    /// <summary>What holds stages to their declaration; outputs that were made under a weaker one are not taken from the cache.</summary>
    public Isolation Isolation { get; init; } = Isolation.Sandbox;

    /// <summary>The cache that other machines share, whose owner is the caller; default: none.</summary>
    public SharedCache? Shared { get; init; }

    /// <summary>Bytes of the host: a stage that declares no memory gets most of it.</summary>
    public long HostMemory { get; init; } = ResourceLimits.MemoryOfHost();

    /// <summary>The folder whose files a stage may have meant when it looked for one that it does not declare; null for the project's own.</summary>
    public string? UsersFolder { get; init; }

    /// <summary>Folder of the host's energy counters, for <see cref="EnergyMeter"/>.</summary>
    internal string EnergyCounters { get; init; } = EnergyMeter.Counters;

    public TimeProvider Clock { get; init; } = TimeProvider.System;

    /// <summary>Called after every effect on disk, with its name: where tests look at what a crash would leave.</summary>
    internal Action<string> Effect { get; init; } = _ => { };

    /// <summary>Bytes above which a stage's input is a link rather than a copy.</summary>
    internal long LinkAbove { get; init; } = Stages.StageFolder.DefaultLinkAbove;

    /// <summary>Whether a stage may be executed: a manual one only where a person names it.</summary>
    internal bool MayRun(StageSpec stage) => stage.When != StageWhen.Manual || (UpTo is { } named && stage.IsCalled(named));

    /// <summary>The values that a stage gets as variables, and that its log, its outputs and every message must be free of.</summary>
    /// <exception cref="SlipwayException">One was not found before the run began (exit 3).</exception>
    internal IReadOnlyDictionary<string, string> SecretsOf(StageSpec stage) =>
        (stage.Secrets ?? []).ToDictionary(name => name, name => SecretValues.GetValueOrDefault(name) ?? throw new SlipwayException(ExitCode.NotThere, RunNeeds.NoSecret(stage, name, Secrets)), StringComparer.Ordinal);

    internal void Check()
    {
        if (Jobs is < 1 or > MostJobs)
            throw new SlipwayException(ExitCode.UnusableInput, new Fault("bad-jobs", $"jobs is {Jobs}, allowed 1 to {MostJobs}"));
    }
}

/// <summary>What happens in a run, as it happens; from any thread, one at a time.</summary>
public abstract record RunEvent;

/// <summary>Of one stage.</summary>
public abstract record StageEvent(string Stage) : RunEvent;

/// <summary>Told once, before the first of them begins.</summary>
/// <param name="Stages">Names of all that are to be looked up or executed, in plan order.</param>
public sealed record StagesPlanned(ImmutableArray<string> Stages) : RunEvent;

/// <param name="Reasons">Why it is not taken from the cache: <c>params.rate 0.1 → 0.2</c>, <c>never ran</c>.</param>
public sealed record StageStarted(string Stage, IReadOnlyList<string> Reasons, string Log) : StageEvent(Stage);

/// <summary>An attempt failed, and another one begins.</summary>
/// <param name="Attempt">Which one failed, from 1 on.</param>
/// <param name="Attempts">How many there are at most.</param>
public sealed record StageRetried(string Stage, int Attempt, int Attempts, SlipwayException Failure) : StageEvent(Stage);

/// <param name="Text">What the user should know of how it runs.</param>
public sealed record StageRemark(string Stage, string Text) : StageEvent(Stage);

/// <param name="Progress">What the stage's command says of itself.</param>
public sealed record StageProgressed(string Stage, Progress Progress) : StageEvent(Stage);

/// <param name="Use">Of all the stage's processes at this moment.</param>
public sealed record StageUsed(string Stage, PresentUse Use) : StageEvent(Stage);

/// <summary>The outputs of a stage were put into a cache that other machines share.</summary>
/// <param name="Bytes">Of the outputs; some may have been there.</param>
public sealed record StageSent(string Stage, string Place, long Bytes) : StageEvent(Stage);

public sealed record StageEnded(StageResult Result) : StageEvent(Result.Name);

/// <summary>It failed for good; why is told again when the run ends.</summary>
public sealed record StageFailed(string Stage, SlipwayException Failure) : StageEvent(Stage);

/// <summary>A run whose stages all ended well.</summary>
/// <param name="Stages">In plan order.</param>
/// <param name="Rerun">What each of them would need to run again, in the same order; of cached ones too.</param>
internal sealed record RunOutcome(ImmutableArray<StageResult> Stages, RerunPlan Rerun)
{
    /// <summary>The same, of some of its stages alone.</summary>
    public RunOutcome Of(IReadOnlySet<string> stages) =>
        new([.. Stages.Where(stage => stages.Contains(stage.Name))], new RerunPlan([.. Rerun.Stages.Where(step => stages.Contains(step.Stage))]));

    /// <summary>An output by <c>stage.output</c>; its bytes are in the content store.</summary>
    /// <returns>Null when the run did not include it.</returns>
    public Artifact? Output(string reference)
    {
        var (stage, output) = StageSpec.Split(reference);
        return Stages.FirstOrDefault(result => result.Name == stage)?.Outputs.GetValueOrDefault(output);
    }
}
