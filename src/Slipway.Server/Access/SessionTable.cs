using Slipway.Server.Api;
using Slipway.Server.Storage;

namespace Slipway.Server.Access;

/// <summary>A browser's session as it is stored.</summary>
/// <param name="Token">Id of the token that it was made with; null for an identity provider's.</param>
/// <param name="Provided">What the provider said then; null for a token of the server's own.</param>
/// <param name="SeenAt">Of the last use, to <see cref="Sessions.SeenStep"/>; Unix milliseconds.</param>
internal sealed record StoredSession(string Hash, string Principal, string? Token, ProvidedRights? Provided, long CreatedAt, long SeenAt, long ExpiresAt);

internal static class SessionTable
{
    public static async Task<StoredSession?> FindAsync(Session session, string hash) =>
        await session.FindAsync<Row>(
            "SELECT hash AS Hash, principal AS Principal, token AS Token, provided AS Provided, created_at AS CreatedAt, seen_at AS SeenAt, expires_at AS ExpiresAt FROM sessions WHERE hash = @hash",
            new { hash }) is { } row
            ? new(row.Hash, row.Principal, row.Token, row.Provided is null ? null : StoredJson.Read(row.Provided, AccessDocuments.Default.ProvidedRights), row.CreatedAt, row.SeenAt, row.ExpiresAt)
            : null;

    public static Task AddAsync(Session session, StoredSession stored) => session.ExecuteAsync(
        "INSERT INTO sessions (hash, principal, token, provided, created_at, seen_at, expires_at) VALUES (@Hash, @Principal, @Token, @provided, @CreatedAt, @SeenAt, @ExpiresAt)",
        new
        {
            stored.Hash,
            stored.Principal,
            stored.Token,
            provided = stored.Provided is null ? null : StoredJson.Text(stored.Provided, AccessDocuments.Default.ProvidedRights),
            stored.CreatedAt,
            stored.SeenAt,
            stored.ExpiresAt,
        });

    public static Task TouchAsync(Session session, string hash, long now) => session.ExecuteAsync("UPDATE sessions SET seen_at = @now WHERE hash = @hash", new { hash, now });

    public static Task<int> RemoveAsync(Session session, string hash) => session.ExecuteAsync("DELETE FROM sessions WHERE hash = @hash", new { hash });

    /// <summary>Removes what is over, and the oldest of somebody who has too many.</summary>
    /// <param name="keep">How many of the principal's newest stay.</param>
    public static async Task TidyAsync(Session session, string principal, int keep, long now)
    {
        await session.ExecuteAsync("DELETE FROM sessions WHERE expires_at <= @now", new { now });
        await session.ExecuteAsync(
            "DELETE FROM sessions WHERE principal = @principal AND hash NOT IN (SELECT hash FROM sessions WHERE principal = @principal ORDER BY created_at DESC, hash LIMIT @keep)",
            new { principal, keep = (long)keep });
    }

    private sealed record Row
    {
        public string Hash { get; init; } = "";

        public string Principal { get; init; } = "";

        public string? Token { get; init; }

        public string? Provided { get; init; }

        public long CreatedAt { get; init; }

        public long SeenAt { get; init; }

        public long ExpiresAt { get; init; }
    }
}
