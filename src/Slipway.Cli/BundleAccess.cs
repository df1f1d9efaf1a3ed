using System.Collections.Immutable;
using Slipway.Documents.Bundles;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;
using Slipway.Store.Oci;
using Slipway.Trust.Verification;

namespace Slipway.Cli;

/// <summary>From a reference to a bundle that is vouched for and agrees with itself; what every verb that uses a bundle begins with.</summary>
/// <param name="Layout">Where it was verified, and <paramref name="Digest"/> what: a reference that is resolved again may name another bundle meanwhile.</param>
/// <param name="Bundle">Null when there is any problem.</param>
internal sealed record BundleAccess(OciLayout Layout, Digest Digest, VerifiedBundle? Bundle, ImmutableArray<Fault> Problems, ImmutableArray<string> Notes)
{
    /// <exception cref="SlipwayException">No such bundle (exit 2), or no trusted key at all (exit 3).</exception>
    public static BundleAccess Open(Shell shell, string reference, BundleTrust trust, CancellationToken cancellation)
    {
        var (layout, digest) = BundleReference.Parse(reference).Resolve(shell.Project.Bundles);
        var verification = BundleVerifier.Verify(layout, digest, trust.Policy, trust.Evidence, cancellation);
        // What was never here is a wrong reference; what the index lists and is gone is damage.
        if (verification.Problems is [{ Code: "manifest-missing" }] && layout.Find(digest) is null)
            throw new SlipwayException(ExitCode.UnusableInput, verification.Problems);
        if (verification.Bundle is not { } bundle)
            return new BundleAccess(layout, digest, null, verification.Problems, verification.Notes);
        var reading = BundleDocuments.Read(bundle, cancellation);
        return new BundleAccess(layout, digest, reading.Documents is null ? null : bundle, reading.Problems, verification.Notes) { Documents = reading.Documents };
    }

    /// <summary>The bundle, for verbs that show or use nothing of one that is not vouched for. What was noted is told first: who signed is among it.</summary>
    /// <exception cref="SlipwayException">It did not verify, or contradicts itself (exit 1), with every problem.</exception>
    public (VerifiedBundle Bundle, BundleDocuments Documents) Require(Shell shell)
    {
        foreach (var note in Notes)
            shell.Note("note: " + note);
        return this is { Bundle: { } bundle, Documents: { } documents } ? (bundle, documents) : throw new SlipwayException(ExitCode.BadVerdict, Problems);
    }

    /// <summary>The bundle's own; null when there is any problem.</summary>
    private BundleDocuments? Documents { get; init; }
}
