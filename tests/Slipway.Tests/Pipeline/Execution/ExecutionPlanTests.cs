using FsCheck;
using FsCheck.Fluent;
using Slipway.Documents.Specs;
using Slipway.Pipeline.Execution.Plan;

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
        Assert.Equal(expected, string.Join(' ', GlobFiles.Match(project.Root, pattern).Order(StringComparer.Ordinal)));
        foreach (var file in expected.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            Assert.True(Glob.Reaches(pattern, file, isFolder: false));
    }

    private static StageSpec Stage(string name, string[] inputs, params string[] outputs) => TestProject.Stage(name, "true", inputs, outputs);
}
