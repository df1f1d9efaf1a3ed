using System.Collections.Immutable;
using Slipway.Cli;
using Slipway.Cli.Verbs;
using Slipway.Documents.Evaluations;
using Slipway.Documents.Incidents;
using Slipway.Documents.Monitoring;
using Slipway.Documents.Rollouts;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;
using Slipway.Primitives.Units;
using Slipway.Stats.Sketches;

namespace Slipway.Tests.Cli;

public sealed class MonitorTextTests
{
    /// <summary>2026-05-31 12:00:00 UTC.</summary>
    private const long Noon = 1_780_228_800_000;

    [Theory]
    [InlineData(null, null, null, "")]
    [InlineData("15min", null, null, "?last=900000")]
    [InlineData(null, "2026-05-31T12:00", null, "?from=1780228800000")]
    [InlineData(null, null, "2026-05-31T12:00:00Z", "?to=1780228800000")]
    [InlineData(null, "2026-05-31 12:00", "2026-05-31T14:30:00+02:00", "?from=1780228800000&to=1780230600000")]
    public void A_span_is_asked_for_by_its_length_or_its_ends(string? last, string? from, string? to, string query) => Assert.Equal(query, MonitorVerb.Span(last, from, to));

    [Theory]
    [InlineData("1h", "2026-05-31", null, "bad-span", "--last stands beside --from, allowed is one of the two")]
    [InlineData("1h", null, "2026-05-31", "bad-span", "--last stands beside --to, allowed is one of the two")]
    [InlineData(null, "yesterday", null, "bad-time", "--from is 'yesterday', allowed is a date or time in UTC, such as 2026-05-01, 2026-05-01T12:00 or 2026-05-01T12:00:00Z")]
    [InlineData(null, null, "12:00", "bad-time", "--to is '12:00', allowed is a date or time in UTC, such as 2026-05-01, 2026-05-01T12:00 or 2026-05-01T12:00:00Z")]
    [InlineData(null, "2026-05-31T12:00", "2026-05-31T12:00", "bad-span", "--from is 2026-05-31 12:00:00 UTC, allowed is before --to, 2026-05-31 12:00:00 UTC")]
    public void A_span_that_is_none_is_refused(string? last, string? from, string? to, string code, string message)
    {
        var fault = Assert.Single(Assert.Throws<SlipwayException>(() => MonitorVerb.Span(last, from, to)).Faults);
        Assert.Equal((code, message), (fault.Code, fault.Message));
    }

    [Fact]
    public void Drift_says_which_span_it_is_of_whatever_else_is_shown()
    {
        var version = Version(2, Feature("distance", 0.38, DriftVerdict.Drift, since: Noon - 60_000));
        Assert.Equal(
            [
                "drift      over the last 30 s of its traffic, up to 2026-05-31 12:00:00Z",
                "drift      distance                  drift                  psi 0.3800 [0.2800, 0.4800], limit 0.2, since 2026-05-31 11:59:00Z or before",
            ],
            MonitorText.Drift(View(version) with { To = Noon + 10_000 }, version));
        Assert.Equal("drift      over the last 30 s up to 2026-05-31 12:00:00Z", MonitorText.Drift(View(version), version).First());
        Assert.Equal(["drift      is not judged: no reference is sealed in this version"], MonitorText.Drift(View(Version(2)), Version(2)));
    }

    [Fact]
    public void What_intervals_rest_on_is_explained()
    {
        Assert.Equal("intervals rest on rows: too narrow where neighbours in time go wrong together", MonitorText.Basis(IntervalBasis.Rows));
        Assert.Equal(["there are no intervals yet", "intervals rest on windows"], [MonitorText.Basis(IntervalBasis.None), MonitorText.Basis(IntervalBasis.Windows)]);
    }

    [Fact]
    public void An_incident_is_told_in_the_words_of_the_monitor()
    {
        var lines = Told(IncidentKind.Alert, "drift.max = 0.38", View(Version(2, Feature("distance", 0.38, DriftVerdict.Drift, since: Noon), Feature("hour", 0.5, DriftVerdict.InsufficientEvidence))));
        Assert.Contains("    version 2: 9,451 requests, errors 2.65 % [1 %, 5 %], p99 762 ms [700 ms, ?]: too few answers", lines);
        Assert.Contains("      drift      distance                  drift                  psi 0.3800 [0.2800, 0.4800], limit 0.2, since 2026-05-31 12:00:00Z or before", lines);
        Assert.DoesNotContain(lines, line => line.Contains("hour", StringComparison.Ordinal));
    }

    [Fact]
    public void Of_an_alert_about_drift_the_largest_features_are_shown_though_none_is_found_to_have_drifted()
    {
        var version = Version(2, [.. new[] { 0.01, 0.15, 0.09, 0.12 }.Select((distance, i) => Feature($"x{i}", distance, DriftVerdict.NoDrift)), Feature("score", 0.19, DriftVerdict.NoDrift, isOutput: true)]);
        var shown = Told(IncidentKind.Alert, "drift.max = 0.15 [0.1, 0.2] (x1), over 1 h, is wholly > 0.05", View(version)).Where(line => line.Contains("psi", StringComparison.Ordinal)).Select(line => line.Trim()[11..35].Trim() + line[43..51]).ToArray();
        Assert.Equal(["x1no-drift", "x3no-drift", "x2no-drift"], shown);
        Assert.DoesNotContain(Told(IncidentKind.Alert, "error_rate = 0.02", View(version)), line => line.Contains("psi", StringComparison.Ordinal));
    }

    [Fact]
    public void Beside_the_judges_counts_and_the_gateways_stands_why_they_differ()
    {
        var plan = ReleasePlan.Default.Channels[ReleasePlan.Production];
        var candidate = new VersionRef(3, Digest.Of([3]));
        var state = new RolloutState(
            "9be07a41123e", "m", "production", RolloutKind.Release, candidate, null, plan, Digest.Of([4]), RolloutPhase.RollingBack, null, 0, 100, [], "", Noon, Noon, null, null, "user:olga", "Olga", "harm", []);
        var report = new JudgeReport(
            state.Id, Noon, 0, plan.Strategy, plan.Judge, plan.Guard, new RolloutEvidence([new EvidenceCell(2, 100, new ArmEvidence(26, 0, 9, []), new ArmEvidence(0, 0, 0, []), [])], 0, 1, null),
            JudgeVerdict.Harm, new EvidenceMeasure("harm", 9, 4.61, "1"), [], [], [], "late", []);
        var lines = Told(IncidentKind.Rollback, "harm", View(Version(3)), new RolloutView(state, report, [], []));
        Assert.Contains(lines, line => line.Contains("9 bad answers to 26 requests, 34.62 % [11.35, 64.73] (anytime-valid), the stable version no requests", StringComparison.Ordinal));
        Assert.Contains(lines, line => line.StartsWith("    counts may differ: the judge goes by its own events up to its decision (2026-05-31 12:00:00Z)", StringComparison.Ordinal));
        Assert.DoesNotContain(Told(IncidentKind.Rollback, "harm", View(Version(2)), new RolloutView(state, report, [], [])), line => line.Contains("counts may differ", StringComparison.Ordinal));
    }

    private static string[] Told(IncidentKind kind, string reason, MonitoringView view, RolloutView? rollout = null) =>
        [.. IncidentText.Of(new Incident("inc-000001", "m", "production", kind, "s", "t", AlertSeverity.Warn, Noon, null, null, new IncidentEvidence(reason, view, rollout, [], []), []))];

    private static MonitoringView View(VersionMonitoring version) =>
        new("m", "production", Noon - 60_000, Noon, 10_000, MonitorPlan.Default with { Window = new Duration(TimeSpan.FromSeconds(30)) }, null, [version], [], 0);

    private static VersionMonitoring Version(int number, params FeatureDrift[] drift) => new(
        number, Digest.Of([1]),
        new WindowFigures(
            0, 1, 9_451, [], new Figure(0.0265, 0.01, 0.05, 9_451), ImmutableSortedDictionary<string, Figure>.Empty.Add("p99", new(0.7617, 0.7, null, 20, "too few answers")), null, 0, 0,
            ImmutableSortedDictionary<string, Figure>.Empty, IntervalBasis.None),
        [], [.. drift], ImmutableSortedDictionary<string, Figure>.Empty, 0, 0, [])
    {
        DriftTo = Noon,
    };

    private static FeatureDrift Feature(string name, double distance, DriftVerdict verdict, long? since = null, bool isOutput = false) => new(
        name, isOutput, "psi", new Figure(distance, distance - 0.1, distance + 0.1, 100), 0.2, verdict, since,
        new ReferenceFeature(name, Sensitivity.Public, null, null, new ColumnProfile(0, 0, [], null)), new ColumnProfile(0, 0, [], null), [])
    {
        SinceOrBefore = since is not null,
    };
}
