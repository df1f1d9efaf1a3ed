using System.Collections.Immutable;
using Slipway.Primitives.Faults;

namespace Slipway.Documents.Registry;

/// <summary>What the API answers instead of a document: the same faults that the command line prints.</summary>
public sealed record ErrorDocument(ImmutableArray<Fault> Faults);
