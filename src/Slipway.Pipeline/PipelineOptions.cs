using System.Collections.Immutable;
using Slipway.Pipeline.Execution;
using Slipway.Trust.Policies;

namespace Slipway.Pipeline;

/// <summary>What a run gets from its surroundings.</summary>
public sealed record PipelineOptions
{
    public required RunOptions Stages { get; init; }

    /// <summary>Whose word on the baseline bundle is believed.</summary>
    public required TrustPolicy Trusted { get; init; }

    /// <summary>URI of the builder, as provenance names it.</summary>
    public required string Builder { get; init; }

    /// <summary>Of the program, as provenance names it.</summary>
    public required string ToolVersion { get; init; }

    /// <summary>The caller's variables; git gets PATH and HOME of them, and stages get none.</summary>
    public required ImmutableDictionary<string, string> Environment { get; init; }

    /// <summary>Threads of the engine and of the bootstrap; results do not depend on it. At least 1.</summary>
    public int Threads { get; init; } = System.Environment.ProcessorCount;
}

/// <summary>What happens in a run, as it happens; from any thread, one at a time.</summary>
public abstract record PipelineEvent;

/// <param name="Doing">Short, as in a progress line: <c>validating flights</c>.</param>
public sealed record PhaseStarted(string Doing) : PipelineEvent;

public sealed record StageProgress(RunEvent What) : PipelineEvent;

/// <param name="Text">What the user should know; the run goes on.</param>
public sealed record Remark(string Text) : PipelineEvent
{
    /// <summary>Whether it is of this moment: the same run at another time may not say it.</summary>
    public bool IsPassing { get; init; }
}
