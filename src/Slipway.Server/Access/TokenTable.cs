using System.Collections.Immutable;
using Slipway.Documents.Access;
using Slipway.Server.Storage;

namespace Slipway.Server.Access;

/// <summary>The stored tokens: what is known of each, and the hash that it is found by.</summary>
internal static class TokenTable
{
    private const string Columns =
        "id AS Id, principal AS Principal, label AS Label, scope AS Scope, created_at AS CreatedAt, created_by AS CreatedBy, known_to AS KnownTo, made_with AS MadeWith, "
        + "expires_at AS ExpiresAt, last_used_at AS LastUsedAt, revoked_at AS RevokedAt";

    public static async Task<ApiToken?> FindAsync(Session session, TokenSecret secret) =>
        Parse(await session.FindAsync<Row>($"SELECT {Columns} FROM tokens WHERE hash = @Hash", new { secret.Hash }));

    public static async Task<ApiToken?> FindAsync(Session session, string id) =>
        Parse(await session.FindAsync<Row>($"SELECT {Columns} FROM tokens WHERE id = @id", new { id }));

    /// <param name="principal">Null for everybody's.</param>
    /// <returns>Newest first.</returns>
    public static async Task<ImmutableArray<ApiToken>> ListAsync(Session session, string? principal)
    {
        var where = principal is null ? "" : "WHERE principal = @principal";
        return [.. (await session.QueryAsync<Row>($"SELECT {Columns} FROM tokens {where} ORDER BY created_at DESC, id", new { principal })).Select(row => Parse(row)!)];
    }

    public static async Task<bool> IsKnownAsync(Session session, string hash) => await session.FindAsync<string>("SELECT id FROM tokens WHERE hash = @hash", new { hash }) is not null;

    public static Task AddAsync(Session session, ApiToken token, string hash) => session.ExecuteAsync(
        """
        INSERT INTO tokens (id, hash, principal, label, scope, created_at, created_by, known_to, made_with, expires_at)
        VALUES (@Id, @hash, @Principal, @Label, @scope, @CreatedAt, @CreatedBy, @knownTo, @MadeWith, @ExpiresAt)
        """,
        new
        {
            token.Id,
            hash,
            token.Principal,
            token.Label,
            scope = StoredJson.Text(token.Scope, AccessJson.Default.ImmutableArrayRoleGrant),
            token.CreatedAt,
            token.CreatedBy,
            knownTo = StoredJson.Text(token.KnownTo, AccessJson.Default.ImmutableArrayString),
            token.MadeWith,
            token.ExpiresAt,
        });

    /// <summary>Ids of what is in force of a token and of all that were made with it, and with those.</summary>
    public static Task<IReadOnlyList<string>> FamilyAsync(Session session, string id) => session.QueryAsync<string>(
        """
        WITH RECURSIVE family (id) AS (
          SELECT id FROM tokens WHERE id = @id
          UNION SELECT tokens.id FROM tokens JOIN family ON tokens.made_with = family.id)
        SELECT id FROM tokens WHERE id IN (SELECT id FROM family) AND revoked_at IS NULL ORDER BY id
        """,
        new { id });

    public static async Task RevokeAsync(Session session, IEnumerable<string> ids, long now)
    {
        foreach (var id in ids)
            await session.ExecuteAsync("UPDATE tokens SET revoked_at = @now WHERE id = @id", new { id, now });
    }

    public static Task TouchAsync(Session session, string id, long now) =>
        session.ExecuteAsync("UPDATE tokens SET last_used_at = @now WHERE id = @id", new { id, now });

    private static ApiToken? Parse(Row? row) => row is null ? null : new(
        row.Id, row.Principal, row.Label, StoredJson.Read(row.Scope, AccessJson.Default.ImmutableArrayRoleGrant), row.CreatedAt, row.CreatedBy,
        StoredJson.Read(row.KnownTo, AccessJson.Default.ImmutableArrayString), row.MadeWith, row.ExpiresAt, row.LastUsedAt, row.RevokedAt);

    private sealed record Row
    {
        public string Id { get; init; } = "";

        public string Principal { get; init; } = "";

        public string Label { get; init; } = "";

        public string Scope { get; init; } = "";

        public long CreatedAt { get; init; }

        public string CreatedBy { get; init; } = "";

        public string KnownTo { get; init; } = "";

        public string? MadeWith { get; init; }

        public long ExpiresAt { get; init; }

        public long? LastUsedAt { get; init; }

        public long? RevokedAt { get; init; }
    }
}
