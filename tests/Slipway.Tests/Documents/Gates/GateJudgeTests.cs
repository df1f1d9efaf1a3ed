using System.Collections.Immutable;
using Slipway.Documents.Evaluations;
using Slipway.Documents.Gates;
using Slipway.Documents.Reading;
using Slipway.Documents.Specs;
using Slipway.Pipeline.Evaluation;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;
using Slipway.Primitives.Units;
using Slipway.Stats.Intervals;
using Slipway.Stats.Metrics;

namespace Slipway.Tests.Documents.Gates;

public class GateJudgeTests
{
    private static readonly EvaluateSpec Spec = new("a.b", "late", "probability", "day", null, ["auc", "log_loss", "brier", "ece"], ["hour"], new Ratio(0.95), 400);

    private static readonly SealedEvaluation Good = Evaluate(noise: 0.5);
    private static readonly SealedEvaluation Worse = Evaluate(noise: 0.8);

    [Theory]
    [InlineData("auc >= 0.6", Verdict.Pass)]
    [InlineData("auc >= 0.99", Verdict.Fail)]
    [InlineData("slices.hour.all(s, s.n < 5000 || s.auc > 0.55)", Verdict.Pass)]
    [InlineData("slices.hour.any(s, s.auc > 0.99)", Verdict.Fail)]
    public void A_gate_passes_or_fails(string require, Verdict verdict)
    {
        var report = GateJudge.Judge([Gate(require)], Good, null);
        Assert.Equal((verdict, verdict), (report.Verdict, report.Gates[0].Verdict));
        Assert.Equal((Good.Bundle, null, null), (report.Bundle, report.Baseline, report.Note));
        Assert.Equal(("gate", require), (report.Gates[0].Name, report.Gates[0].Require));
    }

    [Fact]
    public void A_bound_inside_the_interval_is_insufficient_evidence()
    {
        var auc = Good.Evaluation.Metrics["auc"];
        var report = GateJudge.Judge([Gate($"auc >= {auc.Value}")], Good, null);
        Assert.Equal(Verdict.InsufficientEvidence, report.Verdict);
        Assert.Equal(auc, report.Gates[0].Figures["auc"]);
        Assert.Contains("95 % over 40 units of day, straddles", report.Gates[0].Reason);
    }

    [Fact]
    public void An_identical_model_differs_by_exactly_nothing()
    {
        var report = GateJudge.Judge([Gate("auc.delta >= 0 and log_loss.delta <= 0 and brier.delta == 0 and ece.delta == 0")], Good, Good);
        Assert.Equal(Verdict.Pass, report.Verdict);
        Assert.All(report.Gates[0].Figures.Values, figure => Assert.Equal((0, 0, 0), (figure.Value, figure.Low, figure.High)));
    }

    [Fact]
    public void A_worse_model_is_seen_to_be_worse_and_pairing_makes_it_sharp()
    {
        var report = GateJudge.Judge([Gate("auc.delta > -0.005")], Worse, Good);
        Assert.Equal((Verdict.Fail, (Digest?)Good.Bundle), (report.Verdict, report.Baseline));
        var delta = report.Gates[0].Figures["auc.delta"];
        var (low, high) = (Worse.Evaluation.Metrics["auc"].Low - Good.Evaluation.Metrics["auc"].High, Worse.Evaluation.Metrics["auc"].High - Good.Evaluation.Metrics["auc"].Low);
        Assert.True(low < delta.Low && delta.High < high);
        Assert.Equal(Verdict.Pass, GateJudge.Judge([Gate("auc.delta > 0")], Good, Worse).Verdict);
    }

    [Fact]
    public void A_baseline_on_other_examples_cannot_be_compared_and_passes_nothing()
    {
        foreach (var (baseline, reason) in new (SealedEvaluation, string)[]
        {
            (Evaluate(0.5, days: 39), "rest on different examples or units"),
            (Evaluate(0.5, resamples: 401), "have 400 and 401 resamples"),
            (Evaluate(0.5, seed: 43), "resampled with the seeds 42 and 43"),
            (Good with { Evaluation = Good.Evaluation with { Confidence = 0.9 } }, "have confidence 0.95 and 0.9"),
            (Good with { Evaluation = Good.Evaluation with { Method = "percentile" } }, "by bca and percentile"),
            (Good with { Evaluation = Good.Evaluation with { Metrics = Good.Evaluation.Metrics.Remove("auc") } }, "has no auc"),
        })
        {
            var report = GateJudge.Judge([Gate("auc.delta > -0.9"), Gate("auc.delta < -0.9")], Good, baseline);
            Assert.Equal(Verdict.InsufficientEvidence, report.Verdict);
            Assert.All(report.Gates, gate => Assert.Equal(Verdict.InsufficientEvidence, gate.Verdict));
            Assert.Contains(reason, report.Gates[0].Reason);
        }
    }

    [Fact]
    public void Replicates_that_were_cut_pass_nothing()
    {
        var cut = Good with { Replicates = Good.Replicates with { Replicates = Good.Replicates.Replicates.SetItem("auc", [0.5]) } };
        var none = Good with { Replicates = Good.Replicates with { LeaveOneOut = Good.Replicates.LeaveOneOut.Remove("auc") } };
        foreach (var baseline in new[] { cut, none })
        {
            var gate = GateJudge.Judge([Gate("auc.delta > -0.9")], Good, baseline).Gates[0];
            Assert.Equal(Verdict.InsufficientEvidence, gate.Verdict);
            Assert.Contains("the sealed replicates are incomplete", gate.Reason);
        }
    }

    [Fact]
    public void A_baseline_that_is_named_and_not_at_hand_is_no_skip()
    {
        var report = GateJudge.Judge([Gate("auc > 0.6"), Gate("auc.delta > -0.005") with { WithoutBaseline = WithoutBaseline.Skip }], Good, null, "the baseline is somewhere else");
        Assert.Equal((Verdict.InsufficientEvidence, Verdict.Pass), (report.Verdict, report.Gates[0].Verdict));
        Assert.Equal((Verdict.InsufficientEvidence, "the baseline is somewhere else"), (report.Gates[1].Verdict, report.Gates[1].Reason));
    }

    [Fact]
    public void Without_a_baseline_a_delta_is_skipped_only_where_the_gate_says_so()
    {
        var skipped = Gate("auc.delta > -0.005") with { WithoutBaseline = WithoutBaseline.Skip };
        var report = GateJudge.Judge([Gate("auc > 0.6"), skipped], Good, null);
        Assert.Equal((Verdict.Pass, Verdict.NotEvaluated), (report.Verdict, report.Gates[1].Verdict));

        report = GateJudge.Judge([Gate("auc > 0.6"), Gate("auc > 0.5 or auc.delta > -0.005")], Good, null);
        Assert.Equal((Verdict.InsufficientEvidence, Verdict.InsufficientEvidence), (report.Verdict, report.Gates[1].Verdict));
        Assert.Contains("there is no baseline", report.Gates[1].Reason);
    }

    [Fact]
    public void Nothing_evaluated_is_no_pass()
    {
        var none = GateJudge.Judge([], Good, null);
        Assert.Equal(Verdict.InsufficientEvidence, none.Verdict);
        Assert.StartsWith("no gate is declared", none.Note);

        var skipped = GateJudge.Judge([Gate("auc.delta > 0") with { WithoutBaseline = WithoutBaseline.Skip }], Good, null);
        Assert.Equal(Verdict.InsufficientEvidence, skipped.Verdict);
        Assert.StartsWith("no gate could be evaluated", skipped.Note);
    }

    [Fact]
    public void One_failure_outweighs_lacking_evidence_and_that_outweighs_passes()
    {
        GateSpec pass = Gate("auc > 0.5"), unknown = Gate($"auc > {Good.Evaluation.Metrics["auc"].Value}"), fail = Gate("auc > 0.99");
        Assert.Equal(Verdict.Fail, GateJudge.Judge([pass, unknown, fail], Good, null).Verdict);
        Assert.Equal(Verdict.InsufficientEvidence, GateJudge.Judge([pass, unknown], Good, null).Verdict);
        Assert.Equal(Verdict.Pass, GateJudge.Judge([pass, pass], Good, null).Verdict);
    }

    [Fact]
    public void The_plain_calibration_error_decides_nothing()
    {
        var gate = GateJudge.Judge([Gate("ece_plain < 1")], Good, null).Gates[0];
        Assert.Equal(Verdict.InsufficientEvidence, gate.Verdict);
        Assert.Contains("ask for ece", gate.Reason);
    }

    [Theory]
    [InlineData("acu > 0.5", "unknown-figure", "did you mean auc?")]
    [InlineData("brier < 0.5", "unknown-figure", "there are: auc, auc.delta")]
    [InlineData("slices.hours.all(s, s.auc > 0.5)", "unknown-slice", "did you mean hour?")]
    [InlineData("auc >", "unexpected-token", null)]
    public void A_condition_that_cannot_be_judged_is_an_error_at_its_place(string require, string code, string? help)
    {
        var onlyAuc = Good with { Evaluation = Good.Evaluation with { Metrics = Good.Evaluation.Metrics.RemoveRange(["brier", "ece", "ece_plain", "log_loss"]) } };
        var gate = Gate(require) with { At = new Place("slipway.yaml", 50, 5) };
        var fault = Assert.Single(Assert.Throws<SlipwayException>(() => GateJudge.Judge([gate], onlyAuc, null)).Faults);
        Assert.Equal((code, "slipway.yaml", 50, 5), (fault.Code, fault.File, fault.Line, fault.Column));
        Assert.StartsWith("gate 'gate', at ", fault.Message);
        Assert.Equal(help, fault.Help);
    }

    private static GateSpec Gate(string require) => new("gate", require, WithoutBaseline.Refuse);

    /// <summary>A model that sees the true rate through noise; more noise, worse model. The examples are the same for any noise.</summary>
    private static SealedEvaluation Evaluate(double noise, int days = 40, int resamples = 400, long seed = 42)
    {
        const int rowsADay = 100, hours = 4;
        var examples = new Philox(1, 0);
        var errors = new Philox(2, 0);
        var (scores, labels, units, codes) = (new double[days * rowsADay], new bool[days * rowsADay], new int[days * rowsADay], new int[days * rowsADay]);
        for (var i = 0; i < scores.Length; i++)
        {
            var rate = examples.Next() / (double)uint.MaxValue;
            labels[i] = examples.Next() / (double)uint.MaxValue < rate;
            scores[i] = (1 - noise) * rate + noise * errors.Next() / uint.MaxValue;
            (units[i], codes[i]) = (i / rowsADay, i % hours);
        }

        string[] names = [.. Enumerable.Range(0, days).Select(day => $"{day:00}")];
        var predictions = new Predictions(new LabelledScores(scores, labels, units, days), names, [new SliceColumn("hour", codes, ["0", "1", "2", "3"])], []);
        var digest = Digest.Of([(byte)(noise * 100)]);
        var outcome = Evaluator.Evaluate(Spec with { Resamples = resamples }, seed, predictions, digest, threads: 2, TestContext.Current.CancellationToken);
        return new SealedEvaluation(digest, outcome.Evaluation, outcome.Replicates);
    }
}
