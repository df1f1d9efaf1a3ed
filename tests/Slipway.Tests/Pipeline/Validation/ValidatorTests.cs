using System.Collections.Immutable;
using Slipway.Documents.Datasets;
using Slipway.Documents.Reading;
using Slipway.Documents.Specs;
using Slipway.Engines.DuckDb;
using Slipway.Pipeline.Snapshots;
using Slipway.Pipeline.Validation;
using Slipway.Primitives.Faults;
using Slipway.Primitives.Units;
using Slipway.Store.Content;
using static Slipway.Documents.Datasets.ExpectationVerdict;

namespace Slipway.Tests.Pipeline.Validation;

public sealed class ValidatorTests : IDisposable
{
    private const string Flights =
        """
        SELECT * FROM (VALUES
            (TIMESTAMP '2001-01-01 00:10:00', 14, 405, 'MCI', 'MDW', 1.5::DOUBLE, true),
            (TIMESTAMP '2001-06-30 12:00:00', -11, 370, 'LAX', 'SFO', 'nan'::DOUBLE, false),
            (TIMESTAMP '2001-12-31 23:59:59', 2500, 0, 'lax', 'LAX', NULL, NULL),
            (NULL, NULL, 100, NULL, 'LAX', 9.0, true)
        ) t(date, delay, distance, origin, destination, ratio, flag)
        """;

    private readonly string folder = Directory.CreateTempSubdirectory("slipway-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory]
    [InlineData("date", "timestamp", Holds)]
    [InlineData("date", "date", Broken)]
    [InlineData("delay", "integer", Holds)]
    [InlineData("delay", "float", Broken)]
    [InlineData("origin", "string", Holds)]
    [InlineData("ratio", "float", Holds)]
    [InlineData("ratio", "integer", Broken)]
    [InlineData("flag", "boolean", Holds)]
    public void A_type_is_that_of_the_column(string column, string type, ExpectationVerdict verdict)
    {
        var result = One(Column(column) with { Type = type });
        Assert.Equal(verdict, result.Verdict);
        Assert.Equal(verdict == Broken, result.Detail is not null);
    }

    [Theory]
    [InlineData("distance", 0, Holds, 0)]
    [InlineData("delay", 0, Broken, 1)]
    [InlineData("delay", 0.24, Broken, 1)]
    [InlineData("delay", 0.25, Holds, 1)]
    public void Nulls_are_counted(string column, double share, ExpectationVerdict verdict, long bad)
    {
        var result = One(Column(column) with { Nulls = new Ratio(share) });
        Assert.Equal((verdict, bad, 4), (result.Verdict, result.Bad, result.Checked));
    }

    [Theory]
    [InlineData("delay", "-11", "2500", Holds, 0)]
    [InlineData("delay", "-10", "2500", Broken, 1)]
    [InlineData("delay", "-11", "2499", Broken, 1)]
    [InlineData("delay", "-10.5", "1e3", Broken, 2)]
    [InlineData("delay", null, "14", Broken, 1)]
    [InlineData("delay", "0", null, Broken, 1)]
    [InlineData("date", "2001-01-01", "2001-12-31", Holds, 0)]
    [InlineData("date", "2001-01-02", "2001-12-31", Broken, 1)]
    [InlineData("date", "2001-01-01", "2001-12-30", Broken, 1)]
    [InlineData("date", "2001-01-01", "2001-12-31 23:59:58", Broken, 1)]
    [InlineData("date", "2001-01-01T00:10:00Z", "9999-12-31", Holds, 0)]
    [InlineData("ratio", "0", "10", Broken, 1)]
    [InlineData("ratio", "0", null, Broken, 1)]
    [InlineData("ratio", null, "10", Broken, 1)]
    [InlineData("ratio", "2", "10", Broken, 2)]
    [InlineData("origin", "a", "z", NotChecked, 0)]
    [InlineData("delay", "low", "high", NotChecked, 0)]
    [InlineData("date", "-120", "2000", NotChecked, 0)]
    public void A_range_is_inclusive_leaves_nulls_alone_and_never_holds_for_NaN(string column, string? low, string? high, ExpectationVerdict verdict, long bad)
    {
        var result = One(Column(column) with { Low = low, High = high });
        Assert.Equal((verdict, bad), (result.Verdict, result.Bad));
    }

    [Fact]
    public void A_bound_of_a_float32_column_is_the_float32_that_was_written()
    {
        Assert.Equal(Holds, One(Column("x") with { Low = "0", High = "0.1" }, "SELECT 0.1::FLOAT AS x").Verdict);
        Assert.Equal(Broken, One(Column("x") with { Low = "0", High = "0.1" }, "SELECT 0.1000001::FLOAT AS x").Verdict);
        Assert.Equal(Holds, One(Column("x") with { Values = ["0.1"] }, "SELECT 0.1::FLOAT AS x").Verdict);
    }

    [Fact]
    public void A_bound_may_lie_outside_the_columns_type()
    {
        Assert.Equal(Holds, One(Column("x") with { Low = "-1000", High = "6000" }, "SELECT 100::TINYINT AS x").Verdict);
        Assert.Equal(Broken, One(Column("x") with { Low = "1000", High = "6000" }, "SELECT 100::TINYINT AS x").Verdict);
    }

    [Theory]
    [InlineData("origin", "^[A-Z]{3}$", Broken, 1)]
    [InlineData("origin", "^[A-Za-z]{3}$", Holds, 0)]
    [InlineData("origin", "A|a|M", Holds, 0)]
    [InlineData("origin", "it's [", NotChecked, 0)]
    [InlineData("delay", "^[0-9]+$", NotChecked, 0)]
    public void A_pattern_is_matched(string column, string pattern, ExpectationVerdict verdict, long bad)
    {
        var result = One(Column(column) with { Matches = pattern });
        Assert.Equal((verdict, bad), (result.Verdict, result.Bad));
    }

    [Theory]
    [InlineData("origin", "MCI LAX lax", Holds, 0)]
    [InlineData("origin", "MCI LAX", Broken, 1)]
    [InlineData("distance", "405 370 0 100", Holds, 0)]
    [InlineData("distance", "405 370 0", Broken, 1)]
    [InlineData("flag", "true", Broken, 1)]
    [InlineData("flag", "true false", Holds, 0)]
    [InlineData("flag", "true maybe", NotChecked, 0)]
    [InlineData("distance", "405 many", NotChecked, 0)]
    public void Only_allowed_values_pass(string column, string values, ExpectationVerdict verdict, long bad)
    {
        var result = One(Column(column) with { Values = [.. values.Split(' ')] });
        Assert.Equal((verdict, bad), (result.Verdict, result.Bad));
    }

    [Theory]
    [InlineData(null, 3L, Holds)]
    [InlineData(null, 2L, Broken)]
    [InlineData(3L, null, Holds)]
    [InlineData(4L, null, Broken)]
    public void Distinct_values_are_counted_without_null(long? min, long? max, ExpectationVerdict verdict)
    {
        var result = One(Column("origin") with { DistinctMin = min, DistinctMax = max });
        Assert.Equal(verdict, result.Verdict);
        Assert.Equal(verdict == Broken ? "found 3" : null, result.Detail);
    }

    [Theory]
    [InlineData(4L, 4L, Holds)]
    [InlineData(5L, null, Broken)]
    [InlineData(null, 3L, Broken)]
    public void Rows_are_counted(long? min, long? max, ExpectationVerdict verdict) =>
        Assert.Equal(verdict, Validate(None with { Rows = new(min, max, Severity.Error) }).Results.Single().Verdict);

    [Theory]
    [InlineData("a", 0.4, Broken)]
    [InlineData("a", 0.5, Holds)]
    [InlineData("a b", 0, Broken)]
    [InlineData("a b", 0.25, Holds)]
    [InlineData("a b c", 0, Holds)]
    public void Repeats_of_a_key_are_counted_and_nulls_are_equal(string columns, double tolerate, ExpectationVerdict verdict)
    {
        var expectations = None with { Unique = [new([.. columns.Split(' ')], new Ratio(tolerate), Severity.Error)] };
        var result = Validate(expectations, "SELECT * FROM (VALUES (1, 'x', 1), (1, 'x', 2), (NULL, 'x', 3), (NULL, 'y', 4)) t(a, b, c)").Results.Single();
        Assert.Equal(verdict, result.Verdict);
        if (columns == "a" && verdict == Broken)
            Assert.Equal((2, "a=1,(rows)=2|a=NULL,(rows)=2"), (result.Bad, string.Join('|', result.Examples.Select(row => $"a={row["a"]},(rows)={row["(rows)"]}"))));
    }

    [Theory]
    [InlineData("origin <> destination", Broken, 1)]            // null counts as broken
    [InlineData("origin IS NULL OR origin <> destination", Holds, 0)]
    [InlineData("distance >= 0 -- a comment", Holds, 0)]
    [InlineData("delay", NotChecked, 0)]
    [InlineData("1 / distance > 0 OR distance = 0", Holds, 0)]
    [InlineData("origin::INTEGER > 0", NotChecked, 0)]
    public void A_rule_is_true_of_every_row(string sql, ExpectationVerdict verdict, long bad)
    {
        var result = Validate(None with { Rules = [new("rule", sql, default, Severity.Error)] }).Results.Single();
        Assert.Equal((verdict, bad), (result.Verdict, result.Bad));
        Assert.Equal(verdict == NotChecked, result.Detail is not null);
    }

    [Fact]
    public void One_rule_that_fails_on_a_row_leaves_the_others_checked()
    {
        var report = Validate(None with
        {
            Columns = [Column("distance") with { Low = "0", High = "6000" }],
            Rules = [new("cast", "origin::INTEGER > 0", default, Severity.Error), new("fine", "distance >= 0", default, Severity.Error)],
        });
        Assert.Equal([Holds, NotChecked, Holds], report.Results.Select(result => result.Verdict));
        Assert.False(report.Passed);
    }

    [Fact]
    public void A_missing_column_breaks_what_is_expected_of_it()
    {
        var result = One(Column("orgin") with { Nulls = new Ratio(0), Matches = "x" });
        Assert.Equal((Broken, "there is no column 'orgin'; did you mean 'origin'?"), (result.Verdict, result.Detail));
        var unique = Validate(None with { Unique = [new(["date", "orgin"], default, Severity.Error)] }).Results.Single();
        Assert.Equal((Broken, result.Detail), (unique.Verdict, unique.Detail));
    }

    [Fact]
    public void Bad_rows_are_shown_and_at_most_five_of_them()
    {
        var result = One(Column("x") with { Low = "0", High = "9" }, $"SELECT i AS x, CASE WHEN i = 10 THEN NULL ELSE repeat('é', 1000) END AS long FROM range(100) t(i)");
        Assert.Equal((Broken, 90, 5), (result.Verdict, result.Bad, result.Examples.Length));
        Assert.Equal(["10", "11", "12", "13", "14"], result.Examples.Select(row => row["x"]));
        Assert.Equal("NULL", result.Examples[0]["long"]);
        Assert.Equal(new string('é', 120) + "…", result.Examples[1]["long"]);
    }

    [Fact]
    public void A_warning_does_not_stop_the_run_and_an_error_does()
    {
        var warn = None with { Columns = [Column("delay") with { Nulls = new Ratio(0), Severity = Severity.Warn }] };
        Assert.True(Validate(warn).Passed);
        Assert.False(Validate(None with { Columns = [Column("delay") with { Nulls = new Ratio(0) }] }).Passed);
    }

    [Fact]
    public void The_same_expectation_twice_is_checked_twice()
    {
        var twice = Column("delay") with { Nulls = new Ratio(0) };
        Assert.Equal(2, Validate(None with { Columns = [twice, twice] }).Results.Count(result => result.Verdict == Broken));
    }

    [Fact]
    public void A_report_is_kept_by_snapshot_and_expectations()
    {
        var taken = Take(Flights);
        var expectations = None with { Columns = [Column("delay") with { Nulls = new Ratio(0) }] };
        Assert.Null(Validator.Known(taken.Snapshot, expectations, Reading()));
        var first = Validator.Validate(taken, expectations, Reading(), TestContext.Current.CancellationToken);
        var second = Validator.Known(taken.Snapshot, expectations, Reading())!;
        Assert.Equal(first.Results.Single() with { Examples = [] }, second.Results.Single() with { Examples = [] });
        Assert.Equal(first.Results.Single().Examples.Single(), second.Results.Single().Examples.Single());
        Assert.Null(Validator.Known(taken.Snapshot, None, Reading()));
        var moved = expectations with { Columns = [expectations.Columns[0] with { At = new Place("other.yaml", 1, 1) }] };
        Assert.NotNull(Validator.Known(taken.Snapshot, moved, Reading()));
    }

    [Fact]
    public void A_kept_report_that_was_changed_is_none()
    {
        var taken = Take(Flights);
        var expectations = None with { Columns = [Column("delay") with { Nulls = new Ratio(0) }] };
        Validator.Validate(taken, expectations, Reading(), TestContext.Current.CancellationToken);
        var kept = Directory.EnumerateFiles(Reading().CacheFolder, "validation-*").Single();
        File.WriteAllText(kept, File.ReadAllText(kept).Replace("\"broken\"", "\"holds\""));
        Assert.Null(Validator.Known(taken.Snapshot, expectations, Reading()));
    }

    [Fact]
    public void A_report_with_something_unchecked_is_not_kept()
    {
        var taken = Take(Flights);
        var expectations = None with { Columns = [Column("delay") with { Matches = "x" }] };
        Validator.Validate(taken, expectations, Reading(), TestContext.Current.CancellationToken);
        Assert.Null(Validator.Known(taken.Snapshot, expectations, Reading()));
    }

    [Fact]
    public void Data_damaged_behind_the_footer_is_not_checked_and_never_passes()
    {
        var taken = Take("SELECT i, hash(i)::VARCHAR AS s FROM range(50000) t(i)");
        var bytes = File.ReadAllBytes(taken.Files[0]);
        Array.Fill(bytes, (byte)0xA5, 100, 20_000);
        File.WriteAllBytes(taken.Files[0], bytes);
        var damaged = Take(null);
        var report = Validator.Validate(damaged, None with { Columns = [Column("i") with { Nulls = new Ratio(0) }] }, Reading(), TestContext.Current.CancellationToken);
        Assert.Equal(NotChecked, report.Results.Single().Verdict);
        Assert.False(report.Passed);
    }

    [Fact]
    public void A_file_that_changed_since_the_snapshot_is_a_fault()
    {
        var taken = Take(Flights);
        Take("SELECT 1 AS delay");
        var e = Assert.Throws<SlipwayException>(() => Validator.Validate(taken, None with { Columns = [Column("delay") with { Nulls = new Ratio(0) }] }, Reading(), TestContext.Current.CancellationToken));
        Assert.Equal("changing-file", e.Faults[0].Code);
    }

    private static Expectations None { get; } = new(null, [], [], []);

    private static ColumnExpectation Column(string name) => new(name, null, null, null, null, null, [], null, null, default, Severity.Error);

    private ExpectationResult One(ColumnExpectation column, string sql = Flights) => Validate(None with { Columns = [column] }, sql).Results.Single();

    private ValidationReport Validate(Expectations expectations, string sql = Flights) =>
        Validator.Validate(Take(sql), expectations, Reading(), TestContext.Current.CancellationToken);

    private TakenSnapshot Take(string? sql)
    {
        var file = Path.Combine(folder, "data.parquet");
        if (sql is not null)
        {
            using var database = DuckDatabase.Open(new DuckOptions { ScratchFolder = Path.Combine(folder, "scratch"), AllowedPaths = [folder] });
            database.Execute($"COPY ({sql}) TO '{file}'");
        }

        return SnapshotTaker.Take(new DatasetSpec("flights", "data.parquet", null, null), folder, Reading(), TestContext.Current.CancellationToken);
    }

    private TableReading Reading() => new()
    {
        Index = DigestIndex.Open(Path.Combine(folder, "index")),
        CacheFolder = Path.Combine(folder, "cache"),
        ScratchFolder = Path.Combine(folder, "scratch"),
    };
}
