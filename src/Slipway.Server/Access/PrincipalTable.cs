using System.Collections.Immutable;
using System.Security.Cryptography;
using Slipway.Documents.Access;
using Slipway.Server.Storage;

namespace Slipway.Server.Access;

/// <summary>The stored principals.</summary>
internal static class PrincipalTable
{
    public static string NewId(PrincipalKind kind) =>
        (kind == PrincipalKind.Person ? "user:" : "service:") + RandomNumberGenerator.GetHexString(32, lowercase: true);

    public static async Task<Principal?> FindAsync(Session session, string id) =>
        await session.FindAsync<string>("SELECT document FROM principals WHERE id = @id", new { id }) is { } document ? Parse(document) : null;

    /// <summary>All of them, by id.</summary>
    public static async Task<ImmutableArray<Principal>> ListAsync(Session session) =>
        [.. (await session.QueryAsync<string>("SELECT document FROM principals ORDER BY id")).Select(Parse)];

    public static async Task<bool> AnyAsync(Session session) => await session.FindAsync<string>("SELECT id FROM principals LIMIT 1") is not null;

    public static Task SaveAsync(Session session, Principal principal) => session.ExecuteAsync(
        "INSERT INTO principals (id, document) VALUES (@Id, @document) ON CONFLICT (id) DO UPDATE SET document = excluded.document",
        new { principal.Id, document = StoredJson.Text(principal, AccessJson.Default.Principal) });

    private static Principal Parse(string document) => StoredJson.Read(document, AccessJson.Default.Principal);
}
