using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;
using Slipway.Primitives.Bytes;

namespace Slipway.Trust.Attestations;

/// <summary>An in-toto statement: a predicate about subjects that are named by digest. Source: in-toto attestation spec v1.</summary>
/// <remarks>Says nothing about truth: only a signature over its exact bytes does. Compares collections by identity.</remarks>
/// <param name="Type">Always <see cref="V1"/>.</param>
/// <param name="Subject">At least one.</param>
/// <param name="Predicate">Null where the type alone says it.</param>
public sealed record Statement(
    [property: JsonPropertyName("_type")] string Type,
    ImmutableArray<StatementSubject> Subject,
    string PredicateType,
    JsonElement? Predicate = null)
{
    public const string V1 = "https://in-toto.io/Statement/v1";

    /// <summary>A statement about one bundle.</summary>
    /// <param name="name">For the reader; never matched.</param>
    public static Statement About(Digest bundle, string name, string predicateType, JsonElement predicate) =>
        new(V1, [StatementSubject.Of(bundle, name)], predicateType, predicate);

    /// <summary>Whether it speaks of this digest. Names are never matched.</summary>
    public bool Covers(Digest digest) => Subject.Any(subject => subject.Digest.GetValueOrDefault("sha256") == digest.Hex);

    /// <summary>The canonical bytes that are signed.</summary>
    public byte[] ToBytes() => CanonicalJson.Serialize(this, AttestationJson.Default.Statement);

    /// <exception cref="JsonException">No v1 statement: what is wrong, in one sentence.</exception>
    public static Statement Parse(ReadOnlySpan<byte> json)
    {
        var statement = AttestationJson.Read(json, AttestationJson.Default.Statement);
        if (statement.Type != V1)
            throw new JsonException($"_type is '{statement.Type}', expected {V1}");
        if (statement.Subject.IsDefaultOrEmpty)
            throw new JsonException("subject is empty, expected at least one");
        if (statement.Subject.Any(subject => subject is null || subject.Digest.IsEmpty))
            throw new JsonException("a subject has no digest");
        if (statement.PredicateType.Length == 0)
            throw new JsonException("predicateType is empty");
        return statement;
    }
}

/// <summary>in-toto's resource descriptor, as far as subjects use it.</summary>
/// <param name="Digest">Hex by algorithm name; Slipway writes and matches <c>sha256</c> only.</param>
public sealed record StatementSubject(
    ImmutableSortedDictionary<string, string> Digest,
    string? Name = null,
    string? Uri = null,
    string? MediaType = null,
    string? DownloadLocation = null,
    JsonElement? Annotations = null)
{
    public static StatementSubject Of(Digest digest, string name) =>
        new(ImmutableSortedDictionary<string, string>.Empty.Add("sha256", digest.Hex), name);
}
