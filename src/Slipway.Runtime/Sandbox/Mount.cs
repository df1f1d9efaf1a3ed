namespace Slipway.Runtime.Sandbox;

public enum MountKind
{
    ReadOnly,
    ReadWrite,

    /// <summary>An empty folder in memory, in place of what the host has there.</summary>
    Empty,

    /// <summary>A symbolic link; its source is what it says.</summary>
    Link,
}

/// <summary>One thing that a sandboxed command sees.</summary>
/// <param name="Source">Absolute path on the host; what a link says.</param>
/// <param name="Target">Absolute path inside.</param>
public readonly record struct Mount(MountKind Kind, string Source, string Target);
