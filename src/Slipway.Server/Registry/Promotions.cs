using System.Collections.Immutable;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Slipway.Documents.Access;
using Slipway.Documents.Ledger;
using Slipway.Documents.Registry;
using Slipway.Documents.Rollouts;
using Slipway.Documents.Statements;
using Slipway.Primitives.Faults;
using Slipway.Server.Access;
using Slipway.Server.Api;
using Slipway.Server.Ledger;
using Slipway.Server.Storage;

namespace Slipway.Server.Registry;

/// <summary>Asking, approving and rejecting; and the one question that a release asks: whether a version may go to a channel now.</summary>
internal sealed class Promotions(LedgerWriter ledger, TimeProvider time)
{
    /// <summary>Promotions that one answer looks at for those that wait: where each stands takes some ten reads.</summary>
    private const int MostLookedAt = 10 * VersionTable.Page;

    /// <summary>Asks that a version may go to a channel. The same that waits or is approved already is not asked for twice.</summary>
    /// <exception cref="ApiProblem">No such version or channel (404); something lacks that no approval can mend (422).</exception>
    public async Task<Promotion> RequestAsync(Session session, Caller caller, string model, PromotionRequest request)
    {
        Require.Channel(request.Channel);
        var version = await RequireVersionAsync(session, model, request.Version);
        var plan = (await PlanTable.LatestAsync(session, model))!;
        if (await PromotionTable.LatestAsync(session, model, request.Version, request.Channel) is { } before && before.PlanNumber == plan.Number)
        {
            var standing = await ReadAsync(session, before);
            if (standing.Promotion.State != PromotionState.Rejected && standing.Ruling.Hard.IsEmpty)
                return standing.Promotion;
        }

        var number = await PromotionTable.LastNumberAsync(session, model) + 1;
        var row = new PromotionRow
        {
            Model = model,
            Number = number,
            Version = version.Number,
            Channel = request.Channel,
            PlanNumber = plan.Number,
            RequestedBy = caller.Id,
            RequestedByName = caller.Name,
            RequestedAt = time.GetUtcNow().ToUnixTimeMilliseconds(),
            Reason = request.Reason,
        };
        var asked = await ReadAsync(session, row);
        if (!asked.Ruling.Hard.IsEmpty)
            throw new ApiProblem(StatusCodes.Status422UnprocessableEntity, asked.Ruling.Hard);
        await RecordAsync(session, caller, "promotion.requested", asked.Promotion, request.Reason);
        await PromotionTable.InsertAsync(session, row);
        return asked.Promotion;
    }

    /// <summary>Approves or rejects.</summary>
    /// <exception cref="ApiProblem">No such promotion (404); a program, an author of what is promoted, or a promotion that a later one replaced (409).</exception>
    public async Task<Promotion> VoteAsync(Session session, Caller caller, string model, long number, Vote vote)
    {
        var row = await RequireAsync(session, model, number);
        var standing = await ReadAsync(session, row);
        var actor = new Actor(caller.Id, caller.MayBe);
        if (standing.Promotion.State == PromotionState.Replaced)
            throw ApiProblem.Conflict("promotion-replaced", $"{standing.Promotion.Id} was replaced by a later promotion of version {row.Version} to {row.Channel}", $"see slipway models {model}");
        if (vote.Approves && caller.Kind != PrincipalKind.Person)
            throw ApiProblem.Conflict("approver-no-person", $"{caller.Name} is a program, and people approve", "approve with a person's token");
        if (vote.Approves && standing.Authors.Wrote(actor))
            throw OwnWork(caller, row.Version);

        var cast = new Approval(caller.Id, caller.Name, caller.Groups, vote.Approves, time.GetUtcNow().ToUnixTimeMilliseconds(), vote.Reason);
        await RecordAsync(session, caller, vote.Approves ? "promotion.approved" : "promotion.rejected", standing.Promotion, vote.Reason);
        await PromotionTable.AddVoteAsync(session, model, number, new CastVote(cast, actor));
        return (await ReadAsync(session, row)).Promotion;
    }

    /// <summary>Newest first.</summary>
    public static async Task<ImmutableArray<Promotion>> ListAsync(Session session, string model, int limit = VersionTable.Page) =>
        await ReadAsync(session, (await PromotionTable.ListAsync(session, model)).Take(limit));

    /// <summary>Of one version, newest first.</summary>
    public static async Task<ImmutableArray<Promotion>> OfVersionAsync(Session session, string model, int version, int limit) =>
        await ReadAsync(session, (await PromotionTable.ListAsync(session, model)).Where(row => row.Version == version).Take(limit));

    /// <summary>Those that wait for somebody, newest first.</summary>
    /// <param name="models">Whose; null for all models'.</param>
    /// <param name="before">The id that an answer before ended with; null for the first.</param>
    /// <exception cref="ApiProblem"><paramref name="before"/> is no id (400), or of none of these (404).</exception>
    public static async Task<WaitingPromotions> ListWaitingAsync(Session session, IReadOnlyCollection<string>? models, string? before)
    {
        var waiting = ImmutableArray.CreateBuilder<Promotion>();
        var last = before is null ? null : await RequireAsync(session, models, before);
        for (var looked = 0; looked < MostLookedAt; looked += VersionTable.Page)
        {
            var rows = await PromotionTable.ListStandingAsync(session, models, last);
            foreach (var row in rows)
            {
                last = row;
                if ((await ReadAsync(session, row)).Promotion is { State: PromotionState.Waiting } promotion)
                    waiting.Add(promotion);
                if (waiting.Count == VersionTable.Page)
                    return new WaitingPromotions(waiting.ToImmutable(), IdOf(row));
            }

            if (rows.Count < VersionTable.Page)
                return new WaitingPromotions(waiting.ToImmutable(), null);
        }

        return new WaitingPromotions(waiting.ToImmutable(), IdOf(last!));
    }

    private static string IdOf(PromotionRow row) => Promotion.IdOf(row.Model, (int)row.Number);

    private static async Task<PromotionRow> RequireAsync(Session session, IReadOnlyCollection<string>? models, string id)
    {
        var dot = Math.Max(0, id.LastIndexOf('.'));
        var number = VersionEndpoints.NumberOf(id[(dot + 1)..]);
        return models?.Contains(id[..dot]) == false ? throw NoPromotion(number) : await RequireAsync(session, id[..dot], number);
    }

    private static async Task<ImmutableArray<Promotion>> ReadAsync(Session session, IEnumerable<PromotionRow> rows)
    {
        var promotions = ImmutableArray.CreateBuilder<Promotion>();
        foreach (var row in rows)
            promotions.Add((await ReadAsync(session, row)).Promotion);
        return promotions.ToImmutable();
    }

    /// <exception cref="ApiProblem">There is none (404).</exception>
    public static async Task<Promotion> FindAsync(Session session, string model, long number) => (await ReadAsync(session, await RequireAsync(session, model, number))).Promotion;

    /// <summary>
    /// What a release goes by: the approved promotion, and its plan under the policy as it is now. Everything is judged anew, so a policy
    /// that was tightened, or a key that was revoked, since the approval counts.
    /// </summary>
    /// <exception cref="ApiProblem">No such version (404); not promoted, or not approved any more (409), with all that lacks.</exception>
    public static async Task<ApprovedRelease> RequireApprovedAsync(Session session, string model, int version, string channel)
    {
        var registered = await RequireVersionAsync(session, model, version);
        if (await PromotionTable.LatestAsync(session, model, version, channel) is not { } row)
            throw ApiProblem.Conflict("not-promoted", $"nobody asked that version {version} of {model} may go to {channel}", $"slipway promote {model}@{version} --to {channel} --reason TEXT");
        var standing = await ReadAsync(session, row);
        var promotion = standing.Promotion;
        if (promotion.State != PromotionState.Approved || standing.Ruling.Tightened.Plan is not { } plan)
        {
            throw ApiProblem.Conflict(
            [
                new Fault("not-approved", $"version {version} of {model} is not approved for {channel}: {promotion.Id} is {promotion.State.Word()}"),
                .. standing.Ruling.Hard,
                .. promotion.Missing.Skip(standing.Ruling.Hard.Length).Select(missing => new Fault("not-approved", $"{promotion.Id}: {missing}", Help: promotion.State switch
                {
                    PromotionState.Waiting => $"slipway approve {promotion.Id} --reason TEXT",
                    PromotionState.Replaced => $"see slipway models {model}",
                    _ => $"talk to them, and ask anew: slipway promote {model}@{version} --to {channel} --reason TEXT",
                })),
            ]);
        }

        return new ApprovedRelease(registered, promotion, plan, standing.Ruling.Tightened.Notes);
    }

    /// <summary>What a person should know of a version that was released, or may be gone back to: revoked keys, a policy that would no longer let it through.</summary>
    /// <returns>Sentences; they change nothing by themselves, least of all the way back.</returns>
    public static async Task<ImmutableArray<string>> RemarksAsync(Session session, string model, int version, string channel)
    {
        if (await VersionTable.FindAsync(session, model, version) is not { } registered)
            return [];
        var revoked = (await Signatures.OfAsync(session, registered.Bundle)).Where(signer => signer.RevokedAt is not null)
            .Select(signer => $"the key '{signer.Name}', which signed version {version}, was revoked: {signer.RevokedBecause}");
        var missing = await PromotionTable.LatestAsync(session, model, version, channel) is { } row
            ? (await ReadAsync(session, row)).Promotion.Missing.Select(lack => $"version {version} would not be let through to {channel} now: {lack}")
            : [];
        return [.. revoked, .. missing];
    }

    private static async Task<PromotionRow> RequireAsync(Session session, string model, long number) =>
        await PromotionTable.FindAsync(session, model, number) ?? throw NoPromotion(number);

    private static ApiProblem NoPromotion(long number) =>
        ApiProblem.NotThere("no-promotion", $"there is no promotion {number} of that model", "see slipway models MODEL");

    internal static async Task<ModelVersion> RequireVersionAsync(Session session, string model, long number) =>
        await VersionTable.FindAsync(session, model, number)
        ?? throw ApiProblem.NotThere("no-version", $"there is no version {number} of that model", "see slipway models");

    private static async Task<JudgedPromotion> ReadAsync(Session session, PromotionRow row)
    {
        var version = await RequireVersionAsync(session, row.Model, row.Version);
        var plan = (await PlanTable.FindAsync(session, row.Model, row.PlanNumber))!;
        var votes = await StandingVotesAsync(session, await PromotionTable.VotesAsync(session, row.Model, row.Number));
        var signers = await Signatures.OfAsync(session, version.Bundle);
        Actor[] actors = [.. await VersionTable.PushersAsync(session, version.Bundle), await PlanTable.SetterAsync(session, plan)];
        var authors = new Authors([.. actors.SelectMany(actor => actor.People), .. signers.Select(signer => signer.Owner).OfType<string>()]);
        var ruling = PromotionRules.Judge(new PromotionFacts(
            await PolicyTable.FloorAsync(session, row.Model, row.Channel), plan.Plan.Channels[row.Channel], version.Gates, votes, authors, Distrust(signers), await BaselineFaultAsync(session, version, row.Channel), HarmOf(row))
        {
            Isolation = await Signatures.IsolationAsync(session, version.Bundle),
        });
        var later = await PromotionTable.LatestAsync(session, row.Model, row.Version, row.Channel) is { } latest && latest.Number > row.Number ? Promotion.IdOf(row.Model, (int)latest.Number) : null;
        var promotion = new Promotion(
            Promotion.IdOf(row.Model, (int)row.Number), (int)row.Number, row.Model, version.Number, version.Bundle, row.Channel, plan.Digest, plan.Number, later is null ? ruling.State : PromotionState.Replaced,
            ruling.Tightened.Approvals, [.. votes.Select(vote => vote.Vote)], later is null ? ruling.Missing : [$"{later} was asked for later"], row.RequestedBy, row.RequestedByName, row.RequestedAt, row.Reason);
        return new JudgedPromotion(promotion, ruling, authors);
    }

    /// <summary>What somebody approved who is disabled now counts no more: a stolen account is disabled, and so is what was done with it. A rejection stays.</summary>
    private static async Task<ImmutableArray<CastVote>> StandingVotesAsync(Session session, ImmutableArray<CastVote> votes)
    {
        var standing = ImmutableArray.CreateBuilder<CastVote>();
        foreach (var vote in votes)
        {
            if (!vote.Vote.Approves || await PrincipalTable.FindAsync(session, vote.By.Principal) is not { Disabled: true })
                standing.Add(vote);
        }

        return standing.ToImmutable();
    }

    /// <summary>An author chooses the baseline: compared with a version as weak, which never served anybody, a weak one is no worse.</summary>
    private static async Task<Fault?> BaselineFaultAsync(Session session, ModelVersion version, string channel)
    {
        if (version.Gates.Baseline is not { } digest || await VersionTable.FindAsync(session, digest) is not { } baseline)
            return null;
        var live = await VersionTable.EverLiveAsync(session, version.Model, channel);
        return live.IsEmpty || live.Contains(baseline.Number)
            ? null
            : new Fault("baseline-never-live", $"its gates compare it with version {baseline.Number}, which was never live on {channel}; live there was or is version {string.Join(", ", live)}", Help: "name a bundle that was live as the evaluation's baseline, run and push again");
    }

    private static Fault? HarmOf(PromotionRow row) => row.Harm is null ? null : new Fault(
        "harmed-since", $"version {row.Version} was taken back from {row.Channel}: {row.Harm}", Help: $"whoever approves must know of it, so ask anew: slipway promote {row.Model}@{row.Version} --to {row.Channel} --reason TEXT");

    private static Fault? Distrust(ImmutableArray<SignerStatus> signers)
    {
        var builders = signers.Where(signer => signer.Said.Contains(SlsaProvenance.PredicateType)).ToArray();
        return builders.Any(builder => builder is { RevokedAt: null, Name: not null })
            ? null
            : new Fault("signer-revoked", $"no builder's key that is trusted now vouches for the bundle: {string.Join(", ", builders.Select(builder => $"'{builder.Name}' was revoked ({builder.RevokedBecause})"))}", Help: "sign the bundle with a key that is trusted, and push it again");
    }

    private Task RecordAsync(Session session, Caller caller, string action, Promotion promotion, string reason) => ledger.RecordAsync(
        session, caller, action,
        [new LedgerSubject($"models/{promotion.Model}/promotions/{promotion.Number}", promotion.Plan), LedgerSubject.OfVersion(promotion.Model, promotion.Version, promotion.Bundle), LedgerSubject.OfChannel(promotion.Model, promotion.Channel)],
        reason, JsonSerializer.SerializeToElement(promotion, RegistryJson.Default.Promotion));

    private static ApiProblem OwnWork(Caller caller, long version) => caller.MayBe.IsEmpty
        ? ApiProblem.Conflict("approver-is-author", $"{caller.Name} pushed or signed version {version}, set its release plan, or has held the token of somebody who did: nobody approves their own work", "somebody else of the group approves")
        : ApiProblem.Conflict(
            "approver-is-author",
            $"{caller.Name}, or {string.Join(", ", caller.MayBe)}, who has held this token, pushed or signed version {version}, set its release plan, or has held the token of somebody who did: nobody approves their own work",
            $"{caller.Name} makes a token with `slipway access token make`, and an administrator enrols it by its hash; or somebody else of the group approves");

    private sealed record JudgedPromotion(Promotion Promotion, PromotionRuling Ruling, Authors Authors);
}

/// <param name="Next">Where a further answer begins; null where there is nothing more to look at.</param>
internal sealed record WaitingPromotions(ImmutableArray<Promotion> Promotions, string? Next);

/// <summary>A version that may go to a channel now.</summary>
/// <param name="Plan">What was approved, under the policy as it is now.</param>
/// <param name="Notes">Where the policy made the plan stricter.</param>
internal sealed record ApprovedRelease(ModelVersion Version, Promotion Promotion, ChannelPlan Plan, ImmutableArray<string> Notes);
