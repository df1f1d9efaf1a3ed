using System.Collections.Immutable;
using Slipway.Documents.Monitoring;
using Slipway.Documents.Rollouts;
using Slipway.Expressions;
using Slipway.Expressions.Conditions;
using Slipway.Expressions.Figures;
using Slipway.Server.Incidents;
using Slipway.Server.Registry;
using Slipway.Server.Rollouts;
using Slipway.Server.Storage;

namespace Slipway.Server.Alerting;

/// <summary>A channel of a model whose plan has rules.</summary>
internal sealed record WatchedChannel(string Model, string Channel, MonitorPlan Plan);

/// <summary>One look at channels whose plans have rules: judged outside of any change, decided and stored inside one.</summary>
internal sealed class AlertPass(WindowReader window, AlertChanges alerts, RetrainChanges retraining)
{
    public const string LeaseName = "alerts";

    /// <summary>What changed in nothing but when it was looked at is stored so often.</summary>
    private static readonly TimeSpan Refresh = TimeSpan.FromSeconds(30);

    /// <summary>What one channel's conditions found.</summary>
    /// <param name="Version">The live one; null for none.</param>
    internal sealed record Look(string Model, string Channel, ImmutableArray<(AlertRule Rule, Truth Truth, string Reason)> Alerts, ImmutableArray<(RetrainRule Rule, Truth Truth, string Reason)> Retraining, int? Version);

    /// <summary>Every channel whose plan has rules now.</summary>
    public static Task<ImmutableArray<WatchedChannel>> WatchedAsync(Database database, CancellationToken cancellation) => database.ReadAsync(
        async session =>
        {
            var watched = ImmutableArray.CreateBuilder<WatchedChannel>();
            foreach (var model in await VersionTable.ModelsAsync(session))
            {
                if ((await PlanTable.LatestAsync(session, model))?.Plan.Monitor is { } plan)
                    watched.AddRange(plan.Alerts.Select(rule => rule.Channel).Concat(plan.Retrain.Select(rule => rule.Channel)).Distinct().Order(StringComparer.Ordinal).Select(channel => new WatchedChannel(model, channel, plan)));
            }

            return watched.ToImmutable();
        },
        cancellation);

    /// <summary>Judges every rule of some channels.</summary>
    /// <param name="failed">Told of a channel that could not be judged: its alerts stay as they are.</param>
    public async Task<ImmutableArray<Look>> JudgeAsync(Database database, IEnumerable<WatchedChannel> channels, long now, Action<string> failed, CancellationToken cancellation)
    {
        var looks = ImmutableArray.CreateBuilder<Look>();
        foreach (var (model, channel, plan) in channels)
            looks.Add(await JudgeAsync(database, model, channel, plan, now, failed, cancellation));
        return looks.ToImmutable();
    }

    /// <summary>Whether storing would change anything.</summary>
    /// <param name="watched">All channels that have rules: what is stored of others is over.</param>
    public async Task<bool> IsNewsAsync(Session session, ImmutableArray<Look> looks, ImmutableArray<WatchedChannel> watched, long now) => (await DecideAsync(session, looks, watched, now)).IsNews;

    /// <summary>Stores what follows, inside a change.</summary>
    /// <returns>Sentences that tell what happened; null when the epoch is no longer in force, and then nothing was done.</returns>
    public async Task<ImmutableArray<string>?> StoreAsync(Session session, ImmutableArray<Look> looks, ImmutableArray<WatchedChannel> watched, long epoch, long now)
    {
        if (!await Lease.IsInForceAsync(session, LeaseName, epoch))
            return null;
        var decided = await DecideAsync(session, looks, watched, now);
        var told = ImmutableArray.CreateBuilder<string?>();
        foreach (var gone in decided.Gone)
            told.Add(await alerts.EndAsync(session, gone, now));
        foreach (var gone in decided.GoneRetraining)
            await RetrainTable.RemoveAsync(session, gone);
        foreach (var (before, after, action, version) in decided.Alerts)
        {
            if (IsNews(before, after, action, now))
                told.Add(await alerts.StoreAsync(session, before, after, action, version, now));
        }

        foreach (var (before, after, trigger, version) in decided.Retraining)
        {
            if (IsNews(before, after, trigger is not null, now))
                told.Add(await retraining.StoreAsync(session, before, after, trigger, version, epoch, now));
        }

        return [.. told.OfType<string>()];
    }

    private async Task<Look> JudgeAsync(Database database, string model, string channel, MonitorPlan plan, long now, Action<string> failed, CancellationToken cancellation)
    {
        FigureSet? figures = null;
        int? version = null;
        var lacking = "";
        try
        {
            (figures, version) = await database.ReadAsync(
                async session =>
                {
                    // Gateways send telemetry only while they have requests, and report in any case.
                    var isHeard = (await GatewayTable.ListAsync(session, channel)).Any(gateway => gateway.IsLive(now));
                    var view = await window(session, model, channel, now);
                    return (MonitoringFigures.Of(view, isHeard), view.Live?.Number);
                },
                cancellation);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            // One channel's trouble leaves the others their alerts.
            lacking = $"what {channel} tells cannot be read";
            failed($"{model} {channel}: alerts cannot be judged: {e.Message}");
        }

        return new(
            model, channel,
            [.. plan.Alerts.Where(rule => rule.Channel == channel).Select(rule => { var (truth, reason) = Judge(rule.When); return (rule, truth, reason); })],
            [.. plan.Retrain.Where(rule => rule.Channel == channel).Select(rule => { var (truth, reason) = Judge(rule.When); return (rule, truth, reason); })],
            version);

        (Truth, string) Judge(string condition)
        {
            if (figures is null)
                return (Truth.Unknown, lacking);
            if (!AlertCondition.TryParse(condition, AlertVocabulary.Any, out var parsed, out var faults))
                return (Truth.Unknown, $"the condition cannot be read: {faults[0].Message}");
            var judgement = parsed.Judge(figures);
            return (judgement.Truth, judgement.Reason);
        }
    }

    private async Task<Decided> DecideAsync(Session session, ImmutableArray<Look> looks, ImmutableArray<WatchedChannel> watched, long now)
    {
        var stored = (await AlertTable.ListAsync(session)).ToDictionary(memory => (memory.Alert.Model, memory.Alert.Channel, memory.Alert.Rule.Name));
        var rules = (await RetrainTable.ListAsync(session)).ToDictionary(state => (state.Model, state.Channel, state.Rule.Name));
        var decided = new Decided();
        var begun = new HashSet<(string Model, string Channel, string Trigger)>();
        foreach (var look in looks)
        {
            foreach (var (rule, truth, reason) in look.Alerts)
            {
                stored.Remove((look.Model, look.Channel, rule.Name), out var before);
                var (after, action) = AlertCourse.Decide(before ?? AlertCourse.New(look.Model, look.Channel, rule, now), rule, truth, reason, now);
                decided.Alerts.Add((before, after, action, look.Version));
            }

            foreach (var (rule, truth, reason) in look.Retraining)
            {
                rules.Remove((look.Model, look.Channel, rule.Name), out var before);
                // A day has 24 starts at most, and the one that runs is the latest.
                var runs = await RetrainTable.RunsAsync(session, look.Model, look.Channel, rule.Name, 24, rule.Start);
                if (begun.Contains((look.Model, look.Channel, rule.Start)))
                    runs = [new RetrainRun("", rule.Start, now, reason, null, RetrainOutcome.Running, null, null), .. runs];
                var trigger = truth == Truth.True ? await retraining.FindTriggerAsync(session, rule.Start) : null;
                var (after, start) = RetrainCourse.Decide(before, look.Model, look.Channel, rule, runs, truth, reason, trigger is not null, now);
                if (start)
                    begun.Add((look.Model, look.Channel, rule.Start));
                decided.Retraining.Add((before, after, start ? trigger : null, look.Version));
            }
        }

        // What is left is of channels that are looked at in another turn, or of rules that are gone.
        var elsewhere = watched.Select(channel => (channel.Model, channel.Channel)).Except(looks.Select(look => (look.Model, look.Channel))).ToHashSet();
        decided.Gone.AddRange(stored.Values.Where(memory => !elsewhere.Contains((memory.Alert.Model, memory.Alert.Channel))));
        decided.GoneRetraining.AddRange(rules.Values.Where(state => !elsewhere.Contains((state.Model, state.Channel))));
        decided.IsNews = decided.Gone.Count + decided.GoneRetraining.Count > 0
            || decided.Alerts.Exists(alert => IsNews(alert.Before, alert.After, alert.Action, now)) || decided.Retraining.Exists(rule => IsNews(rule.Before, rule.After, rule.Trigger is not null, now));
        return decided;
    }

    private static bool IsNews(AlertMemory? before, AlertMemory after, AlertAction action, long now) =>
        before is null || action != AlertAction.None || IsStale(before.Alert.LookedAt, now)
        || before with { Alert = before.Alert with { LookedAt = 0, Reason = "" } } != after with { Alert = after.Alert with { LookedAt = 0, Reason = "" } };

    private static bool IsNews(Retraining? before, Retraining after, bool start, long now) =>
        before is null || start || IsStale(before.LookedAt, now) || before.State != after.State || before.Rule != after.Rule;

    private static bool IsStale(long lookedAt, long now) => Math.Abs(now - lookedAt) >= Refresh.TotalMilliseconds;

    private sealed class Decided
    {
        public List<(AlertMemory? Before, AlertMemory After, AlertAction Action, int? Version)> Alerts { get; } = [];

        public List<(Retraining? Before, Retraining After, Api.Trigger? Trigger, int? Version)> Retraining { get; } = [];

        public List<AlertMemory> Gone { get; } = [];

        public List<Retraining> GoneRetraining { get; } = [];

        public bool IsNews { get; set; }
    }
}
