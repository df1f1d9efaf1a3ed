using Slipway.Documents.Runs;
using Slipway.Documents.Specs;
using Slipway.Pipeline.Execution;

namespace Slipway.Tests.Pipeline.Execution;

/// <summary>Stages that always run, and stages that run only when a person names them.</summary>
public sealed class WhenTests : IDisposable
{
    private readonly TestProject project = new();

    public WhenTests() => project.Write("raw.txt", "abc\n");

    public void Dispose() => project.Dispose();

    [Theory]
    [InlineData(StageWhen.Always, StageNetwork.None, "runs always (when: always)")]
    [InlineData(StageWhen.Changed, StageNetwork.Host, "runs always (network: host)")]
    public async Task A_stage_that_always_runs_is_never_taken_from_what_is_known(StageWhen when, StageNetwork network, string reason)
    {
        var spec = TestProject.Spec(
            TestProject.Stage("fetch", "echo same > build/f.txt", [], "f=build/f.txt") with { When = when, Network = network },
            TestProject.Stage("use", "cat build/f.txt > build/u.txt", ["fetch.f"], "u=build/u.txt"));
        await project.Run(spec);
        Assert.Equal("fetch", (await project.Run(spec)).Executed());
        Assert.Equal([reason], project.Events.OfType<StageStarted>().Single().Reasons);
        var status = project.Status(spec);
        Assert.False(status.IsUpToDate);
        Assert.Equal([reason], status.Stages[0].Reasons);
    }

    [Fact]
    public async Task What_is_pinned_is_taken_from_what_is_known()
    {
        var spec = TestProject.Spec(TestProject.Stage("fetch", "echo same > build/f.txt", [], "f=build/f.txt") with { Network = StageNetwork.Pinned });
        await project.Run(spec);
        Assert.Equal("", (await project.Run(spec)).Executed());
        Assert.True(project.Status(spec).IsUpToDate);
    }

    [Fact]
    public async Task A_manual_stage_that_nothing_needs_is_left_out_until_it_is_named()
    {
        var spec = TestProject.Spec(Label(), TestProject.Stage("other", "echo o > build/o.txt", [], "o=build/o.txt"));
        var plain = await project.Run(spec);
        Assert.Equal(["other"], plain.Stages.Select(stage => stage.Name));
        Assert.Equal((StageState.Manual, true), (project.Status(spec).Stages[0].State, project.Status(spec).IsUpToDate));
        Assert.Equal("label", (await project.Run(spec, options => options with { UpTo = "label" })).Executed());
        Assert.Equal(["label", "other"], (await project.Run(spec)).Stages.Select(stage => stage.Name));
        Assert.Equal(StageState.Cached, project.Status(spec).Stages[0].State);
    }

    [Fact]
    public async Task A_manual_stage_that_something_needs_is_asked_for_before_anything_runs()
    {
        var spec = TestProject.Spec(TestProject.Stage("a-first", "echo o > build/o.txt", [], "o=build/o.txt"), Label(), Fit());
        var fault = Assert.Single(await project.Faults(spec));
        Assert.Equal(("manual-stage", "run it with `slipway run label`"), (fault.Code, fault.Help));
        Assert.Equal("stage label is manual, its outputs are not known for what it would take in now, and fit needs it", fault.Message);
        Assert.Empty(project.Events);

        await project.Run(spec, options => options with { UpTo = "label" });
        Assert.Equal("a-first fit", (await project.Run(spec)).Executed());
        project.Write("raw.txt", "xyz\n");
        Assert.Equal("manual-stage", Assert.Single(await project.Faults(spec)).Code);
        var status = project.Status(spec);
        Assert.Equal((StageState.Manual, "raw.txt"), (status.Stages[1].State, status.Stages[1].Reasons[0]));
        Assert.Equal("because label is manual and has to run", status.Stages[2].Reasons[^1]);
    }

    [Fact]
    public async Task Below_a_stage_that_always_runs_a_manual_one_is_asked_for_only_when_that_makes_something_else()
    {
        project.Write("source.txt", "same\n");
        var fetch = TestProject.Stage("fetch", $"cat '{project.PathOf("source.txt")}' > build/f.txt", [], "f=build/f.txt") with { Network = StageNetwork.Host };
        var spec = TestProject.Spec(
            fetch,
            TestProject.Stage("clean", "cat build/f.txt > build/c.txt", ["fetch.f"], "c=build/c.txt"),
            TestProject.Stage("label", "cat build/c.txt raw.txt > build/l.txt", ["clean.c", "raw.txt"], "l=build/l.txt") with { When = StageWhen.Manual },
            Fit());
        Assert.Equal("manual-stage", Assert.Single(await project.Faults(spec, options: TestProject.Open)).Code);
        Assert.Empty(project.Events);
        await project.Run(spec, options => TestProject.Open(options) with { UpTo = "label" });
        Assert.Equal("fetch fit", (await project.Run(spec, TestProject.Open)).Executed());
        Assert.Equal("fetch", (await project.Run(spec, TestProject.Open)).Executed());
        var status = Slipway.Pipeline.Execution.Status.Of(spec, project.Folder, project.OpenIndex(), new Dictionary<string, Slipway.Primitives.Bytes.Digest>(), project.Fingerprints, Isolation.None);
        Assert.Equal(
            ["fetch WouldRun runs always (network: host)", "clean WouldRun because fetch would run", "label Manual only if clean makes something else than before", "fit WouldRun because what label takes in may change"],
            status.Stages.Select(stage => $"{stage.Name} {stage.State} {string.Join(", ", stage.Reasons)}"));

        project.Write("source.txt", "other\n");
        var fault = Assert.Single(await project.Faults(spec, options: TestProject.Open));
        Assert.Equal("stage label is manual, its outputs are not known for what it would take in now, and what it takes in changed in this run", fault.Message);
        await project.Run(spec, options => TestProject.Open(options) with { UpTo = "label" });
        Assert.Equal("fetch fit", (await project.Run(spec, TestProject.Open)).Executed());

        project.Write("raw.txt", "xyz\n");
        Assert.Contains("and fit needs it", Assert.Single(await project.Faults(spec, options: TestProject.Open)).Message);
        Assert.Empty(project.Events);
    }

    [Fact]
    public async Task Force_runs_everything_but_what_a_person_has_to_name()
    {
        var spec = TestProject.Spec(Label(), Fit());
        await project.Run(spec, options => options with { UpTo = "label" });
        Assert.Equal("fit", (await project.Run(spec, options => options with { Force = true })).Executed());
        Assert.Equal("label", (await project.Run(spec, options => options with { Force = true, UpTo = "label" })).Executed());
    }

    [Fact]
    public void A_bundle_holds_the_manual_stages_that_something_needs_and_no_others()
    {
        var spec = TestProject.Spec(Label(), Fit(), TestProject.Stage("look", "cat build/m.txt > build/k.txt", ["fit.m"], "k=build/k.txt") with { When = StageWhen.Manual });
        Assert.Equal(["fit", "label"], Slipway.Pipeline.Execution.Plan.SealedStages.Of(spec).Order());
        Assert.Contains("look", Slipway.Pipeline.Execution.Plan.SealedStages.Of(spec with { Evaluate = new EvaluateSpec("look.k", "a", "b", null, null, [], [], default, 1) }));
    }

    [Fact]
    public async Task All_combinations_of_a_stage_run_under_its_name()
    {
        var spec = TestProject.Spec([.. new[] { "1", "2" }.Select(depth => TestProject.Stage($"fit@depth={depth}", $"echo {depth} > build/m{depth}.txt", [], $"m=build/m{depth}.txt") with
        {
            Combination = new StageCombination("fit", System.Collections.Immutable.ImmutableSortedDictionary<string, System.Text.Json.JsonElement>.Empty.Add("depth", TestProject.Json(depth))),
        }), TestProject.Stage("other", "echo o > build/o.txt", ["fit@depth=2.m"], "o=build/o.txt")]);
        Assert.Equal("fit@depth=1 fit@depth=2", (await project.Run(spec, options => options with { UpTo = "fit" })).Executed());
        Assert.Equal("other", (await project.Run(spec, options => options with { UpTo = "other" })).Executed());
    }

    private static StageSpec Label() => TestProject.Stage("label", "cat raw.txt > build/l.txt", ["raw.txt"], "l=build/l.txt") with { When = StageWhen.Manual };

    private static StageSpec Fit() => TestProject.Stage("fit", "cat build/l.txt > build/m.txt", ["label.l"], "m=build/m.txt");
}
