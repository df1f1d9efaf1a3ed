namespace Slipway.Store.Registries;

/// <summary>How a registry is spoken to.</summary>
public sealed record RegistryOptions
{
    /// <summary>Whether a host that is not this machine may be spoken to without TLS. Default: no; this machine's own addresses always may.</summary>
    public bool PlainHttp { get; init; }

    /// <summary>Content of more bytes than this is sent in pieces of this size, so that not all need be sent again. Default 512 MiB, at least 1.</summary>
    public long ChunkBytes { get; init; } = 512L << 20;

    /// <summary>How long nothing may come, or nothing may be taken, before a connection counts as dead. Default 60 s.</summary>
    public TimeSpan Silence { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>How often a request that failed for a reason that passes is sent in all. Default 5, at least 1.</summary>
    public int Attempts { get; init; } = 5;

    /// <summary>The wait before the second attempt; each later one is twice as long. Default 0.5 s.</summary>
    public TimeSpan FirstWait { get; init; } = TimeSpan.FromSeconds(0.5);

    /// <summary>The longest wait that a registry may ask for; one that wants more is a fault that says when to come back. Default 2 min.</summary>
    public TimeSpan LongestWait { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>How long after a change of a shared list it is read again: longer than another writer takes between its own reading and writing. Default 0.5 s.</summary>
    public TimeSpan Settling { get; init; } = TimeSpan.FromSeconds(0.5);
}
