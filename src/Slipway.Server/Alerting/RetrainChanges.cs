using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text.Json;
using Slipway.Documents.Ledger;
using Slipway.Documents.Monitoring;
using Slipway.Documents.Rollouts;
using Slipway.Server.Api;
using Slipway.Server.Ledger;
using Slipway.Server.Storage;
using Slipway.Server.Webhooks;

namespace Slipway.Server.Alerting;

/// <summary>Carries out what <see cref="RetrainCourse.Decide"/> says, wholly inside the caller's change. A command is run after that is committed.</summary>
internal sealed class RetrainChanges(LedgerWriter ledger, WebhookOutbox outbox, ImmutableArray<Trigger> triggers)
{
    private const int IdDigits = 12;

    /// <returns>Null when this server has none of that name.</returns>
    public async Task<Trigger?> FindTriggerAsync(Session session, string name) =>
        triggers.FirstOrDefault(trigger => trigger.Name == name) is { } trigger && (trigger.Webhook is not { } webhook || await WebhookTable.FindAsync(session, webhook) is not null) ? trigger : null;

    /// <summary>What of the triggers does not work yet, for the log. A webhook may be added while the server runs.</summary>
    public async Task<ImmutableArray<string>> LacksAsync(Session session)
    {
        var lacks = ImmutableArray.CreateBuilder<string>();
        foreach (var trigger in triggers)
        {
            if (trigger.Webhook is { } webhook && await WebhookTable.FindAsync(session, webhook) is null)
                lacks.Add($"trigger {trigger.Name} starts nothing yet: there is no webhook '{webhook}'; `slipway webhooks add {webhook} URL --reason TEXT` adds it");
        }

        return lacks.ToImmutable();
    }

    /// <param name="trigger">That is started; null for none.</param>
    /// <param name="version">The live one; null for none.</param>
    /// <returns>A sentence for the log; null where nothing is to be told.</returns>
    public async Task<string?> StoreAsync(Session session, Retraining? before, Retraining after, Trigger? trigger, int? version, long epoch, long now)
    {
        await RetrainTable.SaveAsync(session, after);
        if (trigger is not null)
            return await StartAsync(session, after, trigger, version, epoch, now);
        if (after.State != RetrainState.NoTrigger || before?.State == RetrainState.NoTrigger)
            return null;
        await ledger.RecordAsync(session, LedgerWriter.Server, "retraining.refused", Subjects(after.Model, after.Channel, after.Rule.Name), after.Reason);
        return $"{after.Model} {after.Channel}: retraining {after.Rule.Name} is not started: {after.Reason}";
    }

    /// <summary>Records what became of a run, once.</summary>
    /// <returns>As <see cref="StoreAsync"/>.</returns>
    public async Task<string?> EndAsync(Session session, StartedRun started, RetrainRun ended)
    {
        if (!await RetrainTable.EndAsync(session, ended))
            return null;
        var reason = $"{ended.Trigger} {ended.Outcome.Word()}{(ended.Detail is { } detail ? $": {detail}" : "")}";
        await ledger.RecordAsync(session, LedgerWriter.Server, "retraining.ended", Subjects(started.Model, started.Channel, started.Rule), reason, JsonSerializer.SerializeToElement(ended with { Tail = null }, MonitoringJson.Default.RetrainRun));
        return $"{started.Model} {started.Channel}: retraining {started.Rule}: {reason}";
    }

    private async Task<string?> StartAsync(Session session, Retraining state, Trigger trigger, int? version, long epoch, long now)
    {
        var happened = outbox.Event(
            "retraining.started", $"retraining/{state.Rule.Name}", now,
            new EventData(state.Model, state.Channel, $"{trigger.Name} is started for {state.Model}", state.Reason, null, null, version, null, $"/api/v1/models/{state.Model}/retraining"));
        var run = new RetrainRun(
            RandomNumberGenerator.GetHexString(IdDigits, lowercase: true), trigger.Name, now, state.Reason, trigger.Webhook is null ? null : now,
            trigger.Webhook is null ? RetrainOutcome.Running : RetrainOutcome.Sent, trigger.Webhook is { } webhook ? $"to webhook {webhook}" : null, null);
        await RetrainTable.AddRunAsync(session, new StartedRun(state.Model, state.Channel, state.Rule.Name, run, StoredJson.Text(happened, MonitoringJson.Default.CloudEvent)), epoch);
        await ledger.RecordAsync(session, LedgerWriter.Server, "retraining.started", Subjects(state.Model, state.Channel, state.Rule.Name), state.Reason, JsonSerializer.SerializeToElement(run, MonitoringJson.Default.RetrainRun));
        await outbox.SendAsync(session, now, happened);
        if (trigger.Webhook is { } receiver && await WebhookTable.FindAsync(session, receiver) is { } known && known.Model != state.Model && known.Model != Documents.Access.RoleGrant.AllModels)
            await outbox.SendAsync(session, now, happened, receiver);
        return $"{state.Model} {state.Channel}: retraining {state.Rule.Name} starts {trigger.Name}: {state.Reason}";
    }

    private static ImmutableArray<LedgerSubject> Subjects(string model, string channel, string rule) =>
        [LedgerSubject.OfChannel(model, channel), new($"models/{model}/retraining/{rule}", null)];
}
