using System.Collections.Immutable;
using Slipway.Documents.Policies;
using Slipway.Server.Storage;

namespace Slipway.Server.Registry;

/// <summary>Every policy that was ever set; the last one holds.</summary>
internal static class PolicyTable
{
    private static readonly PolicyVersion Default = new(0, Policy.Default.Digest, Policy.Default, "server", "the server", 0, "no policy is set");

    public static async Task<PolicyVersion> LatestAsync(Session session) =>
        await session.FindAsync<string>("SELECT document FROM policies ORDER BY number DESC LIMIT 1") is { } document ? Parse(document) : Default;

    /// <summary>What a model's channel is held to now.</summary>
    public static async Task<ChannelPolicy> FloorAsync(Session session, string model, string channel) => (await LatestAsync(session)).Policy.Floor(model, channel);

    /// <summary>Newest first.</summary>
    public static async Task<ImmutableArray<PolicyVersion>> ListAsync(Session session) =>
        [.. (await session.QueryAsync<string>("SELECT document FROM policies ORDER BY number DESC LIMIT @limit", new { limit = (long)VersionTable.Page })).Select(Parse)];

    public static Task InsertAsync(Session session, PolicyVersion policy) => session.ExecuteAsync(
        "INSERT INTO policies (number, document) VALUES (@number, @document)",
        new { number = (long)policy.Number, document = StoredJson.Text(policy, PolicyJson.Default.PolicyVersion) });

    private static PolicyVersion Parse(string document) => StoredJson.Read(document, PolicyJson.Default.PolicyVersion);
}
