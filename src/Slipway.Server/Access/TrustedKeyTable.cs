using System.Collections.Immutable;
using Slipway.Documents.Access;
using Slipway.Server.Storage;

namespace Slipway.Server.Access;

/// <summary>The keys whose word the server believes. A revoked one stays listed, and is trusted no more.</summary>
internal static class TrustedKeyTable
{
    /// <summary>All that were ever trusted, by name; what a key may sign now is <see cref="TrustedKey.MaySign"/>.</summary>
    public static async Task<ImmutableArray<TrustedKey>> ListAsync(Session session) =>
        [.. (await session.QueryAsync<string>("SELECT document FROM trusted_keys")).Select(Parse).OrderBy(key => key.Name, StringComparer.Ordinal).ThenBy(key => key.Id, StringComparer.Ordinal)];

    public static async Task<TrustedKey?> FindAsync(Session session, string id) =>
        await session.FindAsync<string>("SELECT document FROM trusted_keys WHERE id = @id", new { id }) is { } document ? Parse(document) : null;

    /// <summary>Ids of a principal's keys, revoked ones too: what they signed stays theirs.</summary>
    public static async Task<ImmutableArray<string>> OfOwnerAsync(Session session, string owner) =>
        [.. await session.QueryAsync<string>("SELECT id FROM trusted_keys WHERE owner = @owner ORDER BY id", new { owner })];

    public static Task SaveAsync(Session session, TrustedKey key) => session.ExecuteAsync(
        "INSERT INTO trusted_keys (id, owner, document) VALUES (@Id, @Owner, @document) ON CONFLICT (id) DO UPDATE SET owner = excluded.owner, document = excluded.document",
        new { key.Id, key.Owner, document = StoredJson.Text(key, AccessJson.Default.TrustedKey) });

    private static TrustedKey Parse(string document) => StoredJson.Read(document, AccessJson.Default.TrustedKey);
}
