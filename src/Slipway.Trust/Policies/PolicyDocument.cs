using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Slipway.Primitives.Bytes;

namespace Slipway.Trust.Policies;

/// <summary>A trust policy as JSON: what its digest is of. Keys and certificates stand in it by digest.</summary>
internal sealed record PolicyDocument(
    ImmutableSortedDictionary<string, SignerDocument> Signers,
    ImmutableArray<RequirementDocument> Require,
    ImmutableArray<RevocationDocument> Revoked,
    ImmutableArray<ImmutableArray<Digest>> TimestampAuthorities,
    ImmutableArray<string> Ledgers)
{
    public static PolicyDocument Of(TrustPolicy policy) => new(
        policy.Signers.ToImmutableSortedDictionary(
            signer => signer.Name,
            signer => new SignerDocument(
                [.. signer.Keys.Keys.Select(key => key.KeyId)],
                [.. signer.Identities.Select(identity => new IdentityDocument(identity.Roots.Digests, identity.Subject, identity.Issuer))]),
            StringComparer.Ordinal),
        [.. policy.Required.Select(required => new RequirementDocument(required.PredicateType, required.By))],
        [.. policy.Revoked.Select(revoked => new RevocationDocument(revoked.Subject, revoked.Since.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.FFFFFFF'Z'", CultureInfo.InvariantCulture), revoked.Reason))],
        [.. policy.TimestampAuthorities.Select(authority => authority.Digests)],
        [.. policy.Ledgers.Select(ledger => ledger.ToString())]);

    public byte[] ToBytes() => CanonicalJson.Serialize(this, PolicyDocumentJson.Default.PolicyDocument);
}

internal sealed record SignerDocument(ImmutableArray<string> Keys, ImmutableArray<IdentityDocument> Certificates);

internal sealed record IdentityDocument(ImmutableArray<Digest> Roots, string Identity, string? Issuer);

internal sealed record RequirementDocument(string Predicate, ImmutableArray<string> By);

internal sealed record RevocationDocument(Digest Subject, string Since, string? Reason);

[JsonSourceGenerationOptions(JsonSerializerDefaults.Strict, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(PolicyDocument))]
internal sealed partial class PolicyDocumentJson : JsonSerializerContext;
