using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Slipway.Primitives.Bytes;

namespace Slipway.Documents.Ledger;

/// <summary>One leaf of the ledger: who did what to which digests, and when. Stored as canonical JSON, at most 65,535 bytes.</summary>
/// <param name="Time">Unix milliseconds, by the server's clock; never less than the entry's before.</param>
/// <param name="Actor">The principal's id, such as <c>user:3f2a…</c>; names are in the payload, which can be erased.</param>
/// <param name="Action">Dotted, such as <c>version.registered</c>, <c>rollout.promoted</c>.</param>
/// <param name="Phase">An action is two entries: what is about to be done, and what came of it.</param>
/// <param name="Intent">Of an outcome: the index of its intent.</param>
/// <param name="Payload">Salted SHA-256 of the payload, which is kept beside the log.</param>
public sealed record LedgerEntry(
    long Time, string Actor, string Action, LedgerPhase Phase, long? Intent, ImmutableArray<LedgerSubject> Subjects, Digest Payload)
{
    /// <summary>The action of an entry that tells that the payloads of its subjects were erased.</summary>
    public const string Erasure = "ledger.erased";
}

/// <summary>What an entry is about.</summary>
/// <param name="Name">
/// The thing's path in the API, such as <c>models/flight-delay/versions/3</c> or <c>principals/user:3f2a…</c>: who may read a model may
/// read the entries whose subjects are all below it.
/// </param>
/// <param name="Digest">Of a bundle, a plan, a policy, a verdict; null for what has none, such as a token.</param>
public sealed record LedgerSubject(string Name, Digest? Digest)
{
    private const string Models = "models/", Entries = "ledger/entries/";

    /// <summary>The model that it is below; null for what is no model's.</summary>
    [JsonIgnore]
    public string? Model =>
        !Name.StartsWith(Models, StringComparison.Ordinal) ? null : Name.IndexOf('/', Models.Length) is var end and > 0 ? Name[Models.Length..end] : Name[Models.Length..];

    /// <summary>An entry of the ledger itself, which an erasure is about.</summary>
    /// <param name="payload">The entry's commitment to what was erased.</param>
    public static LedgerSubject OfEntry(long index, Digest payload) => new($"{Entries}{index}", payload);

    /// <summary>The entry of the ledger that it names; null for any other subject.</summary>
    [JsonIgnore]
    public long? Entry =>
        Name.StartsWith(Entries, StringComparison.Ordinal) && long.TryParse(Name.AsSpan(Entries.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var index) ? index : null;

    public static LedgerSubject OfModel(string model, Digest? digest = null) => new(Models + model, digest);

    /// <param name="bundle">The bundle's manifest digest.</param>
    public static LedgerSubject OfVersion(string model, long version, Digest bundle) => new($"{Models}{model}/versions/{version}", bundle);

    /// <param name="attestation">Digest of its manifest: the entry then shows since when its signature has existed.</param>
    public static LedgerSubject OfAttestation(string model, long version, Digest attestation) => new($"{Models}{model}/versions/{version}/attestations", attestation);

    public static LedgerSubject OfChannel(string model, string channel, Digest? digest = null) => new($"{Models}{model}/channels/{channel}", digest);
}

/// <summary>What an entry says in words; erasable without breaking a proof.</summary>
/// <param name="Salt">128 bits, 32 hex digits: the commitment is SHA-256 over the canonical bytes of this record.</param>
/// <param name="ActorName">As the principal was called at the time.</param>
/// <param name="Data">The evidence at that moment, such as a judge's report; null for none.</param>
public sealed record LedgerPayload(string Salt, string ActorName, string Reason, JsonElement? Data);

[JsonConverter(typeof(NamedEnum<LedgerPhase>))]
public enum LedgerPhase
{
    [JsonStringEnumMemberName("intent")] Intent,
    [JsonStringEnumMemberName("done")] Done,
    [JsonStringEnumMemberName("failed")] Failed,
}

/// <summary>An entry with its place, and its payload where that was not erased.</summary>
public sealed record LedgerRecord(long Index, LedgerEntry Entry, LedgerPayload? Payload);

/// <summary>Asks that what an action's entries say in words is erased.</summary>
public sealed record LedgerErasureRequest(string Reason) : IChangeRequest;

/// <summary>What was erased, and where the ledger says so.</summary>
/// <param name="Erased">Indices of the entries that have no payload any more: the action's intent and its outcome.</param>
/// <param name="Entry">Index of the entry that tells of the erasure.</param>
public sealed record LedgerErasureAnswer(ImmutableArray<long> Erased, long Entry);

[JsonSourceGenerationOptions(JsonSerializerDefaults.Strict, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(LedgerEntry))]
[JsonSerializable(typeof(string))]
[JsonSerializable(typeof(LedgerPayload))]
[JsonSerializable(typeof(LedgerRecord))]
[JsonSerializable(typeof(ImmutableArray<LedgerRecord>))]
[JsonSerializable(typeof(LedgerErasureRequest))]
[JsonSerializable(typeof(LedgerErasureAnswer))]
public sealed partial class LedgerJson : JsonSerializerContext;
