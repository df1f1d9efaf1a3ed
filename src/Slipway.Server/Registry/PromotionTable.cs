using System.Collections.Immutable;
using Slipway.Documents.Registry;
using Slipway.Server.Storage;

namespace Slipway.Server.Registry;

/// <summary>What was asked for, as it was asked; where it stands is computed.</summary>
internal sealed record PromotionRow
{
    public string Model { get; init; } = "";

    public long Number { get; init; }

    public long Version { get; init; }

    public string Channel { get; init; } = "";

    public long PlanNumber { get; init; }

    public string RequestedBy { get; init; } = "";

    public string RequestedByName { get; init; } = "";

    public long RequestedAt { get; init; }

    public string Reason { get; init; } = "";

    /// <summary>Why its release was taken back; null while it was not, or not for harm.</summary>
    public string? Harm { get; init; }
}

internal static class PromotionTable
{
    private const string Select =
        """
        SELECT model AS Model, number AS Number, version AS Version, channel AS Channel, plan_number AS PlanNumber, requested_by AS RequestedBy,
          requested_by_name AS RequestedByName, requested_at AS RequestedAt, reason AS Reason, harm AS Harm FROM promotions
        """;

    public static Task<PromotionRow?> FindAsync(Session session, string model, long number) =>
        session.FindAsync<PromotionRow>($"{Select} WHERE model = @model AND number = @number", new { model, number });

    /// <summary>The last that was asked for: an earlier one is no longer what people speak of.</summary>
    public static Task<PromotionRow?> LatestAsync(Session session, string model, long version, string channel) =>
        session.FindAsync<PromotionRow>($"{Select} WHERE model = @model AND version = @version AND channel = @channel ORDER BY number DESC LIMIT 1", new { model, version, channel });

    /// <summary>Newest first.</summary>
    public static Task<IReadOnlyList<PromotionRow>> ListAsync(Session session, string model) =>
        session.QueryAsync<PromotionRow>($"{Select} WHERE model = @model ORDER BY number DESC LIMIT @limit", new { model, limit = (long)VersionTable.Page });

    /// <summary>Those that no later one replaced, newest first; one <see cref="VersionTable.Page"/>.</summary>
    /// <param name="models">Whose; null for all models'.</param>
    /// <param name="after">The last of the page before; null for the first page.</param>
    public static Task<IReadOnlyList<PromotionRow>> ListStandingAsync(Session session, IReadOnlyCollection<string>? models, PromotionRow? after) => session.QueryAsync<PromotionRow>(
        $"""
        {Select} AS p
        WHERE number = (SELECT MAX(q.number) FROM promotions AS q WHERE q.model = p.model AND q.version = p.version AND q.channel = p.channel)
          {(models is null ? "" : "AND model IN @models")}
          {(after is null ? "" : "AND (requested_at < @RequestedAt OR requested_at = @RequestedAt AND (model > @Model OR model = @Model AND number < @Number))")}
        ORDER BY requested_at DESC, model, number DESC LIMIT @limit
        """,
        new { models, after?.RequestedAt, after?.Model, after?.Number, limit = (long)VersionTable.Page });

    /// <summary>A release did harm: its promotion, and any of the version to that channel before it, holds no longer.</summary>
    public static Task NoteHarmAsync(Session session, string model, long version, string channel, string harm) => session.ExecuteAsync(
        "UPDATE promotions SET harm = @harm WHERE model = @model AND version = @version AND channel = @channel AND harm IS NULL", new { model, version, channel, harm });

    /// <returns>0 where there is none.</returns>
    public static async Task<long> LastNumberAsync(Session session, string model) =>
        await session.FindAsync<long?>("SELECT MAX(number) FROM promotions WHERE model = @model", new { model }) ?? 0;

    public static Task InsertAsync(Session session, PromotionRow row) => session.ExecuteAsync(
        """
        INSERT INTO promotions (model, number, version, channel, plan_number, requested_by, requested_by_name, requested_at, reason)
        VALUES (@Model, @Number, @Version, @Channel, @PlanNumber, @RequestedBy, @RequestedByName, @RequestedAt, @Reason)
        """,
        row);

    /// <summary>Oldest first.</summary>
    public static async Task<ImmutableArray<CastVote>> VotesAsync(Session session, string model, long promotion) =>
    [
        .. (await session.QueryAsync<VoteRow>(
                "SELECT principal AS Principal, may_be AS MayBe, document AS Document FROM votes WHERE model = @model AND promotion = @promotion ORDER BY position", new { model, promotion }))
            .Select(row => new CastVote(StoredJson.Read(row.Document, RegistryJson.Default.Approval), new ActorRow { Principal = row.Principal, MayBe = row.MayBe }.Read())),
    ];

    public static async Task AddVoteAsync(Session session, string model, long promotion, CastVote vote)
    {
        var position = await session.FindAsync<long?>("SELECT MAX(position) FROM votes WHERE model = @model AND promotion = @promotion", new { model, promotion }) + 1 ?? 1;
        await session.ExecuteAsync(
            "INSERT INTO votes (model, promotion, position, principal, may_be, document) VALUES (@model, @promotion, @position, @principal, @mayBe, @document)",
            new
            {
                model,
                promotion,
                position,
                principal = vote.By.Principal,
                mayBe = StoredJson.Text(vote.By.MayBe, RegistryJson.Default.ImmutableArrayString),
                document = StoredJson.Text(vote.Vote, RegistryJson.Default.Approval),
            });
    }

    private sealed record VoteRow
    {
        public string Principal { get; init; } = "";

        public string MayBe { get; init; } = "";

        public string Document { get; init; } = "";
    }
}
