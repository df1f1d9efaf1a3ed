using System.Collections.Immutable;
using System.Text.Json;
using Slipway.Documents.Differences;
using Slipway.Documents.Evaluations;
using Slipway.Documents.Runs;
using Slipway.Documents.Specs;
using Slipway.Pipeline.Execution;
using Slipway.Primitives.Faults;
using Slipway.Primitives.Files;

namespace Slipway.Tests.Pipeline.Execution;

public sealed class RunHistoryTests : IDisposable
{
    private static readonly DateTimeOffset Noon = new(2026, 6, 1, 12, 0, 0, TimeSpan.Zero);

    private readonly TestProject project = new();

    private Spec spec = TestProject.Spec(
        TestProject.Stage("first", "echo ${params.rate} > build/f.txt", ["raw.txt"], "table=build/f.txt"),
        TestProject.Stage("second", "wc -l < build/f.txt > build/s.txt", ["first.table"], "lines=build/s.txt")) with
    {
        Params = ImmutableSortedDictionary<string, JsonElement>.Empty.Add("rate", TestProject.Json("0.10")),
    };

    public RunHistoryTests() => project.Write("raw.txt", "abc\n");

    public void Dispose() => project.Dispose();

    [Fact]
    public async Task Runs_are_found_by_id_by_its_beginning_and_from_the_newest_back()
    {
        var (old, young) = (await RunAsync(0), await RunAsync(1));
        var history = new RunHistory(project.Folder);
        Assert.Equal([young.Id, old.Id], history.Ids);
        Assert.Equal(young.Id, history.Find("latest").Id);
        Assert.Equal(young.Id, history.Find("latest~0").Id);
        Assert.Equal(old.Id, history.Find("latest~1").Id);
        Assert.Equal(old.Id, history.Find(old.Id).Id);
        Assert.Equal(young.Id, history.Find(young.Id[..15]).Id);
        Assert.Contains("begins 2 runs", Refused(() => history.Find("2026")));
        Assert.Contains("no run 'x'", Refused(() => history.Find("x")));
        Assert.Contains("no run 'latest~-1'", Refused(() => history.Find("latest~-1")));
        Assert.Contains("there are 2 runs", Refused(() => history.Find("latest~2")));
    }

    [Fact]
    public async Task Whether_a_run_that_did_not_end_works_or_was_killed_is_told_by_the_lock()
    {
        var run = (await RunAsync(0)) with { State = RunState.Running, Finished = null };
        run.Write(project.Folder);
        Assert.False(new RunHistory(project.Folder).IsAtWork(run));
        using (FolderLock.TryTake(project.Folder.RunLock))
            Assert.True(new RunHistory(project.Folder).IsAtWork(run));
        await RunAsync(1);
        using (FolderLock.TryTake(project.Folder.RunLock))
            Assert.False(new RunHistory(project.Folder).IsAtWork(run));
    }

    [Fact]
    public async Task What_changed_is_told_by_stage_with_what_it_did_to_the_outputs()
    {
        var a = await RunAsync(0, auc: 0.6);
        spec = spec with { Params = spec.Params.SetItem("rate", TestProject.Json("0.2")) };
        var b = await RunAsync(1, auc: 0.7);
        var comparison = new RunHistory(project.Folder).Compare(a, b);
        Assert.Equal(["params.rate 0.1 → 0.2"], comparison.Stages[0].Changes);
        Assert.Equal(["table"], comparison.Stages[0].Outputs);
        Assert.Equal(["first.table"], comparison.Stages[1].Changes);
        Assert.Empty(comparison.Stages[1].Outputs);
        var metric = Assert.Single(comparison.Metrics);
        Assert.Equal(("auc", DifferenceWay.Independent, 0.1), (metric.Metric, metric.Way, Math.Round(metric.Difference!.Value, 9)));
    }

    [Fact]
    public async Task The_same_run_twice_differs_in_nothing_and_a_stage_that_only_one_came_to_is_named()
    {
        var (a, b) = (await RunAsync(0), await RunAsync(1));
        var history = new RunHistory(project.Folder);
        Assert.All(history.Compare(a, b).Stages, stage => Assert.Equal((0, 0), (stage.Changes.Length, stage.Outputs.Length)));
        var partly = history.Compare(a, b with { Stages = [b.Stages[0]] }).Stages;
        Assert.Equal(("second", null), (partly[1].Stage, partly[1].B));
    }

    [Fact]
    public async Task Where_a_step_is_no_longer_recorded_it_says_so()
    {
        var a = await RunAsync(0);
        spec = spec with { Params = spec.Params.SetItem("rate", TestProject.Json("0.2")) };
        var b = await RunAsync(1);
        File.Delete(Path.Combine(project.Folder.Steps, a.Stages[0].Key.Hex + ".json"));
        Assert.Contains("no longer recorded", Assert.Single(new RunHistory(project.Folder).Compare(a, b).Stages[0].Changes));
    }

    private async Task<RunRecord> RunAsync(int minute, double? auc = null)
    {
        var outcome = await project.Run(spec);
        var evaluation = auc is { } value
            ? new Slipway.Documents.Evaluations.Evaluation(default, 100, 50, null, 100, default, "percentile", 0.95, 1000, 7, ImmutableSortedDictionary<string, Figure>.Empty.Add("auc", new Figure(value, value - 0.05, value + 0.05, 100)), ImmutableSortedDictionary<string, ImmutableArray<SliceEvaluation>>.Empty)
            : null;
        var started = Noon.AddMinutes(minute);
        var record = RunRecord.Begin(RunRecord.NewId(started, 7), started) with { State = RunState.Succeeded, Finished = started.AddSeconds(3), Stages = outcome.Stages, Evaluation = evaluation };
        record.Write(project.Folder);
        return record;
    }

    private static string Refused(Action find)
    {
        var refused = Assert.Throws<SlipwayException>(find);
        Assert.Equal(ExitCode.UnusableInput, refused.Exit);
        return refused.Message;
    }
}
