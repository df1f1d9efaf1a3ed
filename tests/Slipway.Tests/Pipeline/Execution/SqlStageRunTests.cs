using System.Collections.Immutable;
using System.Text.Json;
using Slipway.Documents.Specs;
using Slipway.Engines.DuckDb;
using Slipway.Pipeline.Execution.Sql;
using Slipway.Primitives.Faults;
using Slipway.Primitives.Units;
using Slipway.Tests.Primitives;

namespace Slipway.Tests.Pipeline.Execution;

public sealed class SqlStageRunTests : IDisposable
{
    private readonly TestProject project = new();

    // The variable tells this assembly's own program to be the child.
    private static readonly ImmutableArray<string> program = ["/usr/bin/env", $"{ChildProgram.Variable}=sql-stage", .. ChildProgram.Line];

    public void Dispose() => project.Dispose();

    internal static int SqlProgram(string[] arguments)
    {
        try
        {
            SqlStageRequest.Run(arguments[^1], CancellationToken.None);
            return 0;
        }
        catch (SlipwayException e)
        {
            Console.Error.WriteLine(e.Message);
            return (int)e.Exit;
        }
    }

    [Fact]
    public async Task Datasets_outputs_and_table_files_are_views_and_params_are_variables()
    {
        project.WriteDataset("flights", "data/flights.csv", "origin,delay\nLAX,20\nSFO,3\n");
        project.Write("ref/airports.csv", "origin,city\nLAX,Los Angeles\nSFO,San Francisco\n");
        project.Write("late.sql", "CREATE TABLE late AS SELECT city, (delay > getvariable('cutoff-minutes'))::INT AS late, base FROM flights JOIN airports USING (origin), first.base ORDER BY city;");
        var spec = Spec(
            TestProject.Stage("first", "printf 'base\\n7\\n' > build/base.csv", [], "base=build/base.csv"),
            Sql("late", "late.sql", ["@flights", "ref/airports.csv", "first.base"], "late=build/late.csv") with { Params = ["cutoff-minutes"] }) with
        {
            Params = ImmutableSortedDictionary<string, JsonElement>.Empty.Add("cutoff-minutes", TestProject.Json("15")),
        };
        var outcome = await Run(spec);
        Assert.Equal("city,late,base\nLos Angeles,1,7\nSan Francisco,0,7\n", project.Read("build/late.csv"));
        Assert.Equal(["first.base", "flights", "late.sql", "ref/airports.csv"], outcome.Stages[1].Inputs.Keys);
        Assert.True(outcome.Stages[1].PeakMemory > 10_000_000);
        Assert.Equal("", (await Run(spec)).Executed());
        var linked = await project.Run(spec, options => options with { SqlProgram = program, Force = true, LinkAbove = 1 });
        Assert.Equal(outcome.Output("late.late"), linked.Output("late.late"));
        project.Write("late.sql", "CREATE TABLE late AS SELECT 1 AS x FROM flights");
        Assert.Equal("late", (await Run(spec)).Executed());
    }

    [Fact]
    public async Task A_faulty_script_is_told_with_the_engines_message()
    {
        project.Write("bad.sql", "CREATE TABLE x AS\nSELEC 1");
        var fault = (await project.Faults(Spec(Sql("bad", "bad.sql", [], "x=build/x.csv")), options: options => options with { SqlProgram = program }))[0];
        Assert.StartsWith("stage bad: its query exited with 2; the last it wrote:", fault.Message);
        Assert.Contains("bad.sql", fault.Message);
        Assert.Contains("LINE 2: SELEC 1", fault.Message);
    }

    [Fact]
    public async Task A_script_reaches_no_file_that_is_not_declared()
    {
        project.Write("other.csv", "a\n1\n");
        project.Write("read.sql", $"CREATE TABLE x AS FROM read_csv('{project.PathOf("other.csv")}')");
        Assert.Contains("Permission", (await project.Faults(Spec(Sql("read", "read.sql", [], "x=build/x.csv")), options: options => options with { SqlProgram = program }))[0].Message);
    }

    [Fact]
    public async Task Too_little_memory_and_no_room_to_spill_is_something_missing()
    {
        project.Write("big.sql", "CREATE TABLE x AS SELECT list(i) AS l FROM range(60000000) t(i)");
        var spec = Spec(Sql("big", "big.sql", [], "x=build/x.csv") with { Hardware = "small" }) with
        {
            Hardware = ImmutableSortedDictionary<string, Slipway.Documents.Hardware.HardwareProfile>.Empty.Add("small", new(null, null, new ByteSize(32L << 20), null, [], null, null, null, null, null)),
        };
        Assert.Contains("Out of Memory", (await project.Faults(spec, ExitCode.NotThere, options => options with { SqlProgram = program }))[0].Message);
    }

    [Fact]
    public async Task Two_inputs_of_one_view_are_refused()
    {
        project.Write("a/x.csv", "a\n1\n");
        project.Write("b/x.csv", "a\n1\n");
        project.Write("x.sql", "CREATE TABLE y AS FROM x");
        Assert.Equal("two-views", (await project.Faults(Spec(Sql("s", "x.sql", ["a/x.csv", "b/x.csv"], "y=build/y.csv"))))[0].Code);
    }

    [Fact]
    public void The_engine_in_the_step_key_is_the_one_that_is_bound()
    {
        using var database = DuckDatabase.Open(new DuckOptions { ScratchFolder = project.Folder.Scratch });
        Assert.Equal(SqlStageRequest.Engine, "duckdb " + database.Rows("SELECT version()")[0][0]!.TrimStart('v'));
    }

    private Task<Slipway.Pipeline.Execution.RunOutcome> Run(Spec spec) => project.Run(spec, options => options with { SqlProgram = program });

    private static Spec Spec(params StageSpec[] stages) => TestProject.Spec(stages) with
    {
        Data = ImmutableSortedDictionary<string, DatasetSpec>.Empty.Add("flights", new DatasetSpec("flights", "data/flights.csv", null, null)),
    };

    private static StageSpec Sql(string name, string file, string[] inputs, params string[] outputs) =>
        TestProject.Stage(name, "", inputs, outputs) with { Run = null, Sql = file };
}
