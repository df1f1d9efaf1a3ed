using System.Text;
using Slipway.Documents.Datasets;
using Slipway.Documents.Reading;
using Slipway.Primitives.Faults;
using Slipway.Primitives.Units;

namespace Slipway.Tests.Documents.Datasets;

public sealed class ExpectationsParserTests
{
    private static readonly string Folder = Path.Combine(AppContext.BaseDirectory, "Documents/Datasets/vectors");

    [Fact]
    public void The_documented_example_is_read_whole()
    {
        var read = ExpectationsParser.Load(Folder, "flights.yaml");

        Assert.Equal(new RowCountExpectation(1_000_000, null, Severity.Error) { At = new("flights.yaml", 2, 1) }, read.Rows);
        Assert.Equal(["date", "delay", "distance", "origin"], read.Columns.Select(column => column.Column));
        var (date, delay, origin) = (read.Columns[0], read.Columns[1], read.Columns[3]);
        Assert.Equal(("timestamp", new Ratio(0), "2001-01-01", "2001-12-31", new Place("flights.yaml", 4, 3)), (date.Type, date.Nulls!.Value, date.Low, date.High, date.At));
        Assert.Equal(("-120", "2000", Severity.Warn, new Ratio(0.0001), null), (delay.Low, delay.High, delay.Severity, delay.Tolerate, delay.Nulls));
        Assert.Equal(("^[A-Z]{3}$", null, 400), (origin.Matches, origin.DistinctMin, origin.DistinctMax!.Value));
        Assert.Equal(("date origin destination delay", new Ratio(0.0002), Severity.Error), (string.Join(' ', read.Unique[0].Columns), read.Unique[0].Tolerate, read.Unique[0].Severity));
        Assert.Equal(("a flight goes somewhere else", "origin <> destination", new Ratio(0)), (read.Rules[0].Name, read.Rules[0].Sql, read.Rules[0].Tolerate));
    }

    [Fact]
    public void Values_and_open_ranges_are_kept_as_written()
    {
        var read = Parse("columns: { a: { values: [1, '2', x, true] }, b: { range: [~, 1.50] }, x-c: { range: ['12:00:00', 13:00:00.5] }, d: {} }");
        Assert.Equal(["1", "2", "x", "true"], read.Columns[0].Values.AsEnumerable());
        Assert.Equal((null, "1.50"), (read.Columns[1].Low, read.Columns[1].High));
        // A column may be called x-c; its expectation is not a key of the user's own.
        Assert.Equal(("x-c", "12:00:00", "13:00:00.5"), (read.Columns[2].Column, read.Columns[2].Low, read.Columns[2].High));
        Assert.Equal("d", read.Columns[3].Column);
    }

    [Theory]
    [InlineData("", "no-expectations", 1, 1, "expects nothing")]
    [InlineData("columns: { a: {} }\ndrift: { reference: previous }", "unknown-key", 3, 1, "unknown key 'drift'")]
    [InlineData("row: { min: 1 }", "unknown-key", 2, 1, "nearest is 'rows'")]
    [InlineData("rows: {}", "missing-key", 2, 1, "neither min nor max")]
    [InlineData("rows: { min: 2, max: 1 }", "bad-value", 2, 1, "min 2 and max 1")]
    [InlineData("rows: { min: 1e6 }", "wrong-type", 2, 14, "min is 1e6, allowed a whole number")]
    [InlineData("columns: { a: { tpye: string } }", "unknown-key", 2, 17, "nearest is 'type'")]
    [InlineData("columns: { a: { type: int } }", "bad-value", 2, 23, "allowed boolean, integer")]
    [InlineData("columns: { a: { nulls: 5 } }", "wrong-unit", 2, 24, "nulls is 5, allowed a share from 0 to 1, such as 5 % or 0.05")]
    [InlineData("columns: { a: { range: [1] } }", "bad-value", 2, 24, "has 1 items, allowed 2")]
    [InlineData("columns: { a: { range: [1, abc] } }", "bad-value", 2, 28, "is 'abc', allowed a number, a date")]
    [InlineData("columns: { a: { range: [2, 1] } }", "bad-value", 2, 24, "from 2 to 1")]
    [InlineData("columns: { a: { range: [2001-02-01, 2001-01-01 00:00:00] } }", "bad-value", 2, 24, "smaller value first")]
    [InlineData("columns: { a: { range: [1, 2001-01-01] } }", "bad-value", 2, 24, "from a number to a date")]
    [InlineData("columns: { a: { range: [2001-02-30, ~] } }", "bad-value", 2, 25, "is '2001-02-30'")]
    [InlineData("columns: { a: { range: [~, ~] } }", "bad-value", 2, 24, "open at both ends")]
    [InlineData("columns: { a: { type: string, range: [1, ~] } }", "bad-value", 2, 39, "of type string")]
    [InlineData("columns: { a: { type: integer, range: [1, 2.5] } }", "bad-value", 2, 43, "2.5, a fraction")]
    [InlineData("columns: { a: { type: timestamp, range: [1, ~] } }", "bad-value", 2, 42, "1, a number")]
    [InlineData("columns: { a: { type: integer, matches: x } }", "bad-value", 2, 12, "has matches")]
    [InlineData("columns: { a: { tolerate: 1 % } }", "bad-value", 2, 12, "has tolerate")]
    [InlineData("columns: { a: { distinct: {} } }", "missing-key", 2, 17, "neither min nor max")]
    [InlineData("columns: { a: { values: [] } }", "bad-value", 2, 25, "has 0 items")]
    [InlineData("columns: { a: { values: [yes] } }", "wrong-type", 2, 26, "is yes")]
    [InlineData("columns: { a: { severity: fatal } }", "bad-value", 2, 27, "allowed error, warn")]
    [InlineData("unique: [{ columns: [] }]", "bad-value", 2, 21, "has 0 items")]
    [InlineData("unique: [{ tolerate: 1 % }]", "missing-key", 2, 10, "lacks the key 'columns'")]
    [InlineData("rules: [{ name: a, sql: x }, { name: a, sql: y }]", "duplicate-value", 2, 30, "two rules are called 'a'")]
    [InlineData("rules: [{ name: a }]", "missing-key", 2, 9, "lacks the key 'sql'")]
    public void One_mistake_gives_one_fault(string yaml, string code, int line, int column, string message)
    {
        var thrown = Assert.Throws<SlipwayException>(() => Parse(yaml));
        var fault = Assert.Single(thrown.Faults);
        Assert.Equal((ExitCode.UnusableInput, code, line, column), (thrown.Exit, fault.Code, fault.Line!.Value, fault.Column!.Value));
        Assert.Contains(message, fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_missing_file_and_an_empty_one_are_told_apart()
    {
        Assert.Equal("expectations-missing", Assert.Throws<SlipwayException>(() => ExpectationsParser.Load(Folder, "none.yaml")).Faults.Single().Code);
        Assert.Equal("expectations-empty", Assert.Throws<SlipwayException>(() => ExpectationsParser.Parse("e.yaml", default)).Faults.Single().Code);
    }

    private static Expectations Parse(string yaml) => ExpectationsParser.Parse("e.yaml", Encoding.UTF8.GetBytes("slipway-expectations: 1\n" + yaml));
}
