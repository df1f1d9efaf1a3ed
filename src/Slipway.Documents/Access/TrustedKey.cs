using System.Collections.Immutable;
using System.Diagnostics;
using System.Text.Json.Serialization;
using Slipway.Documents.Statements;
using Slipway.Trust.Signing;

namespace Slipway.Documents.Access;

/// <summary>A public key whose word the server believes, on some things.</summary>
/// <param name="Id">SHA-256 of the key, 64 hex digits.</param>
/// <param name="Pem">SPKI in PEM.</param>
/// <param name="Roles">What it may say; at least one.</param>
/// <param name="Owner">The principal whose key it is, so that nobody approves what they signed; null for nobody's, such as a build's.</param>
/// <param name="AddedAt">Unix milliseconds.</param>
/// <param name="Revoked">Null for a key in force. A revoked key stays listed, and is never trusted again.</param>
public sealed record TrustedKey(
    string Id, string Name, string Pem, ImmutableArray<KeyRole> Roles, string? Owner, long AddedAt, string AddedBy, KeyRevocation? Revoked)
{
    /// <summary>Whether a statement with this predicate counts when this key signed it.</summary>
    public bool MaySign(string predicateType) => Revoked is null && Roles.Any(role => PredicatesOf(role).Contains(predicateType));

    public VerificationKey ToVerificationKey() => VerificationKey.Parse(Pem, $"trusted key {Id}");

    /// <summary>The one table of which role may say what.</summary>
    public static ImmutableArray<string> PredicatesOf(KeyRole role) => role switch
    {
        KeyRole.Builder => [SlsaProvenance.PredicateType, TestResult.PredicateType],
        KeyRole.Evaluator => [TestResult.PredicateType],
        _ => throw new UnreachableException($"no key role {role}"),
    };
}

/// <param name="At">Unix milliseconds.</param>
/// <param name="By">Principal's id.</param>
public sealed record KeyRevocation(long At, string By, string Reason);

/// <remarks>There is no zero: an unset role is none.</remarks>
[JsonConverter(typeof(NamedEnum<KeyRole>))]
public enum KeyRole
{
    /// <summary>Says how a bundle came to be, and what its gates found.</summary>
    [JsonStringEnumMemberName("builder")] Builder = 1,

    /// <summary>Says what the gates found, and nothing of where a bundle is from.</summary>
    [JsonStringEnumMemberName("evaluator")] Evaluator,
}

/// <param name="Owner">See <see cref="TrustedKey"/>.</param>
/// <param name="AllowUnprotected">Whether a builder's key may be one that was made without a passphrase.</param>
public sealed record NewTrustedKey(string Name, string Pem, ImmutableArray<KeyRole> Roles, string? Owner, string Reason, bool AllowUnprotected = false) : IChangeRequest;
