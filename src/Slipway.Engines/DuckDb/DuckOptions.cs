using System.Collections.Immutable;
using Slipway.Primitives.Units;

namespace Slipway.Engines.DuckDb;

/// <summary>What a database may use.</summary>
public sealed record DuckOptions
{
    /// <summary>Where a private folder for spilled data is made and removed again; made when missing.</summary>
    public required string ScratchFolder { get; init; }

    /// <summary>Files and folders, absolute, that statements may read and write; nothing else can be reached. Default: none.</summary>
    public ImmutableArray<string> AllowedPaths { get; init; } = [];

    /// <summary>Memory before data is spilled to disk; the process uses some 100 MB more. Default: 256 MiB; at least 16 MiB.</summary>
    public ByteSize MemoryLimit { get; init; } = new(256L << 20);

    /// <summary>Worker threads, the caller's included. Default: 1, which also makes the order of rows depend on the data alone.</summary>
    public int Threads { get; init; } = 1;
}
