using System.Text;
using Slipway.Engines.DuckDb;
using Slipway.Primitives.Units;

namespace Slipway.Tests.Engines.DuckDb;

public sealed class DuckDatabaseTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("slipway-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Values_of_every_type_come_back()
    {
        using var database = Open();
        using var rows = database.Query(
            """
            SELECT true AS b, (-7)::TINYINT AS i8, 65535::USMALLINT AS u16, (-2147483648)::INTEGER AS i32, 9223372036854775807 AS i64,
                   170141183460469231731687303715884105727::HUGEINT AS i128, 1.5::FLOAT AS f32, 0.1::DOUBLE AS f64,
                   (-0.05)::DECIMAL(9,2) AS small, 12345678901234567890.123::DECIMAL(30,3) AS big, 'short' AS s, 'longer than twelve bytes, é' AS t,
                   DATE '2001-02-03' AS d, TIMESTAMP '2001-02-03 04:05:06.789' AS ts, TIMESTAMPTZ '2001-02-03 04:05:06+01' AS tz,
                   TIME '04:05:06' AS clock, 'ab'::BLOB AS blob, NULL::INTEGER AS nothing
            """);
        Assert.True(rows.Read());
        Assert.Equal(1, rows.Rows);
        string[] expected =
        [
            "true", "-7", "65535", "-2147483648", "9223372036854775807", "170141183460469231731687303715884105727", "1.5", "0.1",
            "-0.05", "12345678901234567890.123", "short", "longer than twelve bytes, é", "2001-02-03", "2001-02-03 04:05:06.789",
            "2001-02-03 03:05:06Z", "04:05:06", "6162",
        ];
        Assert.Equal(expected, rows.Columns[..^1].Select(column => column.Text(0)));
        Assert.True(rows["nothing"].IsNull(0));
        Assert.False(rows["b"].IsNull(0));
        Assert.Equal(65535, rows["u16"].Int64(0));
        Assert.Equal(-0.05, rows["small"].Double(0));
        Assert.Equal(new DateTime(2001, 2, 3, 4, 5, 6, 789), rows["ts"].Timestamp(0));
        Assert.Equal("short", Encoding.UTF8.GetString(rows["s"].Utf8(0)));
        Assert.Equal([9223372036854775807], rows["i64"].Values<long>().ToArray());
        Assert.False(rows.Read());
    }

    [Fact]
    public void A_value_is_never_read_as_another_type()
    {
        using var database = Open();
        using var rows = database.Query("SELECT 1.5::DOUBLE AS f, 'x' AS s, 9223372036854775808::HUGEINT AS big");
        rows.Read();
        Assert.Throws<InvalidOperationException>(() => rows["f"].Values<long>().Length);
        Assert.Throws<InvalidOperationException>(() => rows["f"].Int64(0));
        Assert.Throws<InvalidOperationException>(() => rows["s"].Double(0));
        Assert.Throws<OverflowException>(() => rows["big"].Int64(0));
        Assert.Throws<ArgumentOutOfRangeException>(() => rows["f"].Double(1));
        Assert.Throws<KeyNotFoundException>(() => rows["F"]);
    }

    [Fact]
    public void A_large_result_comes_in_chunks_and_in_order()
    {
        using var database = Open();
        using var rows = database.Query("SELECT i, CASE WHEN i % 3 = 0 THEN NULL ELSE i END AS j FROM range(100000) t(i)");
        var (next, nulls) = (0L, 0);
        while (rows.Read())
        {
            var values = rows.Columns[0].Values<long>();
            for (var i = 0; i < rows.Rows; i++)
            {
                Assert.Equal(next++, values[i]);
                nulls += rows.Columns[1].IsNull(i) ? 1 : 0;
            }
        }

        Assert.Equal((100_000L, 33_334), (next, nulls));
    }

    [Fact]
    public void An_error_carries_the_engines_message()
    {
        using var database = Open();
        var e = Assert.Throws<DuckException>(() => database.Query("SELECT nothing FROM nowhere"));
        Assert.Equal("Catalog", e.Kind);
        Assert.Contains("nowhere", e.Message);
        Assert.Equal("Parser", Assert.Throws<DuckException>(() => database.Execute("SELEC 1")).Kind);
    }

    [Fact]
    public void An_error_halfway_through_the_rows_is_not_an_end()
    {
        using var database = Open();
        using var rows = database.Query("SELECT CASE WHEN i = 2900000 THEN error('row 2900000') ELSE i END FROM range(3000000) t(i)");
        Assert.True(rows.Read());
        var e = Assert.Throws<DuckException>(() =>
        {
            while (rows.Read())
            {
            }
        });
        Assert.Contains("row 2900000", e.Message);
    }

    [Fact]
    public void A_query_is_one_statement()
    {
        using var database = Open();
        Assert.Throws<DuckException>(() => database.Query("SELECT 1; SELECT 2"));
        Assert.Throws<DuckException>(() => database.Query("SELECT 1\0; DROP"));
    }

    [Fact]
    public void A_second_query_waits_for_the_first_to_be_disposed()
    {
        using var database = Open();
        using (database.Query("SELECT 1"))
            Assert.Throws<InvalidOperationException>(() => database.Query("SELECT 2"));
        Assert.Equal("2", database.Rows("SELECT 2")[0][0]);
    }

    [Theory]
    [InlineData("SELECT * FROM read_text('/etc/passwd')")]
    [InlineData("SELECT * FROM read_csv('/etc/passwd')")]
    [InlineData("SELECT * FROM glob('/etc/*')")]
    [InlineData("COPY (SELECT 1) TO '{folder}/out.csv'")]
    [InlineData("ATTACH '{folder}/other.db'")]
    [InlineData("INSTALL httpfs")]
    [InlineData("LOAD httpfs")]
    [InlineData("SET enable_external_access = true")]
    [InlineData("SET allowed_directories = ['/']")]
    [InlineData("SET lock_configuration = false")]
    [InlineData("SET memory_limit = '100GB'")]
    [InlineData("SELECT * FROM read_csv('{folder}/allowed/../secret.csv')")]
    [InlineData("SELECT * FROM 'https://example.org/a.parquet'")]
    [InlineData("SELECT * FROM read_csv('{folder}/allowed.csv.secret')")]
    public void Nothing_outside_the_allowed_paths_can_be_reached(string sql)
    {
        Directory.CreateDirectory(Path.Combine(folder, "allowed"));
        File.WriteAllText(Path.Combine(folder, "secret.csv"), "a\n1\n");
        File.WriteAllText(Path.Combine(folder, "allowed.csv"), "a\n1\n");
        File.WriteAllText(Path.Combine(folder, "allowed.csv.secret"), "a\n1\n");
        using var database = Open(Path.Combine(folder, "allowed"), Path.Combine(folder, "allowed.csv"));
        var e = Assert.Throws<DuckException>(() => database.Execute(sql.Replace("{folder}", folder)));
        Assert.Contains(e.Kind, new[] { "Permission", "Invalid Input" });
    }

    [Fact]
    public void Allowed_paths_can_be_read_and_written()
    {
        Directory.CreateDirectory(Path.Combine(folder, "allowed"));
        using var database = Open(Path.Combine(folder, "allowed"));
        var file = Path.Combine(folder, "allowed", "it's.csv");
        database.Execute($"COPY (SELECT 7 AS a) TO {SqlText.Literal(file)}");
        Assert.Equal("7", database.Rows($"SELECT a FROM read_csv({SqlText.Literal(file)})")[0][0]);
    }

    [Fact]
    public void A_cancelled_query_ends()
    {
        using var database = Open();
        using var cancel = new CancellationTokenSource(TimeSpan.FromMilliseconds(100));
        Assert.ThrowsAny<OperationCanceledException>(() =>
            database.Execute("SELECT count(*) FROM range(10000000) a(i), range(10000000) b(j) WHERE i * j = 7", cancel.Token));
        Assert.Equal("1", database.Rows("SELECT 1")[0][0]);
    }

    [Fact]
    public void More_than_the_memory_limit_is_spilled_into_a_private_folder_that_goes_with_the_database()
    {
        using (var database = DuckDatabase.Open(new DuckOptions { ScratchFolder = folder, MemoryLimit = new ByteSize(32 << 20) }))
        {
            using var rows = database.Query("SELECT i FROM range(6000000) t(i) ORDER BY hash(i)");
            Assert.True(rows.Read());
            Assert.NotEmpty(Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories));
        }

        Assert.Empty(Directory.EnumerateFileSystemEntries(folder));
    }

    [Fact]
    public void What_a_killed_process_left_is_removed_and_a_living_ones_is_not()
    {
        var dead = Directory.CreateDirectory(Path.Combine(folder, $"duckdb-{int.MaxValue}-1"));
        var living = Directory.CreateDirectory(Path.Combine(folder, "duckdb-1-1"));
        Open().Dispose();
        Assert.False(Directory.Exists(dead.FullName));
        Assert.True(Directory.Exists(living.FullName));
    }

    [Fact]
    public void Names_and_values_survive_quoting()
    {
        using var database = Open();
        foreach (var text in new[] { "plain", "it's", "a \"quoted\" name", "semi; colon -- comment", "back\\slash", "line\nbreak", "é𝄞", "'; DROP TABLE t; --" })
        {
            using var rows = database.Query($"SELECT {SqlText.Literal(text)} AS {SqlText.Identifier(text)}");
            rows.Read();
            Assert.Equal((text, text), (rows.Columns[0].Name, rows.Columns[0].Text(0)));
        }

        Assert.Throws<ArgumentException>(() => SqlText.Literal("a\0b"));
        Assert.Throws<ArgumentException>(() => SqlText.Identifier(""));
    }

    private DuckDatabase Open(params string[] allowed) =>
        DuckDatabase.Open(new DuckOptions { ScratchFolder = folder, AllowedPaths = [.. allowed] });
}
