using System.Collections.Immutable;
using Slipway.Primitives.Faults;

namespace Slipway.Documents.Bundles;

/// <summary>What reading a bundle's documents gave: the documents, or why they cannot be believed.</summary>
/// <param name="Documents">Null when there is a problem.</param>
/// <param name="Problems">Each kind with a code of its own.</param>
public sealed record BundleReading(BundleDocuments? Documents, ImmutableArray<Fault> Problems)
{
    /// <summary>The documents, for callers that cannot go on without.</summary>
    /// <exception cref="SlipwayException">There are problems (exit 1), all of them.</exception>
    public BundleDocuments Require() => Documents ?? throw new SlipwayException(ExitCode.BadVerdict, Problems);
}
