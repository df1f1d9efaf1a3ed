using System.Text;
using Slipway.Documents;
using Slipway.Documents.Monitoring;
using Slipway.Documents.Rollouts;
using Slipway.Documents.Specs;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;
using Slipway.Primitives.Units;

namespace Slipway.Tests.Documents.Specs;

public sealed class MonitorTests
{
    [Fact]
    public void The_monitor_part_is_read_as_it_is_written()
    {
        var plan = Plan(
            """
            {
              window: 30 s, sample: 100 %, drift-limit: 0.1, labels: { key: id, within: 7 days, sample: 50 % },
              alerts: [{ name: drift, when: drift.max > 0.2, severity: critical, for: 1 min, remedy: docs/runbooks/drift.md, channel: staging }],
              capture: { share: 1 %, drop: [secret], mask: [x], keep: 1 day },
              retrain: [{ name: again, when: mae > 6, start: nightly, cool-down: 6 h, at-most: 2 }],
            }
            """);
        Assert.Equal((new Duration(TimeSpan.FromSeconds(30)), new Ratio(1), 0.1), (plan.Window, plan.Sample, plan.DriftLimit));
        Assert.Equal(new LabelRules(new Duration(TimeSpan.FromDays(7)), new Ratio(0.5)), plan.Labels);
        Assert.Equal(new AlertRule("drift", "drift.max > 0.2", "staging", AlertSeverity.Critical, new Duration(TimeSpan.FromMinutes(1)), "docs/runbooks/drift.md"), Assert.Single(plan.Alerts));
        Assert.Equal((new Ratio(0.01), "secret", "x", new Duration(TimeSpan.FromDays(1))), (plan.Capture!.Share, plan.Capture.Drop[0], plan.Capture.Mask[0], plan.Capture.Keep));
        Assert.Equal(new RetrainRule("again", "mae > 6", "production", "nightly", new Duration(TimeSpan.FromHours(6)), 2), Assert.Single(plan.Retrain));
    }

    [Fact]
    public void What_is_left_out_has_its_documented_default()
    {
        var plan = Plan("{}");
        Assert.Equal(
            CanonicalJson.Serialize(MonitorPlan.Default, MonitoringJson.Default.MonitorPlan), CanonicalJson.Serialize(plan, MonitoringJson.Default.MonitorPlan));
        Assert.Null(SpecText.Parse(SpecText.Small).Release);
        Assert.Equal(ReleasePlan.Default.Digest, (SpecText.Parse(WithReference("flights") + "\nmonitor: {}\n").Release! with { Monitor = null }).Digest);
    }

    [Fact]
    public void It_is_outside_the_sealed_spec_and_inside_the_plan()
    {
        var (with, without) = (SpecText.Parse(WithReference("flights") + "\nmonitor: { window: 10 min }\n"), SpecText.Parse(WithReference("flights")));
        Assert.Equal(Bytes(without.ForSeal()), Bytes(with.ForSeal()));
        Assert.NotEqual(ReleasePlan.Default.Digest, with.Release!.Digest);
    }

    [Theory]
    [InlineData("{ window: 1 s }", "bad-value", "window is 1 s, allowed 10 s to 30 d")]
    [InlineData("{ windw: 1 h }", "unknown-key", "nearest is 'window'")]
    [InlineData("{ window: 60 }", "wrong-unit", "window is 60")]
    [InlineData("{ sample: 110 % }", "wrong-unit", "sample is '110 %'")]
    [InlineData("{ drift-limit: 11 }", "bad-value", "drift-limit is 11")]
    [InlineData("{ labels: {} }", "missing-key", "labels lacks the key 'within'")]
    [InlineData("{ labels: { within: 91 days } }", "bad-value", "allowed 1 s to 90 d")]
    [InlineData("{ labels: { key: user, within: 1 h } }", "bad-value", "allowed id")]
    [InlineData("{ alerts: [{ name: a, when: drift.max > 0.2 }, { name: a, when: drift.max > 0.3 }] }", "bad-value", "two rules of alerts are called 'a'")]
    [InlineData("{ alerts: [{ name: a }] }", "missing-key", "lacks the key 'when'")]
    [InlineData("{ alerts: [{ name: a, when: drift.max > 0.2, remedy: 'javascript:alert(1)' }] }", "bad-value", "remedy is")]
    [InlineData("{ alerts: [{ name: a, when: drift.max > 0.2, remedy: ../../etc/passwd }] }", "bad-value", "remedy is")]
    [InlineData("{ alerts: [{ name: a, when: drift.max > 0.2, channel: qa }] }", "bad-value", "allowed staging, production")]
    [InlineData("{ alerts: [{ name: a, when: drift.max > }] }", "unexpected-token", "")]
    [InlineData("{ alerts: [{ name: a, when: drift.distence > 0.2 }] }", "unknown-figure", "distence")]
    [InlineData("{ retrain: [{ name: r, when: maf < 0.5, start: nightly }] }", "unknown-figure", "maf")]
    [InlineData("{ labels: { within: 1 h }, alerts: [{ name: a, when: auc < 0.6 }] }", "unknown-figure", "labels do not give 'auc' of a model whose task is regression")]
    [InlineData("{ labels: { within: 1 h }, alerts: [{ name: a, when: mae.delta > 1 }] }", "unknown-figure", "'mae' is not evaluated when this model is sealed")]
    [InlineData("{ alerts: [{ name: a, when: mae > 1 }] }", "unknown-figure", "'mae' needs outcomes, and monitor asks for none")]
    [InlineData("{ labels: {}, alerts: [{ name: a, when: mae > 1 }] }", "missing-key", "labels lacks the key 'within'")]
    [InlineData("{ capture: { share: 1 %, drop: [z] } }", "unknown-reference", "there is no input 'z'")]
    [InlineData("{ capture: { drop: [x] } }", "missing-key", "lacks the key 'share'")]
    [InlineData("{ capture: { share: 1 %, drop: [x], mask: [x] } }", "bad-value", "both dropped and masked")]
    [InlineData("{ capture: { share: 1 %, keep: 1 s } }", "bad-value", "allowed 1 min to 90 d")]
    [InlineData("{ retrain: [{ name: r, when: error_rate > 0.5 }] }", "missing-key", "lacks the key 'start'")]
    [InlineData("{ retrain: [{ name: r, when: error_rate > 0.5, start: ./train.sh }] }", "bad-name", "start is './train.sh'")]
    public void One_mistake_gives_one_fault(string monitor, string code, string message)
    {
        var fault = Assert.Single(Assert.Throws<SlipwayException>(() => Plan(monitor)).Faults);
        Assert.Equal(code, fault.Code);
        Assert.Contains(message, fault.Message, StringComparison.Ordinal);
        Assert.True(fault.Line > 0);
    }

    [Fact]
    public void Drift_without_a_reference_is_refused_where_its_condition_stands()
    {
        const string monitor = "\nmonitor: { alerts: [{ name: a, when: requests > 5 and drift.max > 0.2 }] }\n";
        var fault = Assert.Single(Assert.Throws<SlipwayException>(() => SpecText.Parse(WithReference("flights").Replace("  reference: flights\n", "", StringComparison.Ordinal) + monitor)).Faults);
        Assert.Equal(("unknown-figure", 12, monitor.IndexOf("drift", StringComparison.Ordinal)), (fault.Code, fault.Line, fault.Column));
        // A reference that is misspelt is one mistake.
        Assert.Equal("unknown-key", Assert.Single(Assert.Throws<SlipwayException>(() => SpecText.Parse(WithReference("flights").Replace("  reference:", "  referense:", StringComparison.Ordinal) + monitor)).Faults).Code);
        Assert.Equal("unknown-reference", Assert.Single(Assert.Throws<SlipwayException>(() => SpecText.Parse(WithReference("nothing") + monitor)).Faults).Code);
    }

    [Fact]
    public void What_a_version_gives_nothing_to_judge_by_is_named_for_a_plan_of_another()
    {
        var spec = SpecText.Parse(WithReference("flights"));
        var plan = MonitorPlan.Default with { Alerts = [new("well", "error_rate > 0.1", "production", AlertSeverity.Warn, default, null), new("worse", "auc < 0.6", "production", AlertSeverity.Warn, default, null)], Labels = new(new Duration(TimeSpan.FromHours(1)), new Ratio(1)) };
        Assert.Equal("the alert 'worse' can never be judged for this version: labels do not give 'auc' of a model whose task is regression", Assert.Single(WatchedModel.NeverJudged(spec, plan)));
    }

    [Theory]
    [InlineData("flights", InputKind.Dataset)]
    [InlineData("fit.o", InputKind.Output)]
    public void The_reference_is_a_dataset_or_an_output(string reference, InputKind kind) =>
        Assert.Equal((kind, reference), (SpecText.Parse(WithReference(reference)).Model!.Reference!.Kind, SpecText.Parse(WithReference(reference)).Model!.Reference!.Name));

    [Theory]
    [InlineData("flight", "nearest is 'flights'")]
    [InlineData("./data.csv", "allowed a dataset, or the output of a stage as stage.output")]
    [InlineData("fit.out", "stage 'fit' has no output 'out'")]
    public void A_reference_to_nothing_is_told(string reference, string message) =>
        Assert.Contains(message, Assert.Single(Assert.Throws<SlipwayException>(() => SpecText.Parse(WithReference(reference))).Faults).Message, StringComparison.Ordinal);

    [Fact]
    public void Columns_have_a_sensitivity_and_an_unknown_one_is_refused()
    {
        var sensitivity = SpecText.Parse(WithReference("flights")).Data["flights"].Sensitivity!;
        Assert.Equal((Sensitivity.Internal, Sensitivity.Sensitive), (sensitivity.Default, sensitivity.Columns["origin"]));
        var fault = Assert.Single(Assert.Throws<SlipwayException>(() => SpecText.Parse(WithReference("flights").Replace("origin: sensitive", "origin: secret", StringComparison.Ordinal))).Faults);
        Assert.Contains("allowed public, internal, sensitive", fault.Message, StringComparison.Ordinal);
    }

    private static MonitorPlan Plan(string monitor) => SpecText.Parse($"{WithReference("flights")}\nmonitor: {monitor.Replace("\n", "\n  ", StringComparison.Ordinal)}\n").Release!.Monitor!;

    private static string Bytes(Spec spec) => Encoding.UTF8.GetString(CanonicalJson.Serialize(spec, DocumentJson.Default.Spec));

    private static string WithReference(string reference) =>
        $$"""
        slipway: 1
        name: watched
        data: { flights: { path: data.csv, sensitivity: { default: internal, columns: { origin: sensitive } } } }
        stages: { fit: { run: ./fit, in: [flights], out: { o: build/o } } }
        model:
          artifact: fit.o
          runtime: onnx
          task: regression
          reference: {{reference}}
          signature:
            inputs: [{ name: x, type: float32, shape: [-1, 1] }, { name: secret, type: string, shape: [-1, 1] }]
            outputs: [{ name: y, type: float32, shape: [-1, 1] }]
        """;
}
