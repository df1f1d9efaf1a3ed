using System.Collections.Immutable;
using Slipway.Documents.Access;
using Slipway.Documents.Datasets;
using Slipway.Documents.Environments;
using Slipway.Documents.Evaluations;
using Slipway.Documents.Incidents;
using Slipway.Documents.Lineage;
using Slipway.Documents.Monitoring;
using Slipway.Documents.Registry;
using Slipway.Documents.Rollouts;
using Slipway.Documents.Serving;
using Slipway.Documents.Specs;
using Slipway.Documents.Statements;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Units;
using Slipway.Server.Access;
using Slipway.Server.Alerting;
using Slipway.Server.Incidents;
using Slipway.Server.Ledger;
using Slipway.Server.Monitoring;
using Slipway.Server.Registry;
using Slipway.Server.Rollouts;
using Slipway.Server.Storage;
using Slipway.Stats.Sketches;
using Slipway.Tests.Server.Storage;

namespace Slipway.Tests.Server.Web;

/// <summary>
/// A server on which a good deal has happened: three versions, a rollout that did harm, one that is paused, traffic of a day with a fault in it, an alert and
/// an incident. Everything that people write ends with <see cref="Mark"/>.
/// </summary>
internal sealed class PageStage : IAsyncDisposable
{
    public const string Model = "flight-delay", Channel = "production", Harmful = "aaaaaaaaaaaa", Paused = "bbbbbbbbbbbb", Incident = "inc-000001", Rollback = "inc-000002";

    private const string Key = "00000000000000000000000000000000000000000000000000000000000000aa";

    private const long Minute = 60_000, Hour = 60 * Minute, Day = 24 * Hour;

    private static readonly string[] Metrics = ["auc", "brier", "ece", "log_loss"];

    private PageStage(string mark) => Mark = mark;

    /// <summary>What people's texts end with: nothing, or something that a page must show as it is.</summary>
    public string Mark { get; }

    public TestClock Clock { get; } = new();

    public TestServer Server { get; private set; } = null!;

    public Database Database { get; private set; } = null!;

    /// <summary>A person who may do everything but approve their own work.</summary>
    public string Token { get; private set; } = "";

    public string ViewerToken { get; private set; } = "";

    public long Now => Clock.GetUtcNow().ToUnixTimeMilliseconds();

    public static VersionRef Version(int number) => new(number, Digest.Of(System.Text.Encoding.UTF8.GetBytes($"bundle {number}")));

    public static async Task<PageStage> OpenAsync(string mark = "", DatabaseKind kind = DatabaseKind.Sqlite)
    {
        var stage = new PageStage(mark);
        try
        {
            stage.Server = await TestServer.StartAsync(kind, options => options with { Time = stage.Clock });
            stage.Token = (await stage.Server.NewTokenAsync(
                stage.Text("Olga"), [stage.Text("on-call")], [.. new[] { Role.Viewer, Role.Operator, Role.Approver, Role.Author }.Select(role => new RoleGrant(role, RoleGrant.AllModels))])).Token;
            stage.ViewerToken = (await stage.Server.NewTokenAsync("Vera", [], new RoleGrant(Role.Viewer, RoleGrant.AllModels))).Token;
            stage.Database = await stage.Server.Store.OpenAgainAsync();
            await stage.Database.ChangeAsync(stage.FillAsync, TestContext.Current.CancellationToken);
            return stage;
        }
        catch
        {
            await stage.DisposeAsync();
            throw;
        }
    }

    /// <summary>Every page there is, by what it is called.</summary>
    public static IReadOnlyList<(string Name, string Path)> Pages { get; } =
    [
        ("overview", "/"),
        ("model", $"/models/{Model}"),
        ("version", $"/models/{Model}/versions/3"),
        ("card", $"/models/{Model}/versions/3/card"),
        ("rollout-harm", $"/models/{Model}/channels/{Channel}/rollouts/{Harmful}"),
        ("rollout-paused", $"/models/{Model}/channels/staging/rollouts/{Paused}"),
        ("monitoring", $"/models/{Model}/channels/{Channel}/monitoring?range=24h"),
        ("monitoring-empty", $"/models/{Model}/channels/staging/monitoring"),
        ("alerts", "/alerts"),
        ("incidents", "/incidents"),
        ("incident", $"/incidents/{Incident}"),
        ("incident-rollback", $"/incidents/{Rollback}"),
        ("ledger", "/ledger"),
    ];

    public async ValueTask DisposeAsync()
    {
        if (Server is not null)
            await Server.DisposeAsync();
    }

    private string Text(string text) => text + Mark;

    private async Task FillAsync(Session session)
    {
        await RegisterAsync(session);
        await PromoteAsync(session);
        await ReleaseAsync(session);
        await TrafficAsync(session);
        await AlertAsync(session);
    }

    private async Task RegisterAsync(Session session)
    {
        await TrustedKeyTable.SaveAsync(session, new TrustedKey(Key, Text("the build's"), "", [KeyRole.Builder], null, 1, "user:admin", null));
        var alerts = ImmutableArray.Create(new AlertRule(Text("distance-drift"), "drift.max > 0.2", Channel, AlertSeverity.Critical, new Duration(TimeSpan.FromMinutes(5)), "docs/runbooks/drift.md"));
        var plan = ReleasePlan.Default with { Monitor = MonitorPlan.Default with { Alerts = alerts, Labels = new LabelRules(new Duration(TimeSpan.FromDays(30)), new Ratio(1)) } };
        await PlanTable.InsertAsync(session, new PlanVersion(Model, 1, plan.Digest, plan, "user:ada", Text("Ada"), Now - 40 * Day, Text("the first plan")), []);
        for (var number = 1; number <= 3; number++)
        {
            var bundle = Version(number).Bundle;
            var evaluation = Evaluate(number);
            var gates = new GateReport(bundle, number > 1 ? Version(number - 1).Bundle : null, Verdict.Pass,
            [
                new(Text("good-enough"), "auc >= 0.60", Verdict.Pass, Text($"auc = {evaluation.Metrics["auc"].Value} is wholly at least 0.60"), ImmutableSortedDictionary<string, Figure>.Empty.Add("auc", evaluation.Metrics["auc"])),
                new("calibrated", "ece <= 0.05", number == 3 ? Verdict.InsufficientEvidence : Verdict.Pass, "ece has no interval", ImmutableSortedDictionary<string, Figure>.Empty.Add("ece", new(0.03, null, null, 10, "too few units"))),
            ]);
            await VersionTable.InsertAsync(
                session, new ModelVersion(Model, number, bundle, plan.Digest, gates, [Key], "user:ada", Text("Ada"), Now - (40 - 10 * number) * Day, Text($"deeper trees, take {number}")),
                new SealedEvidence(evaluation, null, Lineage(number)), new SealedProfile("binary-classification", Signature, Reference, evaluation.Metrics));
            await CardTable.AddAsync(session, bundle, Card(number));
            await session.ExecuteAsync("INSERT INTO attestations (bundle, manifest, predicate_type, key_id) VALUES (@bundle, @bundle, @type, @Key)", new { bundle = bundle.ToString(), type = SlsaProvenance.PredicateType, Key });
        }
    }

    private Evaluation Evaluate(int number)
    {
        var values = Metrics.Zip(new[] { 0.66 + 0.02 * number, 0.16 - 0.005 * number, 0.02, 0.48 - 0.01 * number }, (name, value) => (name, value)).ToImmutableSortedDictionary(
            metric => metric.name, metric => new Figure(metric.value, metric.value * 0.975, metric.value * 1.025, 20_000), StringComparer.Ordinal);
        var slices = new[] { "AA", "DL", "UA", "HA", Text("B6") }.Select((carrier, i) => new SliceEvaluation(
            carrier, 8_000 / (i + 1), i == 3 ? ImmutableSortedDictionary<string, Figure>.Empty : values.SetItem("auc", new Figure(0.7 - 0.02 * i, 0.68 - 0.03 * i, 0.72 - 0.01 * i, 8_000 / (i + 1)))));
        return new Evaluation(
            Digest.Of(System.Text.Encoding.UTF8.GetBytes($"predictions {number}")), 20_000, 4_100, Text("day"), 61, Digest.Of([2]), "bca", 0.95, 1_000, 42, values,
            ImmutableSortedDictionary<string, ImmutableArray<SliceEvaluation>>.Empty.Add(Text("carrier"), [.. slices]));
    }

    private LineageGraph Lineage(int number)
    {
        Digest D(string text) => Digest.Of(System.Text.Encoding.UTF8.GetBytes($"{text} {number}"));
        ImmutableSortedDictionary<string, Digest> Map(params string[] names) => names.ToImmutableSortedDictionary(name => name, D, StringComparer.Ordinal);
        return new(
        [
            new("prepare", D("p"), Map(Text("flights"), "pipeline/prepare.sql"), Map("table", "holdout")),
            new("train", D("t"), Map("prepare.table", "pipeline/train.py"), Map("model")),
            new("score", D("s"), Map("train.model", "prepare.holdout", "pipeline/score.py"), Map("predictions")),
        ]);
    }

    private static ModelSignature Signature { get; } = new(
        [new("distance", Datatype.Float32, [-1, 1], new ValueRange(0, 5_000), "miles"), new("hour", Datatype.Int64, [-1], new ValueRange(0, 23), null), new("carrier", Datatype.String, [-1], null, null)],
        [new("probability", Datatype.Float32, [-1, 1], new ValueRange(0, 1), null)]);

    private ReferenceProfile Reference => new(
        [
            new("distance", Sensitivity.Public, [200, 400, 600, 900, 1_500], null, new(60_000, 0, [9_000, 14_000, 13_000, 11_000, 8_000, 5_000], new Moments(60_000, 30, 4_960, 720, 1e10, 0, 1e9))),
            new("hour", Sensitivity.Public, [6, 10, 14, 18], null, new(60_000, 0, [6_000, 15_000, 15_000, 14_000, 10_000], new Moments(60_000, 0, 23, 13, 1e6, 0, 1e6))),
            new("carrier", Sensitivity.Public, null, ["AA", Text("B6"), "DL"], new(60_000, 300, [20_000, 9_000, 18_000, 12_700], null)),
        ],
        [new("probability", Sensitivity.Public, [0.1, 0.2, 0.4], null, new(20_000, 0, [6_000, 7_000, 5_000, 2_000], new Moments(20_000, 0.01, 0.93, 0.19, 300, 1, 5)))]);

    private SealedCard Card(int number) => new(
        "binary-classification", "Apache-2.0", true, 42, Signature,
        [new CardSnapshot(Text("flights"), Digest.Of([3]), 4, 31_457_280, 3_000_000, [new("distance", "BIGINT"), new("delay", "BIGINT"), new(Text("carrier"), "VARCHAR")])],
        ImmutableSortedDictionary<string, DatasetSource>.Empty.Add(Text("flights"), new DatasetSource("https://example.org/flights", Text("public domain"))),
        [HostFingerprint.Of("python", "amd64", ImmutableSortedDictionary<string, string>.Empty.Add("python3", "3.11.2-1").Add("python3-sklearn", $"1.2.{number}"))],
        ImmutableSortedDictionary<string, Slipway.Documents.Hardware.HardwareProfile>.Empty.Add("small", new(1, 1, null, null, [], null, null, "fp32", null, null)));

    private async Task PromoteAsync(Session session)
    {
        foreach (var (number, channel) in new[] { (1, Channel), (2, Channel), (3, Channel), (3, "staging") })
        {
            var promotion = await PromotionTable.LastNumberAsync(session, Model) + 1;
            await PromotionTable.InsertAsync(session, new PromotionRow
            {
                Model = Model,
                Number = promotion,
                Version = number,
                Channel = channel,
                PlanNumber = 1,
                RequestedBy = "user:ada",
                RequestedByName = Text("Ada"),
                RequestedAt = Now - (30 - 9 * number) * Day,
                Reason = Text("it beats the one before"),
            });
            if (channel == Channel)
                await PromotionTable.AddVoteAsync(session, Model, promotion, new CastVote(new Approval("user:grace", Text("Grace"), [Text("model-risk")], true, Now - (29 - 9 * number) * Day, Text("the slices look right")), new Actor("user:grace", [])));
        }
    }

    private async Task ReleaseAsync(Session session)
    {
        var plan = ReleasePlan.Default.Channels[Channel] with { Guard = new Guard(new Ratio(0.02), new LatencyGuard(0.99, new Duration(TimeSpan.FromMilliseconds(500)))) };
        foreach (var (number, days) in new[] { (1, 29), (2, 12) })
            await ReleasedAsync(session, number, Now - days * Day, plan);
        var began = Now - 3 * Hour;
        var ended = began + 26 * Minute;
        var harm = Text("version 3 does harm: 41 bad answers of 1,180 against 22 of 10,640, by timeouts");
        var state = New(Harmful, Channel, 3, 2, plan, began) with
        {
            Phase = RolloutPhase.RolledBack,
            Step = 1,
            Weight = 0,
            Weights = [new(1, 0, began), new(2, 100, began + Minute), new(3, 1_000, began + 12 * Minute), new(4, 0, ended - Minute)],
            StepSince = ended - Minute,
            EndedAt = ended,
            Reason = harm,
        };
        var report = Report(state, JudgeVerdict.Harm, 9.2, ended - Minute);
        await RolloutTable.AddAsync(session, state);
        await RolloutTable.SaveEvidenceAsync(session, state.Id, null, report);
        await RolloutTable.SaveAsync(session, state);
        await PromotionTable.NoteHarmAsync(session, Model, 3, Channel, harm);
        for (var i = 0; i < 50; i++)
        {
            var at = began + Minute + i * (ended - began - 2 * Minute) / 49;
            var e = i < 24 ? -0.2 + 0.02 * Math.Sin(i) : Math.Pow(i - 23, 1.6) * 0.053;
            await EvidenceSeries.AddAsync(session, state with { Phase = RolloutPhase.Stepping }, Report(state, JudgeVerdict.InsufficientEvidence, e, at));
        }

        await EvidenceSeries.AddAsync(session, state, report);
        foreach (var (action, at, why) in new[] { ("rollout.started", began, "trees twice as deep"), ("rollout.step", began + Minute, "every live gateway holds version 3 ready: step 1 of 4 sends it 1 % of the requests"), ("rollout.rolling-back", ended - Minute, harm), ("rollout.rolled-back", ended, harm) })
            await ChannelHistory.AddAsync(session, new HistoryEntry(at, Model, Channel, Harmful, action, Version(2), Version(3), Version(2), action == "rollout.started" ? "user:olga" : "server", action == "rollout.started" ? Text("Olga") : "the server", Text(why), null, null, []));

        var paused = New(Paused, "staging", 3, null, plan with { Steps = [new(1_000, default, null, 0, null), new(10_000, default, null, 0, null)] }, Now - 20 * Minute) with
        {
            Phase = RolloutPhase.Paused,
            PausedIn = RolloutPhase.Stepping,
            Weight = 1_000,
            Weights = [new(1, 0, Now - 20 * Minute), new(2, 1_000, Now - 18 * Minute)],
            Reason = Text("Olga pauses: waiting for the label job"),
            Notes = [Text("the key 'the build's', which signed version 1, was revoked: the laptop was stolen")],
        };
        await RolloutTable.AddAsync(session, paused);
    }

    private RolloutState New(string id, string channel, int candidate, int? stable, ChannelPlan plan, long at) => new(
        id, Model, channel, RolloutKind.Release, Version(candidate), stable is { } number ? Version(number) : null, plan, plan.Strategy == Strategy.Canary ? Digest.Of([4]) : Digest.Of([5]), RolloutPhase.Stepping, null, 0, 0,
        [new(1, 0, at)], new string('0', 32), at, at, null, null, "user:olga", Text("Olga"), Text("trees twice as deep"), []);

    private static async Task ReleasedAsync(Session session, int number, long at, ChannelPlan plan)
    {
        var id = $"{number:x12}";
        var state = new RolloutState(
            id, Model, Channel, RolloutKind.Release, Version(number), number > 1 ? Version(number - 1) : null, plan, Digest.Of([4]), RolloutPhase.Promoted, null, 3, 10_000, [new(1, 0, at - Hour), new(2, 10_000, at - Hour / 2)], new string('0', 32),
            at - Hour, at, at, null, "user:olga", "Olga", $"version {number} is no worse in any step", []);
        await RolloutTable.AddAsync(session, state);
        await RolloutTable.SaveAsync(session, state);
        await LiveVersionTable.GoLiveAsync(session, state, new GoLive(Version(number), null));
        await ChannelHistory.AddAsync(session, new HistoryEntry(at, Model, Channel, id, "rollout.promoted", number > 1 ? Version(number - 1) : null, Version(number), Version(number), "server", "the server", $"version {number} is no worse in any step", null, null, []));
    }

    private JudgeReport Report(RolloutState s, JudgeVerdict verdict, double harm, long at)
    {
        ImmutableArray<long> latency = [.. Enumerable.Range(0, LatencyBuckets.Count).Select(i => i is > 20 and < 40 ? 60L - 3 * Math.Abs(i - 30) : 0)];
        return new(
            s.Id, at, s.Step, s.Plan.Strategy, s.Plan.Judge, s.Plan.Guard,
            new RolloutEvidence([new EvidenceCell(3, 1_000, new ArmEvidence(1_180, 41, 30, latency), new ArmEvidence(10_640, 22, 0, latency), [new(BadKind.Timeout, 30, 12), new(BadKind.Error, 9, 8)])], 0, 2, null),
            verdict, new EvidenceMeasure("harm", harm, 4.61, Text("the mean of 6 e-processes")), [new("timeout", harm + 1.4, 4.61, "30 of the candidate, 12 of the stable version"), new("error", 0.4, 4.61, "9 and 8")],
            [new("non-inferiority", -0.8, 4.61, "22 bad answers of the stable version")],
            [new(Arm.Candidate, 0.5, 0.021, 0.018, 0.025, 1_180), new(Arm.Candidate, 0.99, 0.4, 0.21, null, 1_180), new(Arm.Stable, 0.5, 0.014, 0.012, 0.015, 10_640), new(Arm.Stable, 0.99, 0.08, 0.07, 0.1, 10_640)],
            Text("timeouts: 30 of 1,180 against 12 of 10,640"), verdict == JudgeVerdict.InsufficientEvidence ? [Text("about 412 more requests to the candidate, if none of them is bad")] : []);
    }

    /// <summary>Version 2 all day but for two hours in the night, version 3 beside it during its rollout; from six hours ago on distances come in kilometres.</summary>
    private async Task TrafficAsync(Session session)
    {
        for (var at = Now - 24 * Hour; at < Now; at += 10 * Minute)
        {
            var hour = DateTimeOffset.FromUnixTimeMilliseconds(at).Hour;
            if (hour is 2 or 3)
                continue;
            var requests = (long)(3_000 + 2_000 * Math.Sin(hour / 24.0 * Math.Tau - 1.5));
            await AddAsync(session, at, 2, requests, requests / 500, at >= Now - 6 * Hour);
            if (at >= Now - 3 * Hour && at < Now - 2.5 * Hour)
                await AddAsync(session, at, 3, 400, 14, true);
        }
    }

    private static async Task AddAsync(Session session, long at, int version, long requests, long bad, bool inKilometres)
    {
        var sum = new WindowSum { Requests = requests, Sampled = requests };
        sum.Bad[(int)BadKind.Timeout] = bad;
        sum.Bad[(int)BadKind.Error] = bad / 3;
        for (var i = 0; i < 20; i++)
            sum.Latency[18 + i] = requests / 20;
        var n = requests / 60;
        sum.Add(0, inKilometres
            ? new ColumnProfile(n * 60, 0, [n * 3, n * 7, n * 10, n * 12, n * 13, n * 15], new Moments(n * 60, 48, 7_980, 1_160, 1e8, 0, 1e9))
            : new ColumnProfile(n * 60, 0, [n * 9, n * 14, n * 13, n * 11, n * 8, n * 5], new Moments(n * 60, 30, 4_960, 720, 1e8, 0, 1e9)));
        sum.Add(1, new ColumnProfile(n * 60, 0, [n * 6, n * 15, n * 15, n * 14, n * 10], new Moments(n * 60, 0, 23, 13, 1e5, 0, 1e6)));
        sum.Add(2, new ColumnProfile(n * 60, n, [n * 20, n * 8, n * 18, n * 13], null));
        sum.Add(3, new ColumnProfile(n * 60, 0, [n * 17, n * 21, n * 16, n * 6], new Moments(n * 60, 0.01, 0.9, 0.2, 100, 0, 1)));
        var quality = new QualitySum { Kept = 80 };
        for (var i = 0; i < 60; i++)
        {
            // As calibrated as can be, and from the fault on hardly better than chance.
            var (score, luck) = (0.05 + (i * 37 + at / 1_000) % 60 / 70.0, (i * 61 + at / 7_000) % 100 / 100.0);
            quality.Add("binary-classification", score, luck < (inKilometres ? 0.5 * score + 0.2 : score) ? 1 : 0);
        }

        foreach (var length in WindowLength.All)
            await QualityTable.AddAsync(session, Model, Channel, length.Milliseconds, length.StartOf(at), version, quality);
        foreach (var length in WindowLength.All)
            await WindowTable.AddAsync(session, new WindowKey(Model, Channel, length.Milliseconds, length.StartOf(at), version, TrafficArm.Stable), sum);
    }

    private async Task AlertAsync(Session session)
    {
        var rule = (await PlanTable.LatestAsync(session, Model))!.Plan.Monitor!.Alerts[0];
        var reason = Text("drift.max = 0.31 [0.28, 0.34] is wholly above 0.2: distance");
        var at = Now - 5 * Hour;
        await AlertTable.SaveAsync(session, new AlertMemory(new Alert(Model, Channel, rule, AlertState.Firing, at, Now, reason, Incident), 0, null, at));
        var view = await MonitoringReader.ReadAsync(session, Model, Channel, at - Hour, at, null);
        await IncidentTable.AddAsync(session, new Slipway.Documents.Incidents.Incident(
            Incident, Model, Channel, IncidentKind.Alert, rule.Name, Text("distance-drift fires on production"), AlertSeverity.Critical, at, null, null,
            new IncidentEvidence(reason, view, null, [3, 2], [new Exemplar(new string('a', 32), BadKind.Timeout, at - 1_000, 1.0)]), []));
        // A rollback's, with the windows that gateways had told by then: version 3 had not shown anything yet.
        var harmful = (await RolloutTable.FindAsync(session, Harmful))!;
        var opened = harmful.State.EndedAt!.Value - Minute;
        var before = await MonitoringReader.ReadAsync(session, Model, Channel, opened - Hour, opened - 26 * Minute, null);
        await IncidentTable.AddAsync(session, new Slipway.Documents.Incidents.Incident(
            Rollback, Model, Channel, IncidentKind.Rollback, Harmful, $"version 3 of {Model} was taken back from {Channel}", AlertSeverity.Critical, opened, null, null,
            new IncidentEvidence(harmful.State.Reason, before, new RolloutView(harmful.State with { Phase = RolloutPhase.RollingBack, EndedAt = null }, harmful.Report, [], []), [2], []), []));
        await IncidentTable.NoteAsync(session, Incident, new IncidentNote(at + 10 * Minute, "user:olga", Text("Olga"), Text("Distances look 1.6 times as long.\nAsked the feed's owners.")));
    }
}
