using System.Collections.Immutable;
using System.Text.Json;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;
using Slipway.Store.Archives;
using Slipway.Store.Oci;
using Slipway.Trust.Attestations;
using Slipway.Trust.Signing;

namespace Slipway.Trust.Verification;

/// <summary>A statement about the bundle, and the trusted key that signed its exact bytes.</summary>
/// <param name="Manifest">Of the attestation.</param>
public sealed record VerifiedStatement(Statement Statement, VerificationKey Signer, Digest Manifest);

/// <summary>Judges everything that is attached to one bundle. Parsed once: what was verified is what is handed on.</summary>
internal sealed class AttestationReader(OciLayout layout, Digest bundle, KeyRing trusted)
{
    private readonly List<string> strangers = [];

    public List<Fault> Problems { get; } = [];

    /// <summary>What was named and ignored.</summary>
    public List<string> Notes { get; } = [];

    /// <summary>Statements of trusted keys about this bundle; a bundle without any is a problem.</summary>
    public ImmutableArray<VerifiedStatement> Read(IEnumerable<Referrer> attached)
    {
        var statements = ImmutableArray.CreateBuilder<VerifiedStatement>();
        foreach (var referrer in attached)
        {
            if (Judge(referrer) is { } statement)
                statements.Add(statement);
        }

        if (statements.Count == 0 && Problems.Count == 0)
        {
            Problems.Add(strangers.Count > 0
                ? new Fault("signer-untrusted", $"bundle {bundle} is signed only by keys that are not trusted: {string.Join(", ", strangers.Distinct())}", Help: "if you know the signer, pass its public key with `--key FILE.pub`")
                : new Fault("signature-missing", $"bundle {bundle} has no attestation: nothing says who sealed it", Help: "copy the bundle together with its attestations"));
        }

        return statements.ToImmutable();
    }

    private VerifiedStatement? Judge(Referrer referrer)
    {
        var name = $"attestation {referrer.Entry.Digest}";
        if (referrer.Manifest is not { } manifest)
            return Problem("attestation-damaged", $"{name}: its manifest {referrer.Flaw}");
        if (manifest.ArtifactType != SigstoreBundle.V03)
        {
            Notes.Add($"{referrer.Entry.Digest} is attached, and is no attestation ({DeterministicTar.Printable(manifest.ArtifactType ?? "no artifact type")}): ignored");
            return null;
        }

        if (manifest.Layers is not [{ MediaType: SigstoreBundle.V03 } layer])
            return Problem("attestation-malformed", $"{name}: expected one layer of type {SigstoreBundle.V03}");
        var config = layout.ReadBlob(manifest.Config.Digest, SigstoreBundle.MaxBytes);
        if (config.State != BlobState.Intact)
            return Damaged(name, manifest.Config.Digest, config.State);
        var read = layout.ReadBlob(layer.Digest, SigstoreBundle.MaxBytes);
        if (read.State != BlobState.Intact)
            return Damaged(name, layer.Digest, read.State);

        try
        {
            return Judge(SigstoreBundle.Parse(read.Bytes), referrer.Entry.Digest, name);
        }
        catch (JsonException e)
        {
            return Problem("attestation-malformed", $"{name}: {DeterministicTar.Printable(e.Message)}");
        }
    }

    private VerifiedStatement? Judge(SigstoreBundle signed, Digest manifest, string name)
    {
        var envelope = signed.DsseEnvelope!;
        var hint = signed.VerificationMaterial.PublicKey?.Hint;
        var named = trusted.Find(hint);

        // A hint is not authenticated: when it names none of ours, any of ours may still have signed.
        var signer = named is not null
            ? Dsse.Verify(envelope, named) ? named : null
            : trusted.Keys.FirstOrDefault(key => Dsse.Verify(envelope, key));
        if (signer is null && named is not null)
            return Problem("attestation-edited", $"{name}: its signature does not belong to its content, although it names the trusted key {named.KeyId}");
        if (signer is null)
        {
            var stranger = hint is null ? "a certificate" : DeterministicTar.Printable(VerificationKey.IdOf(hint) ?? hint);
            strangers.Add(stranger);
            Notes.Add($"{name} is signed by a key that is not trusted ({stranger}): ignored");
            return null;
        }

        if (envelope.PayloadType != Dsse.InToto)
            return Problem("attestation-malformed", $"{name}: its payload is '{DeterministicTar.Printable(envelope.PayloadType)}', expected {Dsse.InToto}");
        var statement = Statement.Parse(envelope.PayloadBytes());
        return statement.Covers(bundle)
            ? new VerifiedStatement(statement, signer, manifest)
            : Problem("attestation-other-subject", $"{name} is attached to this bundle and signed by {signer.KeyId}, but speaks of another subject");
    }

    private VerifiedStatement? Damaged(string name, Digest blob, BlobState state) =>
        Problem("attestation-damaged", $"{name}: its blob {blob} " + state switch
        {
            BlobState.Missing => "is missing",
            BlobState.TooLarge => $"has more than {SigstoreBundle.MaxBytes} bytes",
            _ => "differs from its digest",
        });

    private VerifiedStatement? Problem(string code, string message)
    {
        Problems.Add(new Fault(code, message));
        return null;
    }
}
