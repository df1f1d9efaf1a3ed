using System.Collections.Immutable;
using Slipway.Documents.Runs;

namespace Slipway.Pipeline.Checks;

/// <summary>What a check gets from its surroundings.</summary>
public sealed record CheckOptions
{
    /// <summary>Names the folder of its stages' logs.</summary>
    public required string RunId { get; init; }

    /// <inheritdoc cref="Execution.RunOptions.SqlProgram"/>
    public required ImmutableArray<string> SqlProgram { get; init; }

    /// <inheritdoc cref="Execution.RunOptions.Isolation"/>
    public Isolation Isolation { get; init; } = Isolation.Sandbox;

    public TimeProvider Clock { get; init; } = TimeProvider.System;

    /// <summary>Stages at a time, and threads of the engine and of the bootstrap; at least 1. Default: the processors, at most 4.</summary>
    public int Threads { get; init; } = Math.Min(Environment.ProcessorCount, 4);
}
