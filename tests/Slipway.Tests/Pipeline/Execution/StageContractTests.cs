using System.Collections.Immutable;
using System.Text.Json;
using Slipway.Documents.Datasets;
using Slipway.Documents.Specs;
using Slipway.Pipeline.Execution.Stages;

namespace Slipway.Tests.Pipeline.Execution;

/// <summary>What a stage finds around it.</summary>
public sealed class StageContractTests : IDisposable
{
    private readonly TestProject project = new();

    public void Dispose() => project.Dispose();

    [Fact]
    public async Task A_stage_sees_its_inputs_and_nothing_else_of_the_project()
    {
        project.Write("code/a.txt", "a");
        project.Write("code/deep/b.txt", "b");
        project.Write("code/__pycache__/a.pyc", "x");
        project.Write("secret.txt", "s");
        project.Write("other.txt", "o");
        await project.Run(TestProject.Spec(TestProject.Stage("list", "find . -type f ! -path './build/*' | sort > build/list.txt", ["code/", "other.txt"], "list=build/list.txt")));
        Assert.Equal("./code/a.txt\n./code/deep/b.txt\n./other.txt\n", project.Read("build/list.txt"));
    }

    [Fact]
    public async Task The_stage_file_tells_all_of_the_declaration_with_relative_paths()
    {
        project.Write("raw.txt", "x");
        var spec = TestProject.Spec(
            TestProject.Stage("first", "echo a > build/a.txt", [], "a=build/a.txt"),
            TestProject.Stage("second", "cp $SLIPWAY_STAGE build/stage.json; mkdir -p build/m; echo $SLIPWAY_SEED > build/m/seed", ["first.a", "raw.txt", "@trips"], "stage=build/stage.json", "m=build/m/") with { Params = ["tree.depth", "name"] }) with
        {
            Data = ImmutableSortedDictionary<string, DatasetSpec>.Empty.Add("trips", new DatasetSpec("trips", "data/trips.csv", null, null)),
            Params = ImmutableSortedDictionary<string, JsonElement>.Empty.Add("tree", TestProject.Json("{\"depth\": 3, \"more\": 1}")).Add("name", TestProject.Json("\"x y\"")),
        };
        project.WriteDataset("trips", "data/trips.csv", "a\n1\n");
        await project.Run(spec);
        Assert.Equal(
            """{"inputs":{"first.a":"build/a.txt","raw.txt":"raw.txt","trips":"data/trips.csv"},"outputs":{"m":"build/m/","stage":"build/stage.json"},"params":{"name":"x y","tree.depth":3},"seed":42,"stage":"second","threads":1}""",
            project.Read("build/stage.json"));
        Assert.Equal("42\n", project.Read("build/m/seed"));
    }

    [Fact]
    public async Task The_environment_is_fixed_and_private()
    {
        Environment.SetEnvironmentVariable("SLIPWAY_TEST_LEAK", "leaked");
        await project.Run(TestProject.Spec(TestProject.Stage("env", "env | sort > build/env.txt; touch $HOME/h $TMPDIR/t; umask >> build/env.txt", [], "env=build/env.txt")));
        var lines = project.Read("build/env.txt").Split('\n');
        foreach (var expected in new[] { "PATH=/usr/local/bin:/usr/bin:/bin", "LANG=C.UTF-8", "LC_ALL=C.UTF-8", "TZ=UTC", "SOURCE_DATE_EPOCH=315532800", "PYTHONHASHSEED=42", "PYTHONDONTWRITEBYTECODE=1", "SLIPWAY_SEED=42", "OMP_NUM_THREADS=1", "OPENBLAS_NUM_THREADS=1" })
            Assert.Contains(expected, lines);
        Assert.DoesNotContain(lines, line => line.StartsWith("SLIPWAY_TEST_LEAK", StringComparison.Ordinal));
        Assert.Equal(["HOME=/slipway/home", "TMPDIR=/tmp"], lines.Where(line => line.StartsWith("HOME=") || line.StartsWith("TMPDIR=")));
    }

    [Fact]
    public async Task Without_a_sandbox_home_and_scratch_are_private_all_the_same()
    {
        await project.Run(TestProject.Spec(TestProject.Stage("env", "env > build/env.txt; touch $HOME/h $TMPDIR/t", [], "env=build/env.txt")), TestProject.Open);
        Assert.All(project.Read("build/env.txt").Split('\n').Where(line => line.StartsWith("HOME=") || line.StartsWith("TMPDIR=")), line => Assert.Contains(project.Folder.Work, line));
    }

    [Fact]
    public async Task A_stage_of_a_host_environment_finds_packaged_programs_only()
    {
        project.Fingerprints["py"] = new("py", default, "amd64", ImmutableSortedDictionary<string, string>.Empty);
        await project.Run(TestProject.Spec(TestProject.Stage("s", "echo $PATH > build/o.txt", [], "o=build/o.txt") with { Environment = "py" }));
        Assert.Equal("/usr/bin:/bin\n", project.Read("build/o.txt"));
    }

    [Fact]
    public async Task A_large_input_is_a_link_and_is_checked_after_the_command()
    {
        project.Write("raw.txt", "raw");
        var first = TestProject.Stage("a", "echo a > build/a.txt", [], "a=build/a.txt");
        var second = TestProject.Stage("b", "readlink raw.txt build/a.txt > build/b.txt", ["raw.txt", "a.a"], "b=build/b.txt");
        var linked = (Slipway.Pipeline.Execution.RunOptions options) => TestProject.Open(options) with { LinkAbove = 1 };
        var outcome = await project.Run(TestProject.Spec(first, second), linked);
        Assert.Equal($"{project.PathOf("raw.txt")}\n{project.Objects.PathOf(outcome.Output("a.a")!.Digest)}\n", project.Read("build/b.txt"));

        var spoilsTheUsers = second with { Run = ["/bin/sh", "-c", "echo x >> raw.txt; echo b > build/b.txt"] };
        Assert.Equal("input-changed", (await project.Faults(TestProject.Spec(first, spoilsTheUsers), options: linked))[0].Code);
        var spoilsTheStores = second with { Run = ["/bin/sh", "-c", "chmod u+w build/a.txt; echo x >> build/a.txt; echo b > build/b.txt"] };
        Assert.Equal("damaged-object", (await project.Faults(TestProject.Spec(first, spoilsTheStores), options: linked))[0].Code);
        Assert.Equal("a b", (await project.Run(TestProject.Spec(first, second), linked)).Executed());
    }

    [Fact]
    public async Task A_large_input_is_mounted_read_only_and_is_checked_after_the_command()
    {
        project.Write("raw.txt", "raw");
        var first = TestProject.Stage("a", "echo a > build/a.txt", [], "a=build/a.txt");
        var second = TestProject.Stage("b", "cat raw.txt build/a.txt > build/b.txt; ! (echo x >> raw.txt) && ! (chmod u+w build/a.txt) && ! (echo x >> build/a.txt)", ["raw.txt", "a.a"], "b=build/b.txt");
        await project.Run(TestProject.Spec(first, second), options => options with { LinkAbove = 1 });
        Assert.Equal("rawa\n", project.Read("build/b.txt"));

        var spoilt = await project.Faults(TestProject.Spec(first, second), options: options => options with { LinkAbove = 1, Force = true, Effect = effect => { if (effect == "command ended") File.AppendAllText(project.PathOf("raw.txt"), "x"); } });
        Assert.Equal("input-changed", spoilt[0].Code);
    }

    [Theory]
    [InlineData("echo ${params.v} > build/o.txt")]
    [InlineData("echo \"${params.v}\" > build/o.txt")]
    [InlineData("echo '${params.v}' > build/o.txt")]
    [InlineData("echo \"it's ${params.v}\" | cut -c6- > build/o.txt")]
    [InlineData("cat > build/o.txt <<END\n${params.v}\nEND\n", true)]
    public async Task A_param_in_a_shell_line_is_one_word_whatever_it_holds(string line, bool quoted = false)
    {
        const string hostile = "a  b'; touch pwned; $(touch pwned) `touch pwned` \"$HOME\" \\";
        var spec = TestProject.Spec(TestProject.Stage("s", line, [], "o=build/o.txt")) with
        {
            Params = ImmutableSortedDictionary<string, JsonElement>.Empty.Add("v", JsonSerializer.SerializeToElement(hostile)),
        };
        await project.Run(spec);
        Assert.Equal(quoted ? $"\"{hostile}\"\n" : hostile + "\n", project.Read("build/o.txt").Replace("\\\\", "\\"));
    }

    [Fact]
    public async Task A_param_in_an_argument_list_is_put_in_as_it_is()
    {
        var stage = TestProject.Stage("s", "", [], "o=build/o.txt") with { Run = ["/bin/cp", "${params.from}${params.n}.txt", "build/o.txt"], Inputs = [new StageInput(InputKind.Path, "in 1.5.txt")] };
        project.Write("in 1.5.txt", "x");
        await project.Run(TestProject.Spec(stage) with { Params = ImmutableSortedDictionary<string, JsonElement>.Empty.Add("from", TestProject.Json("\"in \"")).Add("n", TestProject.Json("1.50")) });
        Assert.Equal("x", project.Read("build/o.txt"));
    }

    [Fact]
    public async Task A_param_that_is_not_there_is_named_with_the_nearest_one()
    {
        var fault = Assert.Single(await project.Faults(TestProject.Spec(TestProject.Stage("s", "echo ${params.rat}", [], "o=build/o.txt")) with { Params = ImmutableSortedDictionary<string, JsonElement>.Empty.Add("rate", TestProject.Json("1")) }));
        Assert.Equal(("unknown-param", "did you mean rate?", 10), (fault.Code, fault.Help, fault.Line));
    }

    [Fact]
    public async Task A_dataset_is_at_its_path_and_under_the_inputs()
    {
        project.WriteDataset("one", "data/one.csv", "1\n");
        project.Write("data/many/a/b.csv", "2\n");
        project.Snapshots["many"] = SnapshotOf("many", ("a/b.csv", "2\n"));
        project.Write("data/glob/x1.csv", "3\n");
        project.Snapshots["glob"] = SnapshotOf("glob", ("x1.csv", "3\n"));
        var spec = TestProject.Spec(TestProject.Stage("s", "cat data/one.csv data/many/a/b.csv data/glob/x1.csv $SLIPWAY_INPUTS/one $SLIPWAY_INPUTS/many/a/b.csv $SLIPWAY_INPUTS/glob/x1.csv > build/o.txt", ["@one", "@many", "@glob"], "o=build/o.txt")) with { Data = Data(("one", "data/one.csv"), ("many", "data/many/"), ("glob", "data/glob/x*.csv")) };
        await project.Run(spec);
        Assert.Equal("1\n2\n3\n1\n2\n3\n", project.Read("build/o.txt"));
    }

    [Fact]
    public async Task Whatever_a_stage_does_to_its_inputs_stays_in_its_folder()
    {
        project.Write("raw.txt", "raw");
        project.WriteDataset("d", "data/d.csv", "1\n");
        var outcome = await project.Run(TestProject.Spec(
            TestProject.Stage("a", "echo a > build/a.txt", [], "a=build/a.txt"),
            TestProject.Stage("b", "echo x >> raw.txt; echo x >> build/a.txt; chmod 000 build/a.txt; rm data/d.csv; echo b > build/b.txt", ["raw.txt", "a.a", "@d"], "b=build/b.txt")) with
        { Data = Data(("d", "data/d.csv")) });
        Assert.Equal(("raw", "a\n", "1\n"), (project.Read("raw.txt"), project.Read("build/a.txt"), project.Read("data/d.csv")));
        Assert.True(project.Objects.IsSound(outcome.Output("a.a")!.Digest, 2));
    }

    [Fact]
    public async Task What_a_user_does_to_an_output_in_the_tree_does_not_reach_the_store_and_is_undone()
    {
        var spec = TestProject.Spec(TestProject.Stage("a", "echo a > build/a.txt; mkdir build/m; echo m > build/m/w", [], "a=build/a.txt", "m=build/m/"));
        var outcome = await project.Run(spec);
        File.AppendAllText(project.PathOf("build/a.txt"), "edited");
        File.WriteAllText(project.PathOf("build/m/w"), "edited");
        project.Write("build/m/extra", "x");
        Assert.Equal("", (await project.Run(spec)).Executed());
        Assert.Equal(("a\n", "m\n"), (project.Read("build/a.txt"), project.Read("build/m/w")));
        Assert.False(File.Exists(project.PathOf("build/m/extra")));
        using var sound = project.Objects.OpenRead(outcome.Output("a.a")!.Digest, verify: true);
        File.Delete(project.PathOf("build/a.txt"));
        Directory.Delete(project.PathOf("build/m"), recursive: true);
        Assert.Equal("", (await project.Run(spec)).Executed());
        Assert.Equal(("a\n", "m\n"), (project.Read("build/a.txt"), project.Read("build/m/w")));
    }

    [Fact]
    public async Task An_executable_output_stays_executable()
    {
        var outcome = await project.Run(TestProject.Spec(
            TestProject.Stage("make", "printf '#!/bin/sh\\necho hi\\n' > build/tool; chmod 700 build/tool; mkdir build/m; cp build/tool build/m/t; echo x > build/m/plain", [], "tool=build/tool", "m=build/m/"),
            TestProject.Stage("use", "(build/tool; build/m/t) > build/o.txt", ["make.tool", "make.m"], "o=build/o.txt")));
        Assert.Equal("hi\nhi\n", project.Read("build/o.txt"));
        Assert.Equal(Slipway.Store.Content.FilePermissions.Program, File.GetUnixFileMode(project.PathOf("build/tool")));
        Assert.Equal(Slipway.Store.Content.FilePermissions.Plain, File.GetUnixFileMode(project.PathOf("build/m/plain")));
        Assert.Equal(Slipway.Documents.Runs.ArtifactKind.Program, outcome.Output("make.tool")!.Kind);
    }

    [Fact]
    public async Task Peak_memory_and_time_are_measured()
    {
        var stage = (await project.Run(TestProject.Spec(TestProject.Stage("s", "sleep 0.3; echo x > build/o.txt", [], "o=build/o.txt")))).Stages[0];
        Assert.True(stage.PeakMemory > 100_000, $"{stage.PeakMemory}");
        Assert.InRange(stage.Seconds, 0.3, 600);
    }

    [Fact]
    public async Task Nothing_private_is_left_after_a_run()
    {
        await project.Run(TestProject.Spec(TestProject.Stage("s", "mkdir x; mkdir $TMPDIR/y; chmod 000 x $TMPDIR/y; touch \"$TMPDIR/$(printf '\\377')\"; echo x > build/o.txt", [], "o=build/o.txt")));
        Assert.Empty(Directory.EnumerateFileSystemEntries(project.Folder.Work));
        Assert.Empty(Directory.EnumerateFileSystemEntries(project.Root, ".tmp-*", SearchOption.AllDirectories));
    }

    [Theory]
    [InlineData("true", true)]
    [InlineData("head -c 100000 /dev/zero > $TMPDIR/large", false)]
    [InlineData("for i in $(seq 100); do : > $TMPDIR/$i; done", false)]
    [InlineData(": > \"$TMPDIR/$(printf '\\377')\"", false)]
    public async Task A_private_folder_waits_for_the_end_of_the_run_only_while_it_is_small(string line, bool waits)
    {
        await project.Run(TestProject.Spec(
            TestProject.Stage("first", $"{line}; echo x > build/first.txt", [], "o=build/first.txt"),
            TestProject.Stage("second", "ls ../.. > build/second.txt", ["first.o"], "o=build/second.txt")), TestProject.Open);
        Assert.Equal(waits, project.Read("build/second.txt").Split('\n').Contains("first"));
        Assert.Empty(Directory.EnumerateFileSystemEntries(project.Folder.Work));
    }

    [Fact]
    public void A_variable_is_quoted_as_its_place_asks()
    {
        var variables = new Dictionary<string, string>();
        var values = new Dictionary<string, JsonElement> { ["x"] = TestProject.Json("1"), ["y"] = TestProject.Json("\"two\"") };
        Assert.Equal(
            "a \"${SLIPWAY_PARAM_1}\" \"${SLIPWAY_PARAM_2}\" ''\"${SLIPWAY_PARAM_3}\"'' \\\" \"${SLIPWAY_PARAM_4}\" ${HOME}",
            StageCommand.WithVariables("a ${params.x} \"${params.y}\" '${params.x}' \\\" ${params.y} ${HOME}", values, variables));
        Assert.Equal(["1", "two", "1", "two"], variables.Values);
    }

    private static Snapshot SnapshotOf(string name, params (string Path, string Content)[] files) => new(
        name,
        Slipway.Primitives.Bytes.Digest.Of(JsonSerializer.SerializeToUtf8Bytes(files.Select(file => file.Path + file.Content))),
        [.. files.Select(file => new SnapshotFile(file.Path, file.Content.Length, Slipway.Primitives.Bytes.Digest.Of(System.Text.Encoding.UTF8.GetBytes(file.Content))))],
        [],
        1);

    private static ImmutableSortedDictionary<string, DatasetSpec> Data(params (string Name, string Path)[] data) =>
        data.ToImmutableSortedDictionary(each => each.Name, each => new DatasetSpec(each.Name, each.Path, null, null));
}
