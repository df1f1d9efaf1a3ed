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
    private readonly HashSet<Digest> met = [];

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
        if (hint is not null && Digest.TryParse("sha256:" + (VerificationKey.IdOf(hint) ?? hint), out var claimed))
            met.Add(claimed);
        if (key is null && named is not null)
            return new SignatureVerdict.Edited($"its signature does not belong to its content, although it names the trusted key {named.KeyId}");
        if (key is null)
            return new SignatureVerdict.Stranger(hint is null ? "a certificate" : VerificationKey.IdOf(hint) ?? hint);

        var (time, flaws) = TimeOf(signed, attachment);
        if (RevocationOf([Id(key)]) is { } revocation && Refuse(revocation, $"the key {key.KeyId[..12]}", time, flaws) is { } refused)
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

            if (RevocationOf([Id(certificate.Key), .. chain]) is { } revocation && Refuse(revocation, $"the certificate of {identity}", time, flaws) is { } refused)
                return refused;
            return new SignatureVerdict.Trusted(certificate.Key, NameOf(signer => signer.Identities.Contains(identity)), identity, time, flaws);
        }

        return new SignatureVerdict.Refused([.. faults.DistinctBy(fault => fault.Message)]);
    }

    /// <summary>Keys that the policy revokes, and that neither belong to a signer of it nor signed anything judged so far: the id may be misspelt.</summary>
    public IEnumerable<Revocation> Unmet() =>
        policy.Revoked.Where(revoked => !revoked.IsCertificate && keys.Find(revoked.Subject.Hex) is null && !met.Contains(revoked.Subject));

    /// <summary>The earliest of all that name one of these: each of them counts.</summary>
    private Revocation? RevocationOf(IReadOnlyCollection<Digest> subjects)
    {
        met.UnionWith(subjects);
        return policy.Revoked.Where(revoked => subjects.Contains(revoked.Subject)).MinBy(revoked => revoked.Since);
    }

    /// <summary>Null where the signature is surely older than the revocation.</summary>
    private static SignatureVerdict.Refused? Refuse(Revocation revocation, string what, TrustedTime? time, ImmutableArray<Fault> flaws)
    {
        if (time is not null && time.At < revocation.Since)
            return null;
        var since = $"{what} is revoked since {Utc(revocation.Since)}{Because(revocation)}";
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
                if (Judge(token, signature, out var flaw) is { } time)
                    times.Add(time);
                else
                    flaws.Add(flaw!);
            }
            catch (FormatException e)
            {
                flaws.Add(new Fault("timestamp-malformed", $"its timestamp is not counted: {e.Message}"));
            }
        }

        return (times.MinBy(time => time.At), flaws.ToImmutable());
    }

    /// <summary>The time of a timestamp; null, with the reason, where it does not count. One of a revoked authority never counts: whoever has its key stamps any time with it.</summary>
    private TrustedTime? Judge(TimestampToken token, ReadOnlySpan<byte> signature, out Fault? flaw)
    {
        (Revocation Revocation, string Name)? revoked = null;
        var verdict = TimestampToken.Verdict.Untrusted;
        flaw = null;
        foreach (var authority in policy.TimestampAuthorities)
        {
            var judged = token.Judge(signature, authority, out var chain);
            if (judged != TimestampToken.Verdict.Trusted)
                verdict = verdict == TimestampToken.Verdict.Untrusted ? judged : verdict;
            else if (RevocationOf(chain) is { } revocation)
                revoked = (revocation, authority.Name);
            else
                return new TrustedTime(token.Time, $"the timestamp authority {authority.Name}");
        }

        flaw = revoked is { } by
            ? new Fault("timestamp-revoked", $"its timestamp is not counted: a key or certificate of the authority {by.Name} is revoked{Because(by.Revocation)}, and whoever has it stamps any time", Help: "have it stamped by another authority, or give a ledger's proof (--ledger-proof)")
            : Flaw(verdict);
        return null;
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

    private static string Because(Revocation revocation) => revocation.Reason is { } reason ? $" ({reason})" : "";

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
