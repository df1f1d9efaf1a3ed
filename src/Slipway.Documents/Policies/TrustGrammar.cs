using System.Collections.Immutable;
using System.Globalization;
using Slipway.Documents.Reading;
using Slipway.Primitives.Bytes;
using Slipway.Trust.TransparencyLog;

namespace Slipway.Documents.Policies;

/// <summary>The keys of a trust policy file.</summary>
internal static class TrustGrammar
{
    private const int MostSigners = 100, MostKeys = 100, MostRequired = 100, MostRevoked = 1000, MostAuthorities = 16;

    private const string TimeFormat = "yyyy-MM-dd'T'HH:mm:ss'Z'";

    /// <summary>A file beside the policy, or the text itself: which of the two, the text shows.</summary>
    private static readonly Shape<Placed<string>> Pem = new MadeShape<string, Placed<string>>(new TextShape("text: a file in PEM, or the PEM itself"), (text, node) => new(text, node.At));

    private static readonly Shape<Placed<string>> SignerName = new MadeShape<string, Placed<string>>(new TextShape(longest: NameRule.Longest), (text, node) => new(text, node.At));

    private static readonly Shape<string> Uri = new TextShape("an absolute URI", text => System.Uri.TryCreate(text, UriKind.Absolute, out _), longest: 2000);

    private static readonly Shape<Digest> KeyId = new ParsedShape<Digest>(
        (string text, out Digest id) => Digest.TryParse("sha256:" + text, out id), "a key's id, 64 lower-case hex digits, as `slipway keys show` prints it", "^[0-9a-f]{64}$", "bad-value")
    { TakesUnclear = true };

    private static readonly Shape<Digest> CertificateDigest = new ParsedShape<Digest>(
        Digest.TryParse, "the digest of a certificate's DER, sha256: and 64 lower-case hex digits", "^sha256:[0-9a-f]{64}$", "bad-value");

    private static readonly Shape<DateTimeOffset> Moment = new ParsedShape<DateTimeOffset>(
        (string text, out DateTimeOffset time) => DateTimeOffset.TryParseExact(text, TimeFormat, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out time),
        "a time in UTC, such as 2026-11-01T00:00:00Z", "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$", "bad-value");

    private static readonly Shape<NoteKey> Ledger = new ParsedShape<NoteKey>(TryParseLedger, "a ledger's verifier key, NAME+ID+KEY, as `slipway audit verify` prints it", @"^[^+\s]+\+[0-9a-f]{8}\+[A-Za-z0-9+/=]+$", "bad-value");

    private static readonly Key<Placed<string>> Roots = new("roots", Pem, "The authority's root certificates, and its intermediates after them.", required: true);
    private static readonly Key<string> Identity = new("identity", new TextShape(longest: 2000), "The e-mail address or URI that the certificate must name, character by character.", required: true);
    private static readonly Key<string> Issuer = new("issuer", new TextShape(longest: 2000), "Who must have made sure of the identity, as the certificate says (1.3.6.1.4.1.57264.1.8); anyone when left out.");

    private static readonly Shape<IdentityDraft> Certificate = new RecordShape<IdentityDraft>(
        [Roots, Identity, Issuer], fields => new(fields.Value(Roots) ?? default, fields.Of(Identity)!, fields.Of(Issuer)));

    private static readonly Key<ImmutableArray<Placed<string>>> Keys = new("keys", new ListShape<Placed<string>>(Pem, atMost: MostKeys), "Public keys, files or PEM; any of them signs for this signer.");
    private static readonly Key<ImmutableArray<IdentityDraft>> Certificates = new("certificates", new ListShape<IdentityDraft>(Certificate, atMost: MostKeys), "Identities; a certificate with any of them signs for this signer, with a trusted time.");

    private static readonly Shape<SignerDraft> Signer = new RecordShape<SignerDraft>([Keys, Certificates], fields => new(fields.Items(Keys), fields.Items(Certificates)));

    private static readonly Key<string> Predicate = new("predicate", Uri, "The type of statement, such as https://slsa.dev/provenance/v1.", required: true);
    private static readonly Key<ImmutableArray<Placed<string>>> By = new("by", new ListShape<Placed<string>>(SignerName, atLeast: 1, atMost: MostSigners, distinct: true), "Signers; one of them must have said it, and from nobody else does it count. All signers when left out.");

    private static readonly Shape<RequiredDraft> RequiredStatement = new RecordShape<RequiredDraft>([Predicate, By], fields => new(fields.Of(Predicate)!, fields.Items(By)));

    private static readonly Key<Digest> RevokedKey = new("key", KeyId, "The key's id.");
    private static readonly Key<Digest> RevokedCertificate = new("certificate", CertificateDigest, "The certificate's digest; one of an authority takes all below it.");
    private static readonly Key<DateTimeOffset> Since = new("since", Moment, "From when on it may have been in other hands; signatures count that a trusted time shows to be older.", required: true);
    private static readonly Key<string> Reason = new("reason", new TextShape(longest: 500), "Why, for whoever meets it.");

    private static readonly Shape<RevokedDraft> RevokedSubject = new RecordShape<RevokedDraft>(
        [RevokedKey, RevokedCertificate, Since, Reason], fields => new(fields.Value(RevokedKey), fields.Value(RevokedCertificate), fields.Value(Since) ?? default, fields.Of(Reason), fields.At));

    private static readonly Key<long> Version = new("slipway-trust", new WholeShape(1, 1), "Format version: 1.", required: true);
    private static readonly Key<ImmutableArray<Named<SignerDraft>>> Signers = new("signers", new NamedShape<SignerDraft>(Signer, NameRule.Identifier, isNeeded: true, atMost: MostSigners), "Whose word is believed, by a name of your own.", required: true);
    private static readonly Key<ImmutableArray<RequiredDraft>> Require = new("require", new ListShape<RequiredDraft>(RequiredStatement, atMost: MostRequired), "What must have been said. Provenance by any signer when left out; [] is any one signed statement.");
    private static readonly Key<ImmutableArray<RevokedDraft>> Revoked = new("revoked", new ListShape<RevokedDraft>(RevokedSubject, atMost: MostRevoked), "Keys and certificates that are believed no longer.");
    private static readonly Key<ImmutableArray<Placed<string>>> Authorities = new("timestamp-authorities", new ListShape<Placed<string>>(Pem, atMost: MostAuthorities), "Root certificates of timestamp authorities (RFC 3161), files or PEM: a trusted time.");
    private static readonly Key<ImmutableArray<NoteKey>> Ledgers = new("ledgers", new ListShape<NoteKey>(Ledger, atMost: MostAuthorities), "Verifier keys of ledgers whose proofs are a trusted time.");

    public static Shape<TrustDraft> File { get; } = new RecordShape<TrustDraft>(
        [Version, Signers, Require, Revoked, Authorities, Ledgers],
        fields => new(fields.Items(Signers), fields.Has(Require) ? fields.Items(Require) : null, fields.Items(Revoked), fields.Items(Authorities), fields.Items(Ledgers)));

    private static bool TryParseLedger(string text, out NoteKey key)
    {
        try
        {
            key = NoteKey.Parse(text);
            return true;
        }
        catch (FormatException)
        {
            key = null!;
            return false;
        }
    }
}

/// <param name="Require">Null when left out.</param>
internal sealed record TrustDraft(
    ImmutableArray<Named<SignerDraft>> Signers, ImmutableArray<RequiredDraft>? Require, ImmutableArray<RevokedDraft> Revoked, ImmutableArray<Placed<string>> Authorities, ImmutableArray<NoteKey> Ledgers);

internal sealed record SignerDraft(ImmutableArray<Placed<string>> Keys, ImmutableArray<IdentityDraft> Certificates);

internal sealed record IdentityDraft(Placed<string> Roots, string Identity, string? Issuer);

internal sealed record RequiredDraft(string Predicate, ImmutableArray<Placed<string>> By);

internal sealed record RevokedDraft(Digest? Key, Digest? Certificate, DateTimeOffset Since, string? Reason, Place At);
