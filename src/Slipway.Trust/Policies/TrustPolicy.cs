using System.Collections.Immutable;
using Slipway.Primitives.Bytes;
using Slipway.Trust.Certificates;
using Slipway.Trust.Signing;
using Slipway.Trust.TransparencyLog;

namespace Slipway.Trust.Policies;

/// <summary>Whose word is believed, on what, and what must have been said. Immutable and thread-safe; compares collections by identity.</summary>
/// <remarks>docs/format/trust.md says what each part means; <c>Documents/Policies</c> reads one from a file.</remarks>
public sealed record TrustPolicy
{
    /// <summary>SLSA's provenance: what is wanted where nobody says otherwise.</summary>
    public const string Provenance = "https://slsa.dev/provenance/v1";

    /// <summary>Each name once; empty means that nothing can be verified.</summary>
    public required ImmutableArray<TrustedSigner> Signers { get; init; }

    /// <summary>What must be there; empty for any one signed statement. Statements of these types count from the signers named here alone.</summary>
    public ImmutableArray<RequiredStatement> Required { get; init; } = [];

    public ImmutableArray<Revocation> Revoked { get; init; } = [];

    /// <summary>Whose timestamps are a trusted time.</summary>
    public ImmutableArray<CertificateRoots> TimestampAuthorities { get; init; } = [];

    /// <summary>Whose entries are a trusted time.</summary>
    public ImmutableArray<NoteKey> Ledgers { get; init; } = [];

    public bool IsEmpty => Signers.IsEmpty;

    /// <summary>Every key of every signer.</summary>
    public KeyRing Keys => KeyRing.Of(Signers.SelectMany(signer => signer.Keys.Keys));

    /// <summary>Of <see cref="PolicyDocument"/>'s canonical bytes: the same policy has the same digest, wherever its files lie.</summary>
    public Digest Digest => Digest.Of(PolicyDocument.Of(this).ToBytes());

    /// <summary>At least one signature by one of these keys, and provenance.</summary>
    public static TrustPolicy Of(KeyRing keys) => AnySignature(keys) with { Required = [new RequiredStatement(Provenance, [])] };

    /// <summary>At least one signature by one of these keys, whatever it says: for who judges by itself what was said.</summary>
    public static TrustPolicy AnySignature(KeyRing keys) =>
        new() { Signers = [.. keys.Keys.Select(key => new TrustedSigner(key.KeyId[..12], KeyRing.Of(key), []))] };

    public static implicit operator TrustPolicy(KeyRing keys) => Of(keys);

    /// <summary>Whether a signer may say this: one whom the policy names for it, or anybody trusted where it names none.</summary>
    public bool MaySay(string signer, string predicateType) =>
        Required.Where(required => required.PredicateType == predicateType && !required.By.IsEmpty).ToList() is var named && (named.Count == 0 || named.Any(required => required.By.Contains(signer, StringComparer.Ordinal)));
}

/// <param name="Name">How requirements and reports name them.</param>
/// <param name="Keys">Any of them signs for this signer.</param>
/// <param name="Identities">Certificates with any of these sign for this signer.</param>
public sealed record TrustedSigner(string Name, KeyRing Keys, ImmutableArray<CertificateIdentity> Identities);

/// <param name="By">Names of signers, one of whom must have said it; empty for any.</param>
public sealed record RequiredStatement(string PredicateType, ImmutableArray<string> By);

/// <summary>A key or certificate that is believed no longer: signatures count that a trusted time shows to be older.</summary>
/// <param name="Subject">A key's id, or the digest of a certificate's DER; of a certificate above it in the chain as well.</param>
/// <param name="Since">From when on it may have been in other hands.</param>
public sealed record Revocation(Digest Subject, DateTimeOffset Since, string? Reason)
{
    /// <summary>Whether it names a certificate: such a one may well be met nowhere.</summary>
    public bool IsCertificate { get; init; }
}
