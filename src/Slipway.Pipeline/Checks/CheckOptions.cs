using Slipway.Pipeline.Execution;

namespace Slipway.Pipeline.Checks;

/// <summary>What a check gets from its surroundings.</summary>
public sealed record CheckOptions
{
    /// <summary>How it goes about its stages; its run's id names the folder of their logs.</summary>
    public required RunOptions Stages { get; init; }

    /// <summary>Stages at a time, and threads of the engine and of the bootstrap; at least 1. Default: the processors, at most 4.</summary>
    public int Threads { get; init; } = Math.Min(Environment.ProcessorCount, 4);
}
