using System.Collections.Immutable;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;
using Slipway.Store.Archives;
using Slipway.Store.Oci;
using Slipway.Trust.Policies;

namespace Slipway.Trust.Verification;

/// <summary>Decides whether a bundle is what a trust policy wants: signed, by whom, and said to be what. The only way to a <see cref="VerifiedBundle"/>.</summary>
/// <remarks>
/// In this order, each step on the bytes that the step before vouches for: manifest digest; signature and subject; strict manifest;
/// each blob's size and digest; only then documents and layers. A failed step ends it with every problem of that step.
/// </remarks>
public static class BundleVerifier
{
    /// <param name="evidence">What ledgers know of its attestations; where a signature must be shown to be old enough.</param>
    /// <exception cref="SlipwayException">No trusted signer (exit 3); a layout whose index is unreadable (exit 2).</exception>
    public static VerificationResult Verify(OciLayout layout, Digest manifest, TrustPolicy trusted, IReadOnlyCollection<LedgerEvidence> evidence, CancellationToken cancellation = default)
    {
        var result = Verify(layout, manifest, layout.Referrers, trusted, evidence, cancellation);
        return result.Succeeded ? result with { Notes = [.. result.Notes, .. layout.UnreferencedBlobs().Select(blob => $"blob {blob} is referenced by nothing: ignored")] } : result;
    }

    /// <exception cref="SlipwayException">As above.</exception>
    public static VerificationResult Verify(OciLayout layout, Digest manifest, TrustPolicy trusted, CancellationToken cancellation = default) =>
        Verify(layout, manifest, trusted, [], cancellation);

    /// <summary>The same in a store of many bundles that keeps its own list of what is attached to each: the layout's index is not looked at.</summary>
    /// <param name="attestations">Manifests of the attestations; what else lies in the layout is ignored.</param>
    public static VerificationResult Verify(OciLayout layout, Digest manifest, IReadOnlyCollection<Digest> attestations, TrustPolicy trusted, CancellationToken cancellation = default) =>
        Verify(layout, manifest, attestations, trusted, [], cancellation);

    /// <inheritdoc cref="Verify(OciLayout, Digest, IReadOnlyCollection{Digest}, TrustPolicy, CancellationToken)"/>
    public static VerificationResult Verify(
        OciLayout layout, Digest manifest, IReadOnlyCollection<Digest> attestations, TrustPolicy trusted, IReadOnlyCollection<LedgerEvidence> evidence, CancellationToken cancellation = default) =>
        Verify(layout, manifest, bundle => layout.Referrers(bundle, attestations), trusted, evidence, cancellation);

    /// <summary>What trusted signers have said of a bundle so far. Vouches for nothing but that: neither manifest nor layers are looked at.</summary>
    /// <returns>Statements whose signatures verify, in the index's order; what is damaged, or another's, is left out.</returns>
    /// <exception cref="SlipwayException">A layout whose index is unreadable (exit 2).</exception>
    public static ImmutableArray<VerifiedStatement> ReadStatements(OciLayout layout, Digest bundle, TrustPolicy trusted, CancellationToken cancellation = default)
    {
        cancellation.ThrowIfCancellationRequested();
        return new AttestationReader(layout, bundle, trusted, []).Read(layout.Referrers(bundle));
    }

    private static VerificationResult Verify(OciLayout layout, Digest manifest, Func<Digest, ImmutableArray<Referrer>> attached, TrustPolicy trusted, IReadOnlyCollection<LedgerEvidence> evidence, CancellationToken cancellation)
    {
        if (trusted.IsEmpty)
            throw new SlipwayException(ExitCode.NotThere, new Fault("no-trusted-key", "there is no trusted key: nothing can be verified", Help: "name the signer's with `--key FILE.pub`"));

        var problems = new List<Fault>();
        if (ReadManifest(layout, manifest, problems) is not { } bytes)
            return Failed([]);

        var attestations = new AttestationReader(layout, manifest, trusted, evidence);
        var statements = attestations.Read(attached(manifest));
        problems.AddRange(attestations.Problems);
        if (problems.Count > 0)
            return Failed(attestations.Notes);

        if (StrictManifest.Read(bytes, manifest, problems) is not { } shape)
            return Failed(attestations.Notes);

        CheckBlobs(layout, shape, problems, cancellation);
        if (problems.Count > 0)
            return Failed(attestations.Notes);

        var contents = Contents.Read(layout, shape, problems);
        if (contents is null)
            return Failed(attestations.Notes);

        return new VerificationResult(manifest, new VerifiedBundle(layout, manifest, shape, contents, statements), [], [.. attestations.Notes]);

        VerificationResult Failed(IEnumerable<string> notes) => new(manifest, null, [.. problems], [.. notes]);
    }

    private static byte[]? ReadManifest(OciLayout layout, Digest manifest, List<Fault> problems)
    {
        var read = layout.ReadBlob(manifest, OciManifest.MaxBytes);
        if (read.State == BlobState.Intact)
            return read.Bytes;
        problems.Add(read.State switch
        {
            BlobState.Missing => new Fault("manifest-missing", $"manifest {manifest} is not in {layout.Folder}", layout.Folder, Help: "`slipway run` prints the digest of what it sealed; index.json names what is there"),
            BlobState.TooLarge => new Fault("manifest-shape", $"manifest {manifest} has more than {OciManifest.MaxBytes} bytes", layout.Folder),
            _ => new Fault("manifest-edited", $"manifest {manifest} was changed: its bytes have another digest", layout.Folder, Help: "fetch the bundle again from where it was sealed"),
        });
        return null;
    }

    private static void CheckBlobs(OciLayout layout, StrictManifest shape, List<Fault> problems, CancellationToken cancellation)
    {
        foreach (var blob in shape.Manifest.Blobs.DistinctBy(blob => (blob.Digest, blob.Size)))
        {
            var state = layout.CheckBlob(blob, cancellation);
            if (state != BlobState.Intact)
                problems.Add(BlobProblem(blob, shape, state));
        }
    }

    internal static Fault BlobProblem(OciDescriptor blob, StrictManifest shape, BlobState state)
    {
        var role = shape.Layers.FirstOrDefault(layer => layer.Blob.Digest == blob.Digest) is { } layer
            ? $"the {layer.Kind.ToString().ToLowerInvariant()} layer '{layer.Path}'"
            : "the config";
        var name = $"blob {blob.Digest} ({role})";
        const string help = "fetch the bundle again from where it was sealed";
        return state switch
        {
            BlobState.Missing => new Fault("blob-missing", $"{name} is missing", Help: help),
            BlobState.WrongSize => new Fault("blob-size", $"{name} was changed: its size is not the {blob.Size} bytes that the manifest says", Help: help),
            _ => new Fault("blob-edited", $"{name} was changed: its bytes have another digest", Help: help),
        };
    }
}

/// <summary>What became of a verification.</summary>
/// <param name="Bundle">Null when there is a problem.</param>
/// <param name="Problems">Each with its own code, naming the blob.</param>
/// <param name="Notes">What was named and ignored: attestations by unknown keys, blobs that nothing references.</param>
public sealed record VerificationResult(Digest Manifest, VerifiedBundle? Bundle, ImmutableArray<Fault> Problems, ImmutableArray<string> Notes)
{
    public bool Succeeded => Bundle is not null;

    /// <summary>The bundle, for callers that cannot go on without.</summary>
    /// <exception cref="SlipwayException">It did not verify (exit 1), with every problem.</exception>
    public VerifiedBundle Require() => Bundle ?? throw new SlipwayException(ExitCode.BadVerdict, Problems);
}
