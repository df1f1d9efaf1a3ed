using System.Collections.Immutable;
using Slipway.Documents.Registry;
using Slipway.Documents.Runs;
using Slipway.Primitives.Bytes;
using Slipway.Server.Api;
using Slipway.Server.Storage;
using Slipway.Trust.Verification;

namespace Slipway.Server.Registry;

/// <summary>The registered versions. A row is written once.</summary>
internal static class VersionTable
{
    /// <summary>Most versions in one answer; older ones are asked for by <c>?before=N</c>.</summary>
    public const int Page = 100;

    /// <summary>Every model that has a version, by name.</summary>
    public static Task<IReadOnlyList<string>> ModelsAsync(Session session) => session.QueryAsync<string>("SELECT DISTINCT model FROM versions ORDER BY model");

    /// <summary>Newest first.</summary>
    /// <param name="before">Only those below this number; null for all.</param>
    public static async Task<ImmutableArray<ModelVersion>> ListAsync(Session session, string model, long? before) =>
    [
        .. (await session.QueryAsync<string>(
                "SELECT document FROM versions WHERE model = @model AND number < @before ORDER BY number DESC LIMIT @limit",
                new { model, before = before ?? long.MaxValue, limit = (long)Page }))
            .Select(Parse),
    ];

    public static async Task<ModelVersion?> FindAsync(Session session, string model, long number) =>
        await session.FindAsync<string>("SELECT document FROM versions WHERE model = @model AND number = @number", new { model, number }) is { } document ? Parse(document) : null;

    public static async Task<ModelVersion?> FindAsync(Session session, Digest bundle) =>
        await session.FindAsync<string>("SELECT document FROM versions WHERE bundle = @bundle", new { bundle = bundle.ToString() }) is { } document ? Parse(document) : null;

    public static async Task<SealedEvidence?> EvidenceAsync(Session session, Digest bundle) =>
        await session.FindAsync<string>("SELECT evidence FROM versions WHERE bundle = @bundle", new { bundle = bundle.ToString() }) is { } evidence
            ? StoredJson.Read(evidence, RegistryJson.Default.SealedEvidence)
            : null;

    /// <returns>0 where there is none.</returns>
    public static async Task<long> LastNumberAsync(Session session, string model) =>
        await session.FindAsync<long?>("SELECT MAX(number) FROM versions WHERE model = @model", new { model }) ?? 0;

    /// <summary>What live traffic is measured by.</summary>
    public static async Task<(Digest Bundle, SealedProfile? Profile)?> ProfileAsync(Session session, string model, long number) =>
        await session.FindAsync<ProfileRow>("SELECT bundle AS Bundle, profile AS Profile FROM versions WHERE model = @model AND number = @number", new { model, number }) is { } row
            ? (Digest.Parse(row.Bundle), row.Profile is null ? null : StoredJson.Read(row.Profile, RegistryJson.Default.SealedProfile))
            : null;

    /// <param name="profile">Null leaves its inputs, outputs and labels unwatched.</param>
    public static Task InsertAsync(Session session, ModelVersion version, SealedEvidence evidence, SealedProfile? profile = null) => session.ExecuteAsync(
        "INSERT INTO versions (model, number, bundle, document, evidence, profile) VALUES (@Model, @number, @bundle, @document, @evidence, @profile)",
        new
        {
            version.Model,
            number = (long)version.Number,
            bundle = version.Bundle.ToString(),
            document = StoredJson.Text(version, RegistryJson.Default.ModelVersion),
            evidence = StoredJson.Text(evidence, RegistryJson.Default.SealedEvidence),
            profile = profile is null ? null : StoredJson.Text(profile, RegistryJson.Default.SealedProfile),
        });

    /// <returns>False where this principal pushed it before.</returns>
    public static async Task<bool> NotePushAsync(Session session, Digest bundle, Caller by, long at) => await session.ExecuteAsync(
        "INSERT INTO version_pushes (bundle, principal, may_be, at) VALUES (@bundle, @by, @mayBe, @at) ON CONFLICT (bundle, principal) DO NOTHING",
        new { bundle = bundle.ToString(), by = by.Id, mayBe = StoredJson.Text(by.MayBe, RegistryJson.Default.ImmutableArrayString), at }) > 0;

    /// <summary>Numbers of the versions that are or were live on a channel. Whoever makes them so writes them down; here they are only asked for.</summary>
    public static async Task<ImmutableArray<int>> EverLiveAsync(Session session, string model, string channel) =>
        [.. (await session.QueryAsync<long>("SELECT number FROM live_before WHERE model = @model AND channel = @channel ORDER BY number", new { model, channel })).Select(number => (int)number)];

    /// <summary>Everyone who pushed it, and those who have held the tokens that they did it with.</summary>
    public static async Task<ImmutableArray<Actor>> PushersAsync(Session session, Digest bundle) =>
        [.. (await session.QueryAsync<ActorRow>("SELECT principal AS Principal, may_be AS MayBe FROM version_pushes WHERE bundle = @bundle", new { bundle = bundle.ToString() })).Select(row => row.Read())];

    /// <returns>How many were not known.</returns>
    public static async Task<int> AddAttestationsAsync(Session session, Digest bundle, ImmutableArray<VerifiedStatement> statements)
    {
        var added = 0;
        foreach (var statement in statements)
        {
            added += await session.ExecuteAsync(
                "INSERT INTO attestations (bundle, manifest, predicate_type, key_id, isolation) VALUES (@bundle, @manifest, @PredicateType, @KeyId, @isolation) ON CONFLICT (bundle, manifest) DO NOTHING",
                new { bundle = bundle.ToString(), manifest = statement.Manifest.ToString(), statement.Statement.PredicateType, statement.Signer.KeyId, isolation = Signatures.IsolationIn(statement)?.Word() });
        }

        return added;
    }

    /// <summary>Who said what of it, by key.</summary>
    public static async Task<ImmutableArray<(string Key, string PredicateType)>> SaidAsync(Session session, Digest bundle) =>
    [
        .. (await session.QueryAsync<Said>("SELECT DISTINCT key_id AS KeyId, predicate_type AS PredicateType FROM attestations WHERE bundle = @bundle ORDER BY 1, 2", new { bundle = bundle.ToString() }))
            .Select(said => (said.KeyId, said.PredicateType)),
    ];

    /// <summary>The isolation that each key's provenance of it tells of.</summary>
    public static async Task<ImmutableArray<(string Key, string Isolation)>> IsolationsAsync(Session session, Digest bundle) =>
    [
        .. (await session.QueryAsync<Told>("SELECT key_id AS KeyId, isolation AS Isolation FROM attestations WHERE bundle = @bundle AND isolation IS NOT NULL ORDER BY 1, 2", new { bundle = bundle.ToString() }))
            .Select(told => (told.KeyId, told.Isolation)),
    ];

    private static ModelVersion Parse(string document) => StoredJson.Read(document, RegistryJson.Default.ModelVersion);

    private sealed record ProfileRow
    {
        public string Bundle { get; init; } = "";

        public string? Profile { get; init; }
    }

    private sealed record Told
    {
        public string KeyId { get; init; } = "";

        public string Isolation { get; init; } = "";
    }

    private sealed record Said
    {
        public string KeyId { get; init; } = "";

        public string PredicateType { get; init; } = "";
    }
}
