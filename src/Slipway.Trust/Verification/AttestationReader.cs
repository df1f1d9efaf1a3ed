using System.Collections.Immutable;
using System.Text.Json;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;
using Slipway.Store.Archives;
using Slipway.Store.Oci;
using Slipway.Trust.Attestations;
using Slipway.Trust.Policies;

namespace Slipway.Trust.Verification;

/// <summary>Judges everything that is attached to one bundle. Parsed once: what was verified is what is handed on.</summary>
internal sealed class AttestationReader(OciLayout layout, Digest bundle, TrustPolicy policy, IReadOnlyCollection<LedgerEvidence> evidence)
{
    private readonly SignatureJudge judge = new(policy, evidence);
    private readonly List<string> strangers = [];
    private readonly List<Fault> refusals = [];

    public List<Fault> Problems { get; } = [];

    /// <summary>What was named and ignored.</summary>
    public List<string> Notes { get; } = [];

    /// <summary>Statements of trusted signers about this bundle. Where the policy wants more than there is, that is a problem, and so is a bundle without any.</summary>
    public ImmutableArray<VerifiedStatement> Read(IEnumerable<Referrer> attached)
    {
        var read = attached.Select(Judge).OfType<VerifiedStatement>().ToList();
        var statements = read.Where(MayCount).ToImmutableArray();
        if (statements.IsEmpty && Problems.Count == 0)
            Problems.AddRange(refusals.Count > 0 ? refusals.DistinctBy(fault => (fault.Code, fault.Message)) : [Unsigned()]);
        else if (Problems.Count == 0)
            Problems.AddRange(Lacking(statements));
        // What is told as a reason is not told as a note as well.
        Notes.AddRange(refusals.Where(refusal => !Problems.Contains(refusal)).Select(refusal => $"{refusal.Message}: ignored").Distinct());
        Notes.AddRange(judge.Unmet().Select(revoked => $"the revoked key {revoked.Subject.Hex} is none of this policy's signers', and signed nothing here: look at its id"));
        return statements;
    }

    /// <summary>A type of statement that the policy gives to some signers counts from nobody else.</summary>
    private bool MayCount(VerifiedStatement statement)
    {
        var type = statement.Statement.PredicateType;
        if (policy.MaySay(statement.Name, type))
            return true;
        refusals.Add(new Fault("signer-not-entitled", $"attestation {statement.Manifest}: the policy believes {statement.Name} nothing of type {ForeignText.Shown(type)}"));
        return false;
    }

    private Fault Unsigned() => strangers.Count > 0
        ? new Fault("signer-untrusted", $"bundle {bundle} is signed only by keys that are not trusted: {string.Join(", ", strangers.Distinct())}", Help: "if you know the signer, pass its public key with `--key FILE.pub`")
        : new Fault("signature-missing", $"bundle {bundle} has no attestation: nothing says who sealed it", Help: "copy the bundle together with its attestations");

    private IEnumerable<Fault> Lacking(ImmutableArray<VerifiedStatement> statements)
    {
        var isLacking = false;
        foreach (var (type, by) in policy.Required)
        {
            if (statements.Any(statement => statement.Statement.PredicateType == type && (by.IsEmpty || by.Contains(statement.Name, StringComparer.Ordinal))))
                continue;
            isLacking = true;
            yield return new Fault("statement-missing", $"the policy wants a statement of type {type} by {(by.IsEmpty ? "a trusted signer" : string.Join(" or ", by))}, and bundle {bundle} has none that counts", Help: LackingHelp());
        }

        foreach (var refusal in isLacking ? refusals.DistinctBy(fault => (fault.Code, fault.Message)) : [])
            yield return refusal;
    }

    /// <summary>By what is there instead: told to copy what lies there already, nobody gets any further.</summary>
    private string LackingHelp() =>
        refusals.Count > 0 ? "what is attached does not count, for the reasons below; have it signed anew by a signer of the policy"
        : strangers.Count > 0 ? $"it is signed by {string.Join(", ", strangers.Distinct())} as well: if you know the signer, pass its public key with `--key FILE.pub`, or name it in the policy"
        : "copy the bundle together with all of its attestations, or have them made";

    private VerifiedStatement? Judge(Referrer referrer)
    {
        var name = $"attestation {referrer.Entry.Digest}";
        if (referrer.Manifest is not { } manifest)
            return Problem("attestation-damaged", $"{name}: its manifest {referrer.Flaw}");
        if (manifest.ArtifactType != SigstoreBundle.V03)
        {
            Notes.Add($"{referrer.Entry.Digest} is attached, and is no attestation ({ForeignText.Shown(manifest.ArtifactType ?? "no artifact type")}): ignored");
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
            return Judge(SigstoreBundle.Parse(read.Bytes), referrer.Entry.Digest, layer.Digest, name);
        }
        catch (JsonException e)
        {
            return Problem("attestation-malformed", $"{name}: {ForeignText.Shown(e.Message)}");
        }
    }

    private VerifiedStatement? Judge(SigstoreBundle signed, Digest manifest, Digest layer, string name)
    {
        switch (judge.Judge(signed, [manifest, layer]))
        {
            case SignatureVerdict.Edited edited:
                return Problem("attestation-edited", $"{name}: {edited.Message}");
            case SignatureVerdict.Stranger stranger:
                strangers.Add(ForeignText.Shown(stranger.Name));
                Notes.Add($"{name} is signed by a key that is not trusted ({ForeignText.Shown(stranger.Name)}): ignored");
                return null;
            case SignatureVerdict.Refused refused:
                refusals.AddRange(refused.Faults.Select(fault => fault with { Message = $"{name}: {fault.Message}" }));
                return null;
            case SignatureVerdict.Trusted trusted:
                Notes.AddRange(trusted.Flaws.Select(flaw => $"{name}: {flaw.Message}"));
                return Judge(signed, manifest, name, trusted);
            default:
                throw new System.Diagnostics.UnreachableException("a signature has an unknown verdict");
        }
    }

    private VerifiedStatement? Judge(SigstoreBundle signed, Digest manifest, string name, SignatureVerdict.Trusted by)
    {
        var envelope = signed.DsseEnvelope!;
        if (envelope.PayloadType != Dsse.InToto)
            return Problem("attestation-malformed", $"{name}: its payload is '{ForeignText.Shown(envelope.PayloadType)}', expected {Dsse.InToto}");
        var statement = Statement.Parse(envelope.PayloadBytes());
        return statement.Covers(bundle)
            ? new VerifiedStatement(statement, by.Key, manifest) { Name = by.Name, Identity = by.Identity, Time = by.Time }
            : Problem("attestation-other-subject", $"{name} is attached to this bundle and signed by {by.Key.KeyId}, but speaks of another subject");
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
