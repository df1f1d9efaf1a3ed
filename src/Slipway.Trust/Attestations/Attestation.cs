using System.Collections.Immutable;
using System.Text.Json;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;
using Slipway.Store.Oci;
using Slipway.Trust.Signing;

namespace Slipway.Trust.Attestations;

/// <summary>Signed statements that are attached to a bundle as OCI referrers; the bundle itself stays as it is.</summary>
public static class Attestation
{
    /// <summary>What cosign v3 puts on an attached bundle, so that tools can choose without opening it; not authenticated.</summary>
    public const string ContentAnnotation = "dev.sigstore.bundle.content", PredicateTypeAnnotation = "dev.sigstore.bundle.predicateType";

    /// <summary>Signs a statement and attaches it.</summary>
    /// <remarks>Idempotent by content: where this key has signed the same bytes about the same bundle already, that attestation is returned.</remarks>
    /// <returns>The attached manifest.</returns>
    /// <exception cref="SlipwayException">The layout does not hold the bundle (exit 2); no space, no permission (exit 3).</exception>
    /// <exception cref="ArgumentException">The statement is about another subject.</exception>
    public static OciDescriptor Attach(OciLayout layout, Digest bundle, Statement statement, ISigner key, CancellationToken cancellation = default)
    {
        RequireSubject(bundle, statement);
        return Find(layout, bundle, statement, key.PublicKey) ?? Attach(layout, bundle, SignedStatement.Sign(statement, key), cancellation);
    }

    /// <summary>Attaches a signed statement, whatever is there already.</summary>
    /// <exception cref="SlipwayException">As above.</exception>
    public static OciDescriptor Attach(OciLayout layout, Digest bundle, SignedStatement signed, CancellationToken cancellation = default)
    {
        RequireSubject(bundle, signed.Statement);
        using var writing = layout.BeginWriting(cancellation);
        var subject = RequireBundle(layout, bundle);
        var manifest = new OciManifest(
            2,
            layout.AddBlob("{}"u8).As(OciManifest.EmptyMediaType),
            [layout.AddBlob(signed.ToBytes()).As(SigstoreBundle.V03)],
            OciManifest.ManifestMediaType,
            SigstoreBundle.V03,
            new OciDescriptor(subject.MediaType, subject.Digest, subject.Size),
            ImmutableSortedDictionary.Create<string, string>(StringComparer.Ordinal)
                .Add(ContentAnnotation, "dsse-envelope")
                .Add(PredicateTypeAnnotation, signed.Statement.PredicateType));
        return layout.PutManifest(manifest, tag: null, cancellation);
    }

    private static void RequireSubject(Digest bundle, Statement statement)
    {
        if (!statement.Covers(bundle))
            throw new ArgumentException($"the statement is not about {bundle}", nameof(statement));
    }

    private static OciDescriptor RequireBundle(OciLayout layout, Digest bundle) =>
        layout.Find(bundle) ?? throw new SlipwayException(ExitCode.UnusableInput, new Fault("bundle-not-found", $"{layout.Folder} lists no manifest {bundle}", layout.Folder));

    /// <summary>Where this key has signed exactly this already; null when it has not.</summary>
    public static OciDescriptor? Find(OciLayout layout, Digest bundle, Statement statement, VerificationKey key)
    {
        _ = RequireBundle(layout, bundle);
        var payload = statement.ToBytes();
        foreach (var referrer in layout.Referrers(bundle))
        {
            if (referrer.Manifest is not { ArtifactType: SigstoreBundle.V03, Layers: [var layer] })
                continue;
            var read = layout.ReadBlob(layer.Digest, SigstoreBundle.MaxBytes);
            if (read.State != BlobState.Intact)
                continue;
            try
            {
                var envelope = SigstoreBundle.Parse(read.Bytes).DsseEnvelope!;
                if (envelope.PayloadType == Dsse.InToto && envelope.PayloadBytes().AsSpan().SequenceEqual(payload) && Dsse.Verify(envelope, key))
                    return referrer.Entry;
            }
            catch (JsonException)
            {
                // Somebody else's malformed attachment: verification names it, attaching goes on.
            }
        }

        return null;
    }
}
