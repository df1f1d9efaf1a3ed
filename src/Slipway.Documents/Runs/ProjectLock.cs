using System.Collections.Immutable;
using Slipway.Documents.Environments;
using Slipway.Primitives.Bytes;

namespace Slipway.Documents.Runs;

/// <summary><c>slipway.lock</c>: what the inputs of a spec resolved to. Input pins only.</summary>
/// <param name="Version">Format version: 1.</param>
/// <param name="Baseline">Manifest digest of the baseline bundle; null when the spec names none.</param>
public sealed record ProjectLock(
    int Version,
    ImmutableSortedDictionary<string, DatasetPin> Data,
    ImmutableSortedDictionary<string, HostFingerprint> Environments,
    Digest? Baseline);

/// <param name="Digest">The snapshot's digest.</param>
/// <param name="Size">Bytes of all files, for the reader.</param>
public sealed record DatasetPin(Digest Digest, long Size, long Rows);
