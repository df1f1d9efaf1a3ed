using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;
using Slipway.Documents.Statements;
using Slipway.Primitives.Bytes;
using Slipway.Trust.Verification;

namespace Slipway.Documents.Cards;

/// <summary>That a trusted key said something about a bundle, and when it says that it did.</summary>
/// <param name="Signer">Id of the key; of a certificate, the one in it.</param>
/// <param name="Name">How the policy of trust calls the signer.</param>
/// <param name="Identity">Whom the certificate names; null where a key alone is trusted.</param>
/// <param name="Before">When it existed at the latest, and who vouches for that: a timestamp authority or ledger whom the policy trusts; null where nobody does.</param>
/// <param name="Said">RFC 3339, as the statement itself has it, which nobody else vouches for; null where it has no time.</param>
/// <param name="Manifest">Digest of the attached manifest, by which it is found.</param>
public sealed record CardStatement(string PredicateType, string Signer, string Name, string? Identity, string? Before, string? Said, Digest Manifest)
{
    /// <summary>The signer in words: the name that the policy gives, whom a certificate names, the key.</summary>
    [JsonIgnore]
    public string SignedBy => Identity is not null ? $"{Name}, {Identity}" : Signer.StartsWith(Name, StringComparison.Ordinal) ? $"key {Signer}" : $"{Name}, key {Signer}";

    /// <summary>Of a verified bundle, by predicate type, time and digest.</summary>
    public static ImmutableArray<CardStatement> All(VerifiedBundle bundle) =>
    [
        .. bundle.Statements
            .Select(signed => new CardStatement(
                signed.Statement.PredicateType,
                signed.Signer.KeyId,
                signed.Name,
                signed.Identity?.ToString(),
                signed.Time is { } time ? $"{StatementJson.Time(time.At)}, says {time.By}" : null,
                TimeOf(signed.Statement.Predicate),
                signed.Manifest))
            .OrderBy(statement => statement.PredicateType, StringComparer.Ordinal).ThenBy(statement => statement.Said, StringComparer.Ordinal).ThenBy(statement => statement.Manifest.Hex, StringComparer.Ordinal),
    ];

    /// <summary>Where provenance, test results and verification summaries have their times.</summary>
    private static string? TimeOf(JsonElement? predicate) =>
        Text(predicate, "runDetails", "metadata", "finishedOn") ?? Text(predicate, "slipway_judgedOn") ?? Text(predicate, "timeVerified");

    private static string? Text(JsonElement? element, params string[] path)
    {
        foreach (var name in path)
        {
            if (element is not { ValueKind: JsonValueKind.Object } parent || !parent.TryGetProperty(name, out var child))
                return null;
            element = child;
        }

        return element is { ValueKind: JsonValueKind.String } found && found.GetString() is { } text && StatementJson.Time(text) is not null ? text : null;
    }
}
