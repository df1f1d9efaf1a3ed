using System.Collections.Immutable;
using Slipway.Documents;
using Slipway.Documents.Evaluations;
using Slipway.Documents.Reading;
using Slipway.Documents.Specs;
using Slipway.Engines.DuckDb;
using Slipway.Pipeline.Evaluation;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;
using Slipway.Primitives.Units;
using Slipway.Tests.Stats.Metrics;

namespace Slipway.Tests.Pipeline.Evaluation;

public sealed class EvaluatorTests : IDisposable
{
    private static readonly EvaluateSpec Spec = new(
        "score.predictions", "late", "probability", "day", null, ["auc", "accuracy", "log_loss", "brier", "ece"], ["origin"], new Ratio(0.95), 300);

    private readonly string folder = Directory.CreateTempSubdirectory("slipway-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    /// <summary>The numbers of BinaryMetricsTests, from scikit-learn and numpy, through a file.</summary>
    [Theory]
    [InlineData(".parquet")]
    [InlineData(".csv")]
    [InlineData(".jsonl")]
    public void A_table_of_any_format_measures_as_scikit_learn_does(string extension)
    {
        var (evaluation, replicates, _, warnings) = Evaluate(Spec, Table(extension));
        Assert.Equal((1000, 435, 7, "day", "bca", 300, 42), (evaluation.Rows, evaluation.Positives, evaluation.Units, evaluation.Unit, evaluation.Method, evaluation.Resamples, evaluation.Seed));
        Assert.Equal(["accuracy", "auc", "brier", "ece", "ece_plain", "log_loss"], evaluation.Metrics.Keys);
        Assert.Equal(Right(), evaluation.Metrics["accuracy"].Value);
        Assert.Equal(0.744829620588, evaluation.Metrics["auc"].Value);
        Assert.Equal(0.978435505467, evaluation.Metrics["log_loss"].Value);
        Assert.Equal(0.207546875, evaluation.Metrics["brier"].Value);
        Assert.Equal(0.068214026075, evaluation.Metrics["ece"].Value, 1e-12);
        Assert.Equal(0.071625, evaluation.Metrics["ece_plain"].Value);
        foreach (var name in new[] { "accuracy", "auc", "brier", "ece", "log_loss" })
        {
            var figure = evaluation.Metrics[name];
            Assert.Equal((1000L, null), (figure.N, figure.Lacks));
            Assert.InRange(figure.Value, figure.Low!.Value, figure.High!.Value);
            Assert.Equal((300, 7), (replicates.Replicates[name].Length, replicates.LeaveOneOut[name].Length));
        }

        Assert.Null(evaluation.Metrics["ece_plain"].Low);
        Assert.DoesNotContain("ece_plain", replicates.Replicates.Keys);
        Assert.Equal("clipped-scores", Assert.Single(warnings).Code);
    }

    [Fact]
    public void The_documents_are_the_same_bytes_for_any_number_of_threads_and_read_back()
    {
        var table = Table(".parquet");
        var (one, many, otherSeed) = (Evaluate(Spec, table, threads: 1), Evaluate(Spec, table, threads: 7), Evaluate(Spec, table, seed: 43));
        Assert.Equal(Bytes(one), Bytes(many));
        Assert.NotEqual(Bytes(one), Bytes(otherSeed));
        var read = System.Text.Json.JsonSerializer.Deserialize(CanonicalJson.Serialize(one.Evaluation, DocumentJson.Default.Evaluation), DocumentJson.Default.Evaluation)!;
        Assert.Equal(one.Evaluation.Metrics, read.Metrics);

        static string Bytes(EvaluationOutcome outcome) => Convert.ToHexString(CanonicalJson.Serialize(outcome.Evaluation, DocumentJson.Default.Evaluation))
            + Convert.ToHexString(CanonicalJson.Serialize(outcome.Replicates, DocumentJson.Default.EvaluationReplicates))
            + Convert.ToHexString(CanonicalJson.Serialize(outcome.Curves, DocumentJson.Default.EvaluationCurves));
    }

    [Fact]
    public void Curves_are_of_the_same_rows_as_the_figures_and_agree_with_them()
    {
        var (evaluation, _, curves, _) = Evaluate(Spec, Table(".parquet"));
        Assert.Equal((evaluation.Rows, evaluation.Positives), (curves.Rows, curves.Positives));
        Assert.True(curves.IsConsistent());
        // The trapezoids of fewer points than there are scores: near the exact area, and not the same.
        var area = curves.Roc.Zip(curves.Roc.Skip(1), (a, b) => (b.Fpr - a.Fpr) * (a.Tpr + b.Tpr) / 2).Sum();
        Assert.Equal(evaluation.Metrics["auc"].Value, area, 0.01);
        Assert.Equal(evaluation.Positives, curves.Reliability.Sum(bin => bin.Observed * bin.N), 1e-6);
    }

    [Fact]
    public void Slices_are_measured_largest_first_and_small_ones_only_counted()
    {
        var slices = Evaluate(Spec, Table(".parquet")).Evaluation.Slices["origin"];
        Assert.Equal([("LAX", 660L), ("ATL", 330L), ("(null)", 10L)], slices.Select(slice => (slice.Value, slice.N)));
        Assert.Equal(660, slices[0].Metrics["auc"].N);
        Assert.NotNull(slices[0].Metrics["auc"].Low);
        Assert.Empty(slices[2].Metrics);
    }

    [Fact]
    public void Rows_are_their_own_units_without_a_unit_and_a_time_column_is_warned_of()
    {
        var (evaluation, replicates, _, warnings) = Evaluate(Spec with { Unit = null, Slices = [], Resamples = 50 }, Table(".parquet", ", DATE '2001-04-01' AS flown"));
        Assert.Equal((1000, (string?)null, "bca"), (evaluation.Units, evaluation.Unit, evaluation.Method));
        Assert.Equal(1000, replicates.LeaveOneOut["auc"].Length);
        Assert.Equal(["no-unit", "clipped-scores"], warnings.Select(warning => warning.Code));
        Assert.Contains("flown", warnings[0].Message);
        Assert.DoesNotContain("no-unit", Evaluate(Spec with { Unit = null, Slices = [], Resamples = 50 }, Table(".parquet")).Warnings.Select(warning => warning.Code));
    }

    [Fact]
    public void Beyond_1024_units_intervals_are_percentiles()
    {
        var (evaluation, replicates, _, _) = Evaluate(Spec with { Unit = null, Slices = [], Resamples = 50 }, Table(".parquet", copies: 2));
        Assert.Equal((2000, "percentile"), (evaluation.Units, evaluation.Method));
        Assert.NotNull(evaluation.Metrics["auc"].Low);
        Assert.Empty(replicates.LeaveOneOut["auc"]);
    }

    [Fact]
    public void Fewer_than_5_units_give_no_interval_and_say_so()
    {
        var (evaluation, replicates, _, warnings) = Evaluate(Spec with { Unit = "origin", Slices = [] }, Table(".parquet", where: "origin IS NOT NULL"));
        Assert.Equal(2, evaluation.Units);
        Assert.All(evaluation.Metrics.Values, figure => Assert.Null(figure.Low));
        Assert.Equal("2 units cannot tell how units vary; at least 5 are needed", evaluation.Metrics["auc"].Lacks);
        Assert.Empty(replicates.Replicates);
        Assert.Contains("few-units", warnings.Select(warning => warning.Code));
    }

    [Fact]
    public void Resamples_without_a_class_give_no_interval_for_auc_alone()
    {
        var (evaluation, replicates, _, _) = Evaluate(Spec with { Slices = [] }, Table(".parquet", where: "late = 0 OR day = 'day 3'"));
        Assert.Matches("^in [0-9]+ of 300 resamples a class is missing$", evaluation.Metrics["auc"].Lacks);
        Assert.NotNull(evaluation.Metrics["brier"].Low);
        Assert.DoesNotContain("auc", replicates.Replicates.Keys);
    }

    [Fact]
    public void A_unit_without_which_a_class_is_missing_gives_no_interval_even_if_every_resample_drew_it()
    {
        var table = Table(".parquet", where: "late = 0 OR day = 'day 3'");
        var reasons = Enumerable.Range(0, 10).Select(seed => Evaluate(Spec with { Slices = [], Resamples = 1 }, table, seed: seed).Evaluation.Metrics["auc"].Lacks).ToHashSet();
        Assert.Equal(["in 1 of 1 resamples a class is missing", "without one of the units a class is missing"], reasons.Order());
    }

    [Theory]
    [InlineData("late", "every row is right, so resamples do not tell how much that varies")]
    [InlineData("1 - late", "no row is right, so resamples do not tell how much that varies")]
    public void Accuracy_without_a_fault_or_without_a_hit_has_no_interval(string probability, string lacks)
    {
        var (evaluation, replicates, _, _) = Evaluate(Spec with { Slices = [], Resamples = 20 }, Table(".parquet", probability: probability));
        Assert.Equal((lacks, null), (evaluation.Metrics["accuracy"].Lacks, evaluation.Metrics["accuracy"].Low));
        Assert.DoesNotContain("accuracy", replicates.Replicates.Keys);
    }

    /// <summary>Of the thousand rows, the share on its side of a half.</summary>
    private static double Right()
    {
        var (scores, labels, _) = BinaryMetricsTests.Tied();
        return scores.Zip(labels).Count(row => row.First >= 0.5 == row.Second) / 1000.0;
    }

    [Fact]
    public void Only_declared_metrics_are_kept() =>
        Assert.Equal(["ece", "ece_plain"], Evaluate(Spec with { Metrics = ["ece"], Slices = [], Resamples = 20 }, Table(".parquet")).Evaluation.Metrics.Keys);

    [Fact]
    public void The_units_digest_depends_on_units_and_labels_and_not_on_scores_or_the_order_of_rows()
    {
        var spec = Spec with { Slices = [], Resamples = 20 };
        var first = Evaluate(spec, Table(".parquet")).Evaluation.UnitsDigest;
        Assert.Equal(first, Evaluate(spec, Table(".parquet", order: "ORDER BY probability DESC")).Evaluation.UnitsDigest);
        Assert.Equal(first, Evaluate(spec, Table(".parquet", probability: "0.5")).Evaluation.UnitsDigest);
        Assert.NotEqual(first, Evaluate(spec, Table(".parquet", where: "probability < 0.8")).Evaluation.UnitsDigest);

        var flipped = Table(".parquet", late: "CASE WHEN day = 'day 3' THEN 1 - late ELSE late END");
        Assert.NotEqual(first, Evaluate(spec, flipped).Evaluation.UnitsDigest);
        var rows = Evaluate(spec with { Unit = null }, Table(".parquet")).Evaluation.UnitsDigest;
        Assert.NotEqual(first, rows);
        Assert.NotEqual(rows, Evaluate(spec with { Unit = null }, flipped).Evaluation.UnitsDigest);
    }

    [Theory]
    [InlineData("CAST(late AS BOOLEAN)")]
    [InlineData("CAST(late AS DOUBLE)")]
    [InlineData("CAST(late AS DECIMAL(3, 1))")]
    public void A_label_may_be_any_number_0_or_1_or_a_boolean(string label) =>
        Assert.Equal(435, Evaluate(Spec with { Resamples = 20 }, Table(".parquet", late: label)).Evaluation.Positives);

    [Fact]
    public void Missing_columns_are_all_named_with_the_nearest_one()
    {
        var faults = Faults(Spec with { Label = "lat", Score = "zzz", Unit = "Day", Slices = ["origine"] }, Table(".parquet"));
        Assert.All(faults, fault => Assert.Equal("missing-column", fault.Code));
        Assert.Equal("evaluate.label names the column 'lat', which score.predictions does not have", faults[0].Message);
        Assert.Equal(["did you mean late?", "its columns are day, late, origin, probability", "did you mean day?", "did you mean origin?"], faults.Select(fault => fault.Help));
    }

    [Theory]
    [InlineData("CASE WHEN day = 'day 3' THEN 2 ELSE late END", "probability", "bad-label", "143 of 1000 rows: row 4 has 2")]
    [InlineData("CASE WHEN day = 'day 3' THEN NULL ELSE late END", "probability", "bad-label", "143 of 1000 rows: row 4 has null")]
    [InlineData("late", "CASE WHEN day = 'day 0' THEN NULL ELSE probability END", "bad-score", "143 of 1000 rows: row 1 has null")]
    [InlineData("late", "probability * 2", "bad-score", " rows: row ")]
    [InlineData("late", "CASE WHEN day = 'day 0' THEN 'nan'::DOUBLE ELSE probability END", "bad-score", "143 of 1000 rows: row 1 has NaN")]
    [InlineData("late", "-probability", "bad-score", " rows: row ")]
    [InlineData("CASE WHEN late = 1 THEN 'yes' ELSE 'no' END", "probability", "wrong-type", "is VARCHAR")]
    [InlineData("late", "CAST(probability AS VARCHAR)", "wrong-type", "is VARCHAR")]
    [InlineData("1", "probability", "one-class", "is 1 in all 1000 rows")]
    [InlineData("0", "probability", "one-class", "is 0 in all 1000 rows")]
    public void Rows_that_cannot_be_evaluated_are_counted_and_the_first_is_named(string late, string probability, string code, string message)
    {
        var fault = Assert.Single(Faults(Spec, Table(".parquet", late: late, probability: probability)));
        Assert.Equal(code, fault.Code);
        Assert.Contains(message, fault.Message);
    }

    [Fact]
    public void Bad_labels_scores_and_units_are_reported_together() =>
        Assert.Equal(["bad-label", "bad-score", "null-unit"], Faults(Spec with { Unit = "origin", Slices = [] }, Table(".parquet", late: "late + 1", probability: "probability + 1")).Select(fault => fault.Code));

    [Fact]
    public void An_empty_table_is_refused() =>
        Assert.Equal("empty-predictions", Assert.Single(Faults(Spec, Table(".parquet", where: "false"))).Code);

    [Fact]
    public void A_slice_column_with_more_than_1000_values_is_refused()
    {
        var table = Table(".parquet", ", row_number() OVER () AS number", copies: 2);
        Assert.Equal("too-many-slices", Assert.Single(Faults(Spec with { Slices = ["number"] }, table)).Code);
        Assert.Equal(1000, Evaluate(Spec with { Slices = ["number"], Resamples = 5 }, Table(".parquet", ", row_number() OVER () AS number")).Evaluation.Slices["number"].Length);
    }

    [Fact]
    public void A_cut_table_is_refused()
    {
        var table = Table(".parquet");
        using (var stream = File.OpenWrite(table))
            stream.SetLength(stream.Length / 2);
        Assert.Equal("unusable-table", Assert.Single(Faults(Spec, table)).Code);
    }

    [Fact]
    public void A_fault_stands_at_the_specs_place()
    {
        var fault = Faults(Spec with { Label = "lat", At = new Place("slipway.yaml", 40, 3) }, Table(".parquet"))[0];
        Assert.Equal(("slipway.yaml", 40, 3), (fault.File, fault.Line, fault.Column));
    }

    private EvaluationOutcome Evaluate(EvaluateSpec spec, string table, int threads = 2, long seed = 42) =>
        Evaluator.Evaluate(spec, seed, table, Digest.Of("predictions"u8), Path.Combine(folder, "scratch"), threads, TestContext.Current.CancellationToken);

    private IReadOnlyList<Fault> Faults(EvaluateSpec spec, string table)
    {
        var refused = Assert.Throws<SlipwayException>(() => Evaluate(spec, table));
        Assert.Equal(ExitCode.UnusableInput, refused.Exit);
        return refused.Faults;
    }

    /// <summary>The thousand tied rows with late, probability, day (seven) and origin (LAX, ATL and ten nulls), through SQL.</summary>
    private string Table(string extension, string more = "", string late = "late", string probability = "probability", string where = "true", string order = "", int copies = 1)
    {
        var (scores, labels, units) = BinaryMetricsTests.Tied();
        var rows = Enumerable.Range(0, 1000).Select(i => $"{(labels[i] ? 1 : 0)},{scores[i].ToString("R")},day {units[i]},{(i >= 990 ? "" : i % 3 == 0 ? "ATL" : "LAX")}");
        var csv = Path.Combine(folder, "rows.csv");
        File.WriteAllLines(csv, ["late,probability,day,origin", .. Enumerable.Repeat(rows, copies).SelectMany(each => each)]);
        var table = Path.Combine(folder, $"predictions-{Directory.GetFiles(folder).Length}{extension}");
        using var database = DuckDatabase.Open(new DuckOptions { ScratchFolder = Path.Combine(folder, "scratch"), AllowedPaths = [csv, table] });
        var format = extension switch { ".parquet" => "parquet", ".csv" => "csv", _ => "json" };
        database.Execute($"COPY (SELECT * REPLACE ({late} AS late, {probability} AS probability){more} FROM read_csv({SqlText.Literal(csv)}) WHERE {where} {order}) TO {SqlText.Literal(table)} (FORMAT {format})");
        return table;
    }
}
