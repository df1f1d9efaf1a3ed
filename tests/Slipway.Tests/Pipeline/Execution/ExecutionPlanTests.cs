using System.Collections.Immutable;
using FsCheck;
using FsCheck.Fluent;
using Slipway.Documents.Specs;
using Slipway.Pipeline.Execution.Plan;
using Slipway.Primitives.Faults;

namespace Slipway.Tests.Pipeline.Execution;

public sealed class ExecutionPlanTests
{
    [Fact]
    public void Any_graph_without_circles_is_ordered_inputs_first_whatever_the_files_order()
    {
        // Stage i may need any stage below i: every acyclic graph of up to 12 stages, under shuffled names.
        var graphs =
            from size in Gen.Choose(1, 12)
            from names in Gen.Shuffle(Enumerable.Range(0, size).Select(i => $"s{i:00}").ToArray())
            from edges in Gen.ArrayOf(Gen.Choose(0, 3), size * size)
            from order in Gen.Shuffle(Enumerable.Range(0, size).ToArray())
            select (names, edges, order);
        Check.QuickThrowOnFailure(Prop.ForAll(Arb.From(graphs), graph =>
        {
            var (names, edges, order) = graph;
            var size = names.Length;
            var stages = Enumerable.Range(0, size).Select(i => Stage(names[i], [.. Enumerable.Range(0, i).Where(j => edges[i * size + j] == 0).Select(j => names[j] + ".o")], $"o=build/{names[i]}")).ToArray();
            var plan = ExecutionPlan.Of(TestProject.Spec(stages));
            var shuffled = ExecutionPlan.Of(TestProject.Spec([.. order.Select(i => stages[i])]));
            var position = plan.Stages.Select((stage, i) => (stage.Stage.Name, i)).ToDictionary(pair => pair.Name, pair => pair.i);
            return plan.Stages.Length == size
                && plan.Stages.All(stage => stage.Needs.All(need => position[need] < position[stage.Stage.Name]))
                && plan.Stages.Select(stage => stage.Stage.Name).SequenceEqual(shuffled.Stages.Select(stage => stage.Stage.Name))
                && ClosureIsExact(stages, names[^1]);
        }));
    }

    private static bool ClosureIsExact(StageSpec[] stages, string upTo)
    {
        var reached = new HashSet<string> { upTo };
        for (var grown = -1; grown != reached.Count;)
        {
            grown = reached.Count;
            reached.UnionWith(stages.Where(stage => reached.Contains(stage.Name)).SelectMany(stage => stage.Inputs).Select(input => input.Name.Split('.')[0]).ToList());
        }

        return ExecutionPlan.Of(TestProject.Spec(stages), upTo).Stages.Select(stage => stage.Stage.Name).ToHashSet().SetEquals(reached);
    }

    [Fact]
    public void Ties_go_by_name() =>
        Assert.Equal(["a", "c", "b", "d"], ExecutionPlan.Of(TestProject.Spec(Stage("d", [], "o=d"), Stage("b", ["c.o"], "o=b"), Stage("c", [], "o=c"), Stage("a", [], "o=a"))).Stages.Select(stage => stage.Stage.Name));

    [Fact]
    public void A_circle_is_told_in_its_order()
    {
        var fault = Fault(Stage("a", ["c.o"], "o=a"), Stage("b", ["a.o"], "o=b"), Stage("c", ["b.o"], "o=c"), Stage("d", ["c.o"], "o=d"), Stage("e", [], "o=e"));
        Assert.Equal(("circular-stages", "the stages need each other in a circle: a → b → c → a", 10), (fault.Code, fault.Message, fault.Line));
        Assert.Equal("the stages need each other in a circle: a → a", Fault(Stage("a", ["a.o"], "o=a")).Message);
    }

    [Theory]
    [InlineData("build/x.csv", "build/x.csv")]
    [InlineData("./build//x.csv", "build/x.csv")]
    [InlineData("build/", "build/x.csv")]
    [InlineData("build/x.csv", "build/")]
    public void Two_stages_that_write_one_path_are_refused(string first, string second)
    {
        var fault = Fault(Stage("a", [], $"x={first}"), Stage("b", [], $"y={second}"));
        Assert.Equal("two-writers", fault.Code);
        Assert.Contains("a.x", fault.Message);
        Assert.Contains("b.y", fault.Message);
    }

    [Fact]
    public void One_stage_that_writes_a_path_twice_is_refused() =>
        Assert.Equal("two-writers", Fault(Stage("a", [], "x=build/m/", "y=build/m/w")).Code);

    [Fact]
    public void Names_that_only_begin_alike_do_not_collide() =>
        Assert.Equal(2, ExecutionPlan.Of(TestProject.Spec(Stage("a", [], "x=build/x"), Stage("b", [], "y=build/x2"))).Stages.Length);

    [Theory]
    [InlineData("/tmp/x")]
    [InlineData("../x")]
    [InlineData("a/../x")]
    [InlineData(".")]
    [InlineData("")]
    public void An_output_outside_the_project_is_refused(string path) => Assert.Equal("bad-path", Fault(Stage("a", [], $"x={path}")).Code);

    [Theory]
    [InlineData(".slipway/objects/x")]
    [InlineData("slipway.yaml")]
    [InlineData("slipway.lock")]
    [InlineData(".git/")]
    public void An_output_over_the_projects_own_files_is_refused(string path) => Assert.Equal("reserved-path", Fault(Stage("a", [], $"x={path}")).Code);

    [Theory]
    [InlineData("build/x.csv")]
    [InlineData("build/")]
    [InlineData("build/*.csv")]
    [InlineData("**/*.csv")]
    public void A_path_that_another_stage_writes_must_be_declared_as_its_output(string input)
    {
        var fault = Fault(Stage("features", [], "x=build/x.csv"), Stage("fit", [], "m=model") with { Inputs = [new StageInput(InputKind.Path, input)] });
        Assert.Equal("undeclared-dependency", fault.Code);
        Assert.Equal("write features.x as the input instead of the path", fault.Help);
    }

    [Theory]
    [InlineData("build/*.txt")]
    [InlineData("*.csv")]
    [InlineData("build/*/x.csv")]
    [InlineData("build2/")]
    public void A_path_beside_an_output_is_fine(string input) =>
        Assert.Equal(2, ExecutionPlan.Of(TestProject.Spec(Stage("features", [], "x=build/x.csv"), Stage("fit", [], "m=model") with { Inputs = [new StageInput(InputKind.Path, input)] })).Stages.Length);

    [Theory]
    [InlineData("build/")]
    [InlineData("build/**")]
    public void A_stage_may_not_read_where_it_writes(string input) =>
        Assert.Equal("output-over-input", Fault(Stage("a", [], "x=build/x.csv") with { Inputs = [new StageInput(InputKind.Path, input)] }).Code);

    [Theory]
    [InlineData("data/x.csv", "output-over-input")]
    [InlineData("data/", "output-over-input")]
    [InlineData("data/*.csv", "output-over-input")]
    [InlineData("../data/x.csv", null)]
    public void A_stage_may_not_write_over_a_dataset(string path, string? code)
    {
        var spec = TestProject.Spec(Stage("a", [], "x=data/x.csv")) with { Data = ImmutableSortedDictionary<string, DatasetSpec>.Empty.Add("d", new DatasetSpec("d", path, null, null)) };
        Assert.Equal(code, Record.Exception(() => ExecutionPlan.Of(spec)) is SlipwayException e ? e.Faults[0].Code : null);
    }

    [Fact]
    public void Unknown_names_are_refused()
    {
        Assert.Equal("unknown-output", Fault(Stage("a", ["b.x"], "o=a")).Code);
        Assert.Equal("unknown-output", Fault(Stage("a", ["b.x"], "o=a"), Stage("b", [], "y=b")).Code);
        Assert.Equal("unknown-dataset", Fault(Stage("a", ["@d"], "o=a")).Code);
    }

    [Fact]
    public void All_faults_are_told_at_once()
    {
        var e = Assert.Throws<SlipwayException>(() => ExecutionPlan.Of(TestProject.Spec(Stage("a", ["b.none"], "o=/abs"), Stage("b", ["@d"], "p=b", "q=b"))));
        Assert.Equal(["bad-path", "two-writers", "unknown-output", "unknown-dataset"], e.Faults.Select(fault => fault.Code));
    }

    [Theory]
    [InlineData("*.csv", "a.csv b.csv")]
    [InlineData("*/*.csv", "d/c.csv")]
    [InlineData("**/*.csv", "a.csv b.csv d/c.csv d/e/f.csv")]
    [InlineData("d/**", "d/c.csv d/e/f.csv d/x.txt")]
    [InlineData("?.csv", "a.csv b.csv")]
    [InlineData("d/c.*", "d/c.csv")]
    [InlineData("**/e/*.csv", "d/e/f.csv")]
    [InlineData("z*", "")]
    public void A_glob_matches_as_a_shell_does(string pattern, string expected)
    {
        using var project = new TestProject();
        foreach (var file in new[] { "a.csv", "b.csv", "d/c.csv", "d/x.txt", "d/e/f.csv", ".hidden.csv", ".h/g.csv" })
            project.Write(file, file);
        Directory.CreateSymbolicLink(project.PathOf("d/loop"), project.PathOf("d"));
        Assert.Equal(expected, string.Join(' ', Glob.Match(project.Root, pattern).Order(StringComparer.Ordinal)));
        foreach (var file in expected.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            Assert.True(Glob.Reaches(pattern, file, isFolder: false));
    }

    private static Fault Fault(params StageSpec[] stages)
    {
        var e = Assert.Throws<SlipwayException>(() => ExecutionPlan.Of(TestProject.Spec(stages)));
        Assert.Equal(ExitCode.UnusableInput, e.Exit);
        return e.Faults[0];
    }

    private static StageSpec Stage(string name, string[] inputs, params string[] outputs) => TestProject.Stage(name, "true", inputs, outputs);
}
