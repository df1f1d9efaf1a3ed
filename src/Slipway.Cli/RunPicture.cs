using System.Collections.Immutable;
using Slipway.Documents.Runs;
using Slipway.Pipeline;
using Slipway.Pipeline.Execution;
using Slipway.Primitives.Faults;
using Slipway.Runtime.Sandbox;

namespace Slipway.Cli;

/// <summary>What is known of a run at one moment. Pure: no clock; times are since the run began.</summary>
internal sealed record RunPicture
{
    /// <summary>What is done besides stages, and since when; null while stages run.</summary>
    public (string Doing, TimeSpan Since)? Phase { get; init; }

    /// <summary>In the order in which they began.</summary>
    public ImmutableArray<RunningStage> Running { get; init; } = [];

    /// <summary>Stages of the run; 0 until they are known.</summary>
    public int Planned { get; init; }

    public int Executed { get; init; }

    public int Cached { get; init; }

    public int Failed { get; init; }

    /// <summary>Whether it was asked to end.</summary>
    public bool IsStopping { get; init; }

    /// <summary>Stages that have neither ended nor run now.</summary>
    public int Waiting => Math.Max(0, Planned - Executed - Cached - Failed - Running.Length);

    public RunningStage? Stage(string name) => Running.FirstOrDefault(stage => stage.Name == name);

    /// <param name="now">Since the run began.</param>
    public RunPicture After(PipelineEvent what, TimeSpan now) => what switch
    {
        PhaseStarted phase => this with { Phase = (phase.Doing, now), Running = [] },
        StageProgress { What: var stage } => After(stage, now),
        _ => this,
    };

    private RunPicture After(RunEvent what, TimeSpan now) => what switch
    {
        StagesPlanned planned => this with { Phase = null, Planned = planned.Stages.Length },
        StageStarted started => this with { Phase = null, Running = [.. Without(started.Stage), new RunningStage(started.Stage, started.Reasons, started.Log, now)] },
        StageProgressed { Progress: var progress } told => Replaced(told.Stage, stage => stage.At(progress.Share, now)),
        StageUsed used => Replaced(used.Stage, stage => stage with { Use = used.Use }),
        StageRetried retried => this with { Running = Without(retried.Stage) },
        StageFailed failed => this with { Running = Without(failed.Stage), Failed = Failed + 1 },
        StageEnded { Result.Source: not StageSource.Executed } ended => this with { Running = Without(ended.Stage), Cached = Cached + 1 },
        StageEnded ended => this with { Running = Without(ended.Stage), Executed = Executed + 1 },
        _ => this,
    };

    private ImmutableArray<RunningStage> Without(string name) => Running.RemoveAll(stage => stage.Name == name);

    private RunPicture Replaced(string name, Func<RunningStage, RunningStage> change) =>
        Stage(name) is { } stage ? this with { Running = Running.Replace(stage, change(stage)) } : this;
}

/// <param name="Reasons">Why it is executed.</param>
/// <param name="Since">When it began, since the run began.</param>
internal sealed record RunningStage(string Name, IReadOnlyList<string> Reasons, string Log, TimeSpan Since)
{
    /// <summary>Least share, and least time, that a rate is told from.</summary>
    private const double LeastShare = 0.05;

    private static readonly TimeSpan leastTime = TimeSpan.FromSeconds(2);

    private (double Share, TimeSpan At)? First { get; init; }

    private (double Share, TimeSpan At)? Latest { get; init; }

    public PresentUse? Use { get; init; }

    /// <summary>How far it says it is, 0 to 1; null where it says nothing.</summary>
    public double? Share => Latest?.Share;

    /// <summary>Why it runs, as one line that may stand before a person's eyes.</summary>
    public string Why => string.Join(", ", Reasons.Select(reason => ForeignText.Shown(reason.ReplaceLineEndings(" "))));

    public RunningStage At(double share, TimeSpan now) =>
        // One that goes back began something anew, at a rate of its own.
        this with { First = First is null || share < Share ? (share, now) : First, Latest = (share, now) };

    /// <summary>What is left by the rate since it first told how far it is: what came before, such as loading data, has another one.</summary>
    /// <returns>Null where too little was told to say so, and where that time is over already.</returns>
    public TimeSpan? Rest(TimeSpan now)
    {
        if (First is not { } first || Latest is not { } latest || latest.Share - first.Share < LeastShare || latest.At - first.At < leastTime)
            return null;
        var rest = ((latest.At - first.At) * ((1 - latest.Share) / (latest.Share - first.Share))) - (now - latest.At);
        return rest > TimeSpan.Zero ? rest : null;
    }
}
