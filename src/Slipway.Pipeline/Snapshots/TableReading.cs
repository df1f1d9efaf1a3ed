using Slipway.Engines.DuckDb;
using Slipway.Engines.DuckDb.Tables;
using Slipway.Primitives.Units;
using Slipway.Store.Content;

namespace Slipway.Pipeline.Snapshots;

/// <summary>With what the user's tables are read.</summary>
public sealed record TableReading
{
    /// <summary>More threads gain little on one file, and each has buffers of its own.</summary>
    private const int MostThreads = 4;

    /// <summary>Digests of the user's files; the caller saves it.</summary>
    public required DigestIndex Index { get; init; }

    /// <summary>Where schemas and reports are kept by digest; made when missing.</summary>
    public required string CacheFolder { get; init; }

    /// <summary>Where data that does not fit the memory is spilled; made when missing.</summary>
    public required string ScratchFolder { get; init; }

    /// <summary>Memory of the engine; the process uses some 100 MB more. Default: 256 MiB.</summary>
    public ByteSize MemoryLimit { get; init; } = new(256L << 20);

    /// <summary>Results do not depend on it. Default: the processors, at most 4.</summary>
    public int Threads { get; init; } = Math.Min(Environment.ProcessorCount, MostThreads);

    internal DuckDatabase Open(TableSource source) => DuckDatabase.Open(new DuckOptions
    {
        ScratchFolder = ScratchFolder,
        AllowedPaths = source.Paths,
        MemoryLimit = MemoryLimit,
        Threads = Threads,
    });
}
