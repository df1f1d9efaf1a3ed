using System.Collections.Immutable;
using Slipway.Primitives.Bytes;

namespace Slipway.Documents.Environments;

/// <summary>What a host knows of one package in one version, beside that it is installed.</summary>
/// <param name="Distribution">Whose package it is, as package URLs name it: debian, ubuntu.</param>
/// <param name="Archive">Digest of the <c>.deb</c>, as the distribution's signed lists have it; null where they do not name this version.</param>
/// <param name="Licenses">As its copyright file names them; empty where it is not in a form that can be read.</param>
public sealed record PackageFacts(string Distribution, Digest? Archive, ImmutableArray<string> Licenses);
