using System.Collections.Immutable;
using System.Globalization;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;
using Slipway.Trust.Attestations;
using Slipway.Trust.Certificates;
using Slipway.Trust.Policies;
using Slipway.Trust.Signing;
using Slipway.Trust.Timestamps;

namespace Slipway.Trust.Verification;

/// <summary>Who signed an envelope, in the words of a trust policy, and since when that is certain.</summary>
/// <remarks>What a statement says of its own time proves nothing: whoever has a stolen key writes what they like.</remarks>
internal sealed class SignatureJudge(TrustPolicy policy, IReadOnlyCollection<LedgerEvidence> evidence)
{
    private readonly KeyRing keys = policy.Keys;

    /// <param name="attachment">Digests that name this very signature: of the attestation's manifest, and of its layer.</param>
    public SignatureVerdict Judge(SigstoreBundle signed, IReadOnlyCollection<Digest> attachment)
    {
        var material = signed.VerificationMaterial;
        if (material.Certificate is { } certificate)
            return ByCertificate(signed, certificate, attachment);
        var hint = material.PublicKey?.Hint;
        var envelope = signed.DsseEnvelope!;

        // A hint is not authenticated: when it names none of ours, any of ours may still have signed.
        var named = keys.Find(hint);
        var key = named is not null
            ? Dsse.Verify(envelope, named) ? named : null
            : keys.Keys.FirstOrDefault(trusted => Dsse.Verify(envelope, trusted));
        if (key is null && named is not null)
            return new SignatureVerdict.Edited($"its signature does not belong to its content, although it names the trusted key {named.KeyId}");
        if (key is null)
            return new SignatureVerdict.Stranger(hint is null ? "a certificate" : VerificationKey.IdOf(hint) ?? hint);

        var (time, flaws) = TimeOf(signed, attachment);
        if (policy.Revoked.FirstOrDefault(revoked => revoked.Subject == Id(key)) is { } revocation && Refuse(revocation, $"the key {key.KeyId[..12]}", time, flaws) is { } refused)
            return refused;
        return new SignatureVerdict.Trusted(key, NameOf(signer => signer.Keys.Find(key.KeyId) is not null), null, time, flaws);
    }

    private SignatureVerdict ByCertificate(SigstoreBundle signed, CertificateBytes bytes, IReadOnlyCollection<Digest> attachment)
    {
        var trusted = policy.Signers.SelectMany(signer => signer.Identities).ToList();
        if (trusted.Count == 0)
            return new SignatureVerdict.Stranger("a certificate");
        SigningCertificate certificate;
        try
        {
            certificate = SigningCertificate.Parse(Dsse.StrictBase64(bytes.RawBytes));
        }
        catch (FormatException e)
        {
            return Refused("certificate-malformed", e.Message);
        }

        if (!Dsse.Verify(signed.DsseEnvelope!, certificate.Key))
            return Refused("attestation-edited", "its signature does not belong to its content and certificate");
        // Whoever attached a log's entry means it to be checked, and here it cannot be: that is no pass.
        if (signed.VerificationMaterial.HasLogEntries)
            return Refused("log-entries-unread", "it rests on entries of a transparency log, which are not judged here; a timestamp is what counts");
        var (time, flaws) = TimeOf(signed, attachment);
        if (time is null)
            return new SignatureVerdict.Refused([new Fault("time-missing", "no trusted time shows when it was signed, and its certificate counts for its own short life alone", Help: "sign with --timestamp-url, and name that authority in the policy"), .. flaws]);

        var faults = ImmutableArray.CreateBuilder<Fault>();
        foreach (var identity in trusted)
        {
            if (certificate.Judge(identity, time.At, out var chain) is { } fault)
            {
                faults.Add(fault);
                continue;
            }

            var revocation = policy.Revoked.FirstOrDefault(revoked => revoked.Subject == Id(certificate.Key) || chain.Contains(revoked.Subject));
            if (revocation is not null && Refuse(revocation, $"the certificate of {identity}", time, flaws) is { } refused)
                return refused;
            return new SignatureVerdict.Trusted(certificate.Key, NameOf(signer => signer.Identities.Contains(identity)), identity, time, flaws);
        }

        return new SignatureVerdict.Refused([.. faults.DistinctBy(fault => fault.Message)]);
    }

    /// <summary>Null where the signature is surely older than the revocation.</summary>
    private static SignatureVerdict.Refused? Refuse(Revocation revocation, string what, TrustedTime? time, ImmutableArray<Fault> flaws)
    {
        if (time is not null && time.At < revocation.Since)
            return null;
        var since = $"{what} is revoked since {Utc(revocation.Since)}{(revocation.Reason is { } reason ? $" ({reason})" : "")}";
        return new SignatureVerdict.Refused(
        [
            time is null
                ? new Fault("signer-revoked", $"{since}, and no trusted time shows that it signed before that", Help: "a timestamp of an authority in the policy, or a ledger's proof (--ledger-proof), would; a time in the statement is only claimed")
                : new Fault("signer-revoked", $"{since}, and {time.By} knows of the signature since {Utc(time.At)} only", Help: "have the bundle signed with a key that is trusted: `slipway sign REF --key NEW`"),
            .. flaws,
        ]);
    }

    /// <summary>The earliest trusted time of a signature, and why others that it carries are none.</summary>
    private (TrustedTime? Time, ImmutableArray<Fault> Flaws) TimeOf(SigstoreBundle signed, IReadOnlyCollection<Digest> attachment)
    {
        var times = evidence.Where(entry => entry.Subjects.Any(attachment.Contains)).Select(entry => new TrustedTime(entry.Time, $"the ledger {entry.Ledger}")).ToList();
        var flaws = ImmutableArray.CreateBuilder<Fault>();
        var signature = Dsse.StrictBase64(signed.DsseEnvelope!.Signatures[0].Sig);
        var carried = signed.VerificationMaterial.TimestampVerificationData?.Rfc3161Timestamps;
        foreach (var timestamp in carried is { IsDefault: false } all ? all : [])
        {
            try
            {
                var token = TimestampToken.Parse(Dsse.StrictBase64(timestamp.Timestamp));
                var verdicts = policy.TimestampAuthorities.Select(authority => (Authority: authority, Verdict: token.Judge(signature, authority))).ToList();
                if (verdicts.FirstOrDefault(judged => judged.Verdict == TimestampToken.Verdict.Trusted) is { Authority: { } trusted })
                    times.Add(new TrustedTime(token.Time, $"the timestamp authority {trusted.Name}"));
                else
                    flaws.Add(Flaw(verdicts.Select(judged => judged.Verdict).FirstOrDefault(verdict => verdict != TimestampToken.Verdict.Untrusted)));
            }
            catch (FormatException e)
            {
                flaws.Add(new Fault("timestamp-malformed", $"its timestamp is not counted: {e.Message}"));
            }
        }

        return (times.MinBy(time => time.At), flaws.ToImmutable());
    }

    private static Fault Flaw(TimestampToken.Verdict verdict) => verdict switch
    {
        TimestampToken.Verdict.OtherBytes => new Fault("timestamp-imprint", "its timestamp is not counted: it is one of other bytes, or not over SHA-256"),
        TimestampToken.Verdict.Expired => new Fault("timestamp-expired", "its timestamp is not counted: the authority's certificate was not valid at the time that it says"),
        TimestampToken.Verdict.WrongUsage => new Fault("timestamp-usage", "its timestamp is not counted: the certificate that signed it is not one for timestamps"),
        TimestampToken.Verdict.WrongSignature => new Fault("timestamp-signature", "its timestamp is not counted: its signature is wrong"),
        _ => new Fault("timestamp-untrusted", "its timestamp is not counted: it is not from an authority that the policy names"),
    };

    private string NameOf(Func<TrustedSigner, bool> isTheirs) => policy.Signers.First(isTheirs).Name;

    private static Digest Id(VerificationKey key) => Digest.Parse("sha256:" + key.KeyId);

    private static SignatureVerdict.Refused Refused(string code, string message) => new([new Fault(code, message)]);

    private static string Utc(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}

/// <summary>What a policy makes of one signature.</summary>
internal abstract record SignatureVerdict
{
    /// <param name="Flaws">Why times that it carries are not counted.</param>
    public sealed record Trusted(VerificationKey Key, string Name, CertificateIdentity? Identity, TrustedTime? Time, ImmutableArray<Fault> Flaws) : SignatureVerdict;

    /// <summary>By somebody whom the policy knows, and yet it does not count; anybody can make such a one, so it takes nothing from the others.</summary>
    public sealed record Refused(ImmutableArray<Fault> Faults) : SignatureVerdict;

    /// <summary>It names a trusted key that did not sign it.</summary>
    public sealed record Edited(string Message) : SignatureVerdict;

    /// <summary>By nobody whom the policy knows.</summary>
    public sealed record Stranger(string Name) : SignatureVerdict;
}
