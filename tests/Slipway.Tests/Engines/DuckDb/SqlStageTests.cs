using System.Collections.Immutable;
using Slipway.Engines.DuckDb;
using Slipway.Engines.DuckDb.Tables;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;

namespace Slipway.Tests.Engines.DuckDb;

public sealed class SqlStageTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("slipway-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Inputs_are_views_and_outputs_tables_by_their_names()
    {
        File.WriteAllText(In("flights.csv"), "late,origin\n3,LAX\n9,SFO\n");
        File.WriteAllText(In("model.csv"), "origin,base\nLAX,10\n");
        var stage = Stage(
            """
            CREATE TABLE scored AS SELECT origin, late + base + getvariable('cutoff-minutes') AS score FROM flights JOIN fit.model USING (origin);
            CREATE VIEW everything AS FROM flights;
            """,
            new() { ["flights"] = "flights.csv", ["fit.model"] = "model.csv" },
            new() { ["scored"] = "scored.csv", ["everything"] = "everything.jsonl" }) with
        {
            Variables = ImmutableSortedDictionary<string, string>.Empty.Add("cutoff-minutes", SqlText.Literal(15L)),
        };
        var rows = stage.Run(TestContext.Current.CancellationToken);
        Assert.Equal([("everything", 2L), ("scored", 1L)], rows.Select(row => (row.Key, row.Value)));
        Assert.Equal("origin,score\nLAX,28\n", File.ReadAllText(In("scored.csv")));
        Assert.Equal("{\"late\":3,\"origin\":\"LAX\"}\n{\"late\":9,\"origin\":\"SFO\"}\n", File.ReadAllText(In("everything.jsonl")));
    }

    [Fact]
    public void The_same_inputs_give_the_same_bytes()
    {
        WriteNumbers();
        const string script =
            """
            CREATE TABLE summary AS SELECT g, sum(x) AS total, avg(x * 1e10) AS mean, count(*) AS n FROM numbers GROUP BY g;
            CREATE TABLE joined AS SELECT n.i, n.g, s.total FROM numbers n JOIN summary s USING (g);
            """;
        var digests = Enumerable.Range(0, 4).Select(round =>
        {
            Stage(script, new() { ["numbers"] = "numbers.parquet" }, new() { ["summary"] = $"summary{round}.csv", ["joined"] = $"joined{round}.parquet" })
                .Run(TestContext.Current.CancellationToken);
            return (Digest.Of(File.ReadAllBytes(In($"summary{round}.csv"))), Digest.Of(File.ReadAllBytes(In($"joined{round}.parquet"))));
        });
        Assert.Single(digests.Distinct());
    }

    [Fact]
    public void A_faulty_script_is_named_with_the_engines_message_and_line()
    {
        var e = Assert.Throws<SlipwayException>(() => Stage("SELECT 1;\nSELEC 2;", new(), new()).Run(TestContext.Current.CancellationToken));
        Assert.Equal((ExitCode.UnusableInput, "sql-failed", "features.sql"), (e.Exit, e.Faults[0].Code, e.Faults[0].File));
        Assert.Contains("LINE 2", e.Message);
    }

    [Fact]
    public void An_output_that_the_script_did_not_make_is_named_with_the_nearest_one()
    {
        var e = Assert.Throws<SlipwayException>(() => Stage("CREATE TABLE trian AS SELECT 1", new(), new() { ["train"] = "train.csv" }).Run(TestContext.Current.CancellationToken));
        Assert.Equal("missing-table", e.Faults[0].Code);
        Assert.Contains("'trian'", e.Faults[0].Help);
    }

    [Fact]
    public void A_cut_input_is_an_error_and_not_an_empty_view()
    {
        WriteNumbers();
        var bytes = File.ReadAllBytes(In("numbers.parquet"));
        File.WriteAllBytes(In("numbers.parquet"), bytes[..^200]);
        var e = Assert.Throws<SlipwayException>(() => Stage("CREATE TABLE t AS FROM numbers", new() { ["numbers"] = "numbers.parquet" }, new() { ["t"] = "t.csv" }).Run(TestContext.Current.CancellationToken));
        Assert.Equal((ExitCode.UnusableInput, "unusable-table"), (e.Exit, e.Faults[0].Code));
    }

    [Fact]
    public void A_script_reaches_no_file_that_is_not_its_own()
    {
        File.WriteAllText(In("secret.csv"), "a\n1\n");
        var e = Assert.Throws<SlipwayException>(() => Stage($"CREATE TABLE t AS FROM read_csv('{In("secret.csv")}')", new(), new() { ["t"] = "t.csv" }).Run(TestContext.Current.CancellationToken));
        Assert.Contains("Permission Error", e.Message);
        Assert.False(File.Exists(In("t.csv")));
    }

    private void WriteNumbers()
    {
        using var database = DuckDatabase.Open(new DuckOptions { ScratchFolder = folder, AllowedPaths = [folder] });
        database.Execute($"COPY (SELECT i, hash(i) % 5000 AS g, sin(i) AS x FROM range(400000) t(i)) TO '{In("numbers.parquet")}' (ROW_GROUP_SIZE 20000)");
    }

    private string In(string name) => Path.Combine(folder, name);

    private SqlStage Stage(string script, SortedDictionary<string, string> inputs, SortedDictionary<string, string> outputs) => new()
    {
        Script = script,
        ScriptName = "features.sql",
        ScratchFolder = Path.Combine(folder, "scratch"),
        Inputs = inputs.ToImmutableSortedDictionary(input => input.Key, input => ImmutableArray.Create(In(input.Value))),
        Outputs = outputs.ToImmutableSortedDictionary(output => output.Key, output => In(output.Value)),
    };
}
