using Slipway.Documents.Datasets;
using Slipway.Engines.DuckDb;
using Slipway.Pipeline.Validation;

namespace Slipway.Tests.Pipeline.Validation;

public sealed class RowConditionTests : IDisposable
{
    private static readonly ColumnSchema[] columns = [new("a", "INTEGER"), new("b", "VARCHAR"), new("l", "INTEGER[]"), new("s", "STRUCT(x INTEGER)"), new("odd name", "INTEGER")];

    private readonly string folder = Directory.CreateTempSubdirectory("slipway-").FullName;
    private readonly DuckDatabase database;

    public RowConditionTests()
    {
        database = DuckDatabase.Open(new DuckOptions { ScratchFolder = folder });
        database.Execute("CREATE TABLE t AS SELECT 1 AS a, 'x' AS b, [1, 2] AS l, {'x': 1} AS s, 7 AS \"odd name\"");
    }

    public void Dispose()
    {
        database.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    [Theory]
    [InlineData("a > 0")]
    [InlineData("A > 0 AND b LIKE 'x%' OR a IS NULL")]
    [InlineData("(a > 0) OR (a < 0)")]
    [InlineData("a IN (1, 2) AND a BETWEEN 0 AND 9 AND NOT a = 5")]
    [InlineData("CASE WHEN a > 0 THEN true ELSE false END")]
    [InlineData("regexp_matches(b, '^x') AND length(b) < 5 AND b::VARCHAR = 'x'")]
    [InlineData("len(list_filter(l, lambda x: x > a)) = 1")]
    [InlineData("s.x = 1 AND \"odd name\" = 7")]
    [InlineData("b <> 'a; b -- ) /* SELECT'")]
    [InlineData("a > 0 -- and a comment")]
    [InlineData("a > /* inside */ 0\n")]
    public void A_condition_on_one_row_is_taken(string fragment) =>
        Assert.Null(RowCondition.Refusal(database, "t", columns, fragment));

    [Theory]
    [InlineData("")]
    [InlineData("  ")]
    [InlineData("a >")]
    [InlineData("a > 0;")]
    [InlineData("a > 0; DROP TABLE t")]
    [InlineData("true) FROM t; DROP TABLE t; SELECT (true")]
    [InlineData("true) FROM t WHERE (true")]
    [InlineData("a > 0) OR (a < 0")]
    [InlineData("a > 0), (true")]
    [InlineData("a > 0, true")]
    [InlineData("a > 0 AS c")]
    [InlineData("a > 0 FROM t")]
    [InlineData("true FROM read_text('/etc/passwd')")]
    [InlineData("a > 0 WHERE true")]
    [InlineData("a > 0 UNION SELECT true")]
    [InlineData("a > 0 ORDER BY a")]
    [InlineData("a > 0 LIMIT 1")]
    [InlineData("a > 0 /*")]
    [InlineData("a > 0 */ OR /* b")]
    [InlineData("DISTINCT a > 0")]
    [InlineData("a IN (SELECT 1)")]
    [InlineData("EXISTS (SELECT * FROM read_text('/etc/passwd'))")]
    [InlineData("(SELECT count(*) FROM glob('/etc/*')) > 0")]
    [InlineData("a = ANY(SELECT 1)")]
    [InlineData("count(*) > 0")]
    [InlineData("max(a) > 0")]
    [InlineData("row_number() OVER () > 0")]
    [InlineData("COLUMNS(*) IS NOT NULL")]
    [InlineData("* ")]
    [InlineData("a > ?")]
    [InlineData("a > $1")]
    [InlineData("#1 > 0")]
    [InlineData("random() < 0.5")]
    [InlineData("RANDOM() < 0.5")]
    [InlineData("now() > TIMESTAMP '2001-01-01'")]
    [InlineData("current_date > DATE '2001-01-01'")]
    [InlineData("current_user = 'x'")]
    [InlineData("rowid = 0")]
    [InlineData("getvariable('x') IS NULL")]
    [InlineData("current_setting('threads') > 0")]
    [InlineData("a")]
    [InlineData("b")]
    [InlineData("NULL")]
    [InlineData("nothing > 0")]
    [InlineData("unknown_function(a)")]
    [InlineData("a > 0\0")]
    public void Anything_else_is_refused_with_a_reason(string fragment) =>
        Assert.False(string.IsNullOrEmpty(RowCondition.Refusal(database, "t", columns, fragment)));

    [Fact]
    public void A_misspelt_column_is_named_with_the_nearest_one() =>
        Assert.Equal("there is no column 'odd nmae'; did you mean 'odd name'?", RowCondition.Refusal(database, "t", columns, "\"odd nmae\" > 0"));

    [Fact]
    public void Every_scalar_function_that_the_engine_itself_calls_unsettled_is_refused()
    {
        var names = database.Rows("SELECT DISTINCT function_name FROM duckdb_functions() WHERE function_type = 'scalar' AND stability <> 'CONSISTENT'").Select(row => row[0]!);
        Assert.Empty(names.Except(RowCondition.Unsettled));
        Assert.Contains("random", names);
    }
}
