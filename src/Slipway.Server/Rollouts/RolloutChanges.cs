using System.Collections.Immutable;
using System.Text.Json;
using Slipway.Documents.Ledger;
using Slipway.Documents.Rollouts;
using Slipway.Primitives.Bytes;
using Slipway.Server.Api;
using Slipway.Server.Ledger;
using Slipway.Server.Registry;
using Slipway.Server.Storage;

namespace Slipway.Server.Rollouts;

/// <summary>Carries out what <see cref="Rollout.Decide"/> says, wholly inside the caller's change: all of it, or nothing of it.</summary>
/// <remarks>Gateways act on committed desired states alone, so nothing outside the database has happened before all of this is stored.</remarks>
/// <param name="tell">Told beside the ledger, in the same change; null for nobody.</param>
internal sealed class RolloutChanges(LedgerWriter ledger, Func<Session, RolloutNews, Task>? tell = null)
{
    /// <summary>Of the lease that lets a server drive rollouts.</summary>
    public const string DriverLease = "rollouts";

    /// <summary>Stores a new rollout.</summary>
    public async Task StartAsync(Session session, RolloutState state, Caller by, string reason)
    {
        await RolloutTable.AddAsync(session, state);
        await TellAsync(session, state, new Tell(state.Kind == RolloutKind.Return ? "rollout.return-started" : "rollout.started", reason, null), by, state.StartedAt, isHarm: false);
        await DeriveAsync(session, state.Channel);
    }

    /// <summary>Tells a rollout something, and stores what follows.</summary>
    /// <param name="stored">As read in this change.</param>
    /// <param name="by">Who is the cause: a person, or <see cref="LedgerWriter.Server"/>.</param>
    /// <param name="judged">The judgement at this moment; null for the one that is stored.</param>
    /// <returns>The state then; the same instance when nothing follows.</returns>
    public async Task<RolloutState> TellAsync(Session session, RolloutState stored, RolloutEvent e, Caller by, JudgeReport? judged = null)
    {
        var decision = Rollout.Decide(stored, e);
        if (ReferenceEquals(decision.State, stored))
            return stored;
        await RolloutTable.SaveAsync(session, decision.State);
        var isHarm = e is CandidateQuarantined or Judged { Report.Verdict: JudgeVerdict.Harm };
        if (stored.Kind == RolloutKind.Release && e is CandidateQuarantined or Judged { Report.Verdict: JudgeVerdict.Harm })
            await PromotionTable.NoteHarmAsync(session, stored.Model, stored.Candidate.Number, stored.Channel, decision.State.Reason);
        judged ??= (await RolloutTable.FindAsync(session, stored.Id))?.Report;
        foreach (var action in decision.Actions)
            await ActAsync(session, decision.State, action is Tell { Evidence: null } bare ? bare with { Evidence = judged } : action, by, e.At, isHarm);
        await DeriveAsync(session, stored.Channel);
        return decision.State;
    }

    /// <summary>What came to be known of a rollout's versions, such as a revoked key: told, and acted upon by people alone.</summary>
    public static async Task<ImmutableArray<string>> RemarksAsync(Session session, RolloutState s)
    {
        var remarks = ImmutableArray.CreateBuilder<string>();
        foreach (var version in new[] { s.Candidate, s.Stable }.OfType<VersionRef>())
            remarks.AddRange(await Promotions.RemarksAsync(session, s.Model, version.Number, s.Channel));
        return remarks.ToImmutable();
    }

    private static async Task DeriveAsync(Session session, string channel) =>
        await DesiredStateTable.DeriveAsync(session, channel, await Lease.EpochAsync(session, DriverLease));

    private Task ActAsync(Session session, RolloutState s, RolloutAction action, Caller by, long at, bool isHarm) => action switch
    {
        GoLive live => LiveVersionTable.GoLiveAsync(session, s, live),
        Tell told => TellAsync(session, s, told, by, at, isHarm),
        _ => throw new System.Diagnostics.UnreachableException(),
    };

    private async Task TellAsync(Session session, RolloutState s, Tell told, Caller by, long at, bool isHarm)
    {
        var live = await LiveVersionTable.FindAsync(session, s.Model, s.Channel);
        var evidence = told.Evidence is { } report ? CanonicalJson.Serialize(report, RolloutJson.Default.JudgeReport) : null;
        var entry = new HistoryEntry(
            at, s.Model, s.Channel, s.Id, told.Action, s.Stable, s.Candidate, live?.Live, by.Id, by.Name, told.Reason, evidence is null ? null : Digest.Of(evidence), told.Evidence,
            s.IsOver ? [.. s.Notes.Union(await RemarksAsync(session, s))] : []);
        ImmutableArray<LedgerSubject> subjects =
        [
            LedgerSubject.OfChannel(s.Model, s.Channel),
            LedgerSubject.OfVersion(s.Model, s.Candidate.Number, s.Candidate.Bundle),
            .. s.Stable is { } stable ? [LedgerSubject.OfVersion(s.Model, stable.Number, stable.Bundle)] : ImmutableArray<LedgerSubject>.Empty,
            new($"models/{s.Model}/channels/{s.Channel}/rollouts/{s.Id}", s.PlanDigest),
        ];
        await ledger.RecordAsync(session, by, told.Action, subjects, told.Reason, evidence is null ? null : JsonSerializer.Deserialize<JsonElement>(evidence));
        await ChannelHistory.AddAsync(session, entry);
        if (tell is not null)
            await tell(session, new RolloutNews(s, told.Action, told.Reason, at, told.Evidence, isHarm && s.Phase == RolloutPhase.RollingBack));
    }
}

/// <summary>An entry of the ledger about a rollout, as whoever else is told of it sees it.</summary>
/// <param name="Action">As in the ledger.</param>
/// <param name="Judged">The judgement that led to it; null where none did.</param>
/// <param name="IsHarm">The candidate is taken back because it does harm, or ended a gateway's process.</param>
internal sealed record RolloutNews(RolloutState State, string Action, string Reason, long At, JudgeReport? Judged, bool IsHarm);
