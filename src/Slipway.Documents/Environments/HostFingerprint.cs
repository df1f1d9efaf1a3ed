using System.Collections.Immutable;
using Slipway.Primitives.Bytes;

namespace Slipway.Documents.Environments;

/// <summary>What a host environment was: the declared Debian packages and all that they depend on, with versions.</summary>
/// <param name="Name">The environment's name in the spec.</param>
/// <param name="Digest">Of the canonical JSON of architecture and packages.</param>
/// <param name="Architecture">Debian's name: amd64.</param>
/// <param name="Packages">Version by package name.</param>
public sealed record HostFingerprint(string Name, Digest Digest, string Architecture, ImmutableSortedDictionary<string, string> Packages);
