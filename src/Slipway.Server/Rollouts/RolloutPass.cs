using System.Collections.Immutable;
using System.Text;
using Slipway.Documents.Rollouts;
using Slipway.Server.Judging;
using Slipway.Server.Ledger;
using Slipway.Server.Storage;

namespace Slipway.Server.Rollouts;

/// <summary>One look at everything that may move rollouts on: gateways' reports, their events, the clock. Only the server that holds the lease takes it.</summary>
/// <remarks>
/// What is due is read off the state of things, so a pass that was cut off is simply taken again. Batches are folded, judged and acted upon in
/// one change: between the judge's decision and the desired state that carries it there is nothing but a commit.
/// </remarks>
internal sealed class RolloutPass(RolloutChanges changes)
{
    /// <summary>Batches of one change, so that other changes need not wait for long; the rest follows at once in the next.</summary>
    private const int MostBatches = 16;

    /// <summary>The fleets as the last pass saw them, when it had nothing left to do; a gateway that joined or was lost is a reason to look again.</summary>
    private string? seen;

    /// <summary>Whether a pass would change anything.</summary>
    public async Task<bool> IsDueAsync(Session session, long epoch, long now)
    {
        if (seen is null || await EventInbox.HasNewAsync(session) || await DesiredStateTable.AnyBelowAsync(session, epoch) || await LiveVersionTable.NextCoolingAsync(session) <= now)
            return true;
        var running = await LookAsync(session, now);
        return Mark(running) != seen || running.Any(one => IsDue(one.Rollout, one.Fleet, now));
    }

    /// <summary>Takes the pass, inside a change.</summary>
    /// <returns>Sentences that tell what happened; null when the epoch is no longer in force, and then nothing was done.</returns>
    public async Task<ImmutableArray<string>?> RunAsync(Session session, long epoch, long now)
    {
        seen = null;
        if (!await Lease.IsInForceAsync(session, RolloutChanges.DriverLease, epoch))
            return null;
        var cooled = await LiveVersionTable.CoolAsync(session, now);
        if (cooled > 0 || await DesiredStateTable.AnyBelowAsync(session, epoch))
        {
            foreach (var channel in ReleasePlan.ChannelNames)
                await DesiredStateTable.DeriveAsync(session, channel, epoch);
        }

        var told = ImmutableArray.CreateBuilder<string>();
        var running = await LookAsync(session, now);
        var batches = await EventInbox.PeekAsync(session, MostBatches);
        var putOff = new HashSet<long>();
        foreach (var (rollout, fleet) in running)
            await MoveAsync(session, rollout, fleet, batches, putOff, now, told);
        foreach (var batch in batches)
            await (putOff.Contains(batch.Position) ? EventInbox.PutOffAsync(session, batch.Position) : EventInbox.RemoveAsync(session, batch.Position));

        // What was folded may be what others were put off for.
        if (batches.Length == putOff.Count || await EventInbox.IsEmptyAsync(session))
            seen = Mark(running);
        return told.ToImmutable();
    }

    private async Task MoveAsync(
        Session session, StoredRollout rollout, Fleet fleet, ImmutableArray<WaitingBatch> batches, HashSet<long> putOff, long now, ImmutableArray<string>.Builder told)
    {
        var (s, report) = (rollout.State, rollout.Report);
        foreach (var e in fleet.Events())
            await TellAsync(e);
        if (s.IsOver)
            return;

        var fold = rollout.Fold is { } stored ? EvidenceFold.Read(Encoding.UTF8.GetBytes(stored)) : EvidenceFold.Start(s.Id);
        foreach (var gateway in fleet.Serving)
            fold.Join(gateway.Gateway, gateway.Boot);
        foreach (var (gateway, boot) in fold.Awaited.Where(source => !fleet.IsLive(source.Gateway, source.Boot)).ToArray())
            fold.Forget(gateway, boot);
        foreach (var batch in batches.Where(batch => batch.Batch.Channel == s.Channel))
        {
            var outcome = fold.Take(batch.Batch, s.Weights);
            if (outcome.Result == BatchResult.PutOff)
                putOff.Add(batch.Position);
            if (outcome.Result == BatchResult.Refused)
                await TellAsync(new Noted(now, $"batch {batch.Batch.Sequence} of gateway {batch.Batch.Gateway} cannot be used, so its requests count as lost: {outcome.Reason}"));
        }

        if (IsJudged(s))
        {
            report = Judge.Assess(s.Id, now, s.Step, s.Plan, fold.Evidence(s.Weights));
            await TellAsync(new Judged(now, report));
        }

        await TellAsync(new TimePassed(now));
        var folded = Encoding.UTF8.GetString(fold.Write());
        if (s.IsOver || folded != rollout.Fold || report?.Step != rollout.Report?.Step)
        {
            await RolloutTable.SaveEvidenceAsync(session, s.Id, s.IsOver ? null : folded, report);
            if (report is not null)
                await EvidenceSeries.AddAsync(session, s, report);
        }

        async Task TellAsync(RolloutEvent e)
        {
            var before = s.Reason;
            s = await changes.TellAsync(session, s, e, LedgerWriter.Server, report);
            if (s.Reason != before)
                told.Add($"{s.Model} {s.Channel}: {s.Reason}");
        }
    }

    private static async Task<ImmutableArray<(StoredRollout Rollout, Fleet Fleet)>> LookAsync(Session session, long now)
    {
        var looked = ImmutableArray.CreateBuilder<(StoredRollout, Fleet)>();
        foreach (var channel in (await RolloutTable.ListRunningAsync(session)).GroupBy(rollout => rollout.State.Channel, StringComparer.Ordinal))
        {
            var gateways = await GatewayTable.ListAsync(session, channel.Key);
            looked.AddRange(channel.Select(rollout => (rollout, new Fleet(rollout, gateways, now))));
        }

        return looked.ToImmutable();
    }

    private static bool IsDue(StoredRollout rollout, Fleet fleet, long now) =>
        fleet.Events().Append(new TimePassed(now)).Any(e => IsNews(rollout.State, e))
        || IsJudged(rollout.State) && (rollout.Report is not { } report || report.Step != rollout.State.Step || IsNews(rollout.State, new Judged(now, report)));

    private static bool IsNews(RolloutState s, RolloutEvent e) => !ReferenceEquals(Rollout.Decide(s, e).State, s);

    /// <summary>A pause is judged for harm alone.</summary>
    private static bool IsJudged(RolloutState s) => (s.PausedIn ?? s.Phase) is RolloutPhase.Stepping or RolloutPhase.HoldingBack;

    private static string Mark(ImmutableArray<(StoredRollout Rollout, Fleet Fleet)> running) =>
        string.Join('\n', running.SelectMany(one => one.Fleet.Gateways.Select(gateway => $"{one.Rollout.State.Id} {gateway.Gateway} {gateway.Boot} {gateway.Live} {gateway.InForce}")));
}
