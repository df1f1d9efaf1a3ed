using System.Text.Json;
using Slipway.Documents;
using Slipway.Documents.Differences;
using Slipway.Documents.Runs;
using Slipway.Documents.Specs;
using Slipway.Primitives.Bytes;

namespace Slipway.Tests.Pipeline.Execution;

/// <summary>Figures that a stage writes are in the run's record, and runs are compared by them.</summary>
public sealed class StageMetricsTests : IDisposable
{
    private readonly TestProject project = new();

    public void Dispose() => project.Dispose();

    [Fact]
    public async Task Numbers_are_recorded_by_dotted_name_whether_the_stage_ran_or_not()
    {
        var spec = Spec("""{"auc": 0.75, "n": 3, "who": "x", "ok": true, "none": null, "by": {"hour": {"a": -1e-3}}, "folds": [1, {"auc": 2}]}""");
        string[] expected = ["r.auc 0.75", "r.by.hour.a -0.001", "r.folds.0 1", "r.folds.1.auc 2", "r.n 3"];
        Assert.Equal(expected, Figures((await project.Run(spec)).Stages[0]));
        var cached = (await project.Run(spec)).Stages[0];
        Assert.Equal(StageSource.Cached, cached.Source);
        Assert.Equal(expected, Figures(cached));
        var bytes = CanonicalJson.Serialize(RunRecord.Begin("x", DateTimeOffset.UnixEpoch) with { Stages = [cached] }, DocumentJson.Default.RunRecord);
        Assert.Equal(expected, Figures(JsonSerializer.Deserialize(bytes, DocumentJson.Default.RunRecord)!.Stages[0]));
    }

    [Fact]
    public async Task Asking_for_figures_of_a_known_output_runs_nothing()
    {
        var spec = Spec("""{"auc": 0.75}""");
        await project.Run(spec with { Stages = [spec.Stages[0] with { Metrics = null }] });
        var stage = (await project.Run(spec)).Stages[0];
        Assert.Equal((StageSource.Cached, 0.75), (stage.Source, stage.Metrics!["r.auc"]));
    }

    [Theory]
    [InlineData("""{"auc": NaN}""", "is not JSON of at most 16 levels")]
    [InlineData("""{"auc": 1""", "is not JSON of at most 16 levels")]
    [InlineData("""{"auc": 1, "auc": 2}""", "is not JSON of at most 16 levels")]
    [InlineData("[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]", "is not JSON of at most 16 levels")]
    [InlineData("""{"auc": 1e999}""", "has the number 1e999, allowed are those that a 64-bit float holds")]
    [InlineData("""{"a.b": 1, "a": {"b": 2}}""", "has two figures that are called r.a.b")]
    public async Task A_metrics_output_that_is_none_is_a_fault_of_the_stage_which_stays_unknown(string content, string message)
    {
        for (var times = 0; times < 2; times++)
        {
            var fault = Assert.Single(await project.Faults(Spec(content)));
            Assert.Equal(("bad-metrics", 10), (fault.Code, fault.Line));
            Assert.StartsWith($"stage s: its metrics r (build/r.json) {message}", fault.Message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("head -c 1100000 /dev/zero > build/r.json", "has 1100000 bytes, allowed at most 1048576")]
    [InlineData("(echo [0; seq -f ,%.0f 10000; echo ]) > build/r.json", "has more figures than are kept, 10000")]
    public async Task Too_much_is_refused(string line, string message) =>
        Assert.Contains(message, Assert.Single(await project.Faults(TestProject.Spec(TestProject.Stage("s", line, [], "r=build/r.json") with { Metrics = ["r"] }))).Message, StringComparison.Ordinal);

    [Fact]
    public async Task Runs_are_compared_by_the_figures_that_differ()
    {
        var (a, b) = (await Result("""{"auc": 0.75, "same": 1, "gone": 2}"""), await Result("""{"auc": 0.5, "same": 1, "new": 3}"""));
        var comparison = RunComparison.Of(a, b, (_, _) => []);
        Assert.Equal([new FigureChange("r.auc", 0.75, 0.5, -0.25), new("r.gone", 2, null, null), new("r.new", null, 3, null)], comparison.Stages[0].Metrics);
        Assert.Empty(RunComparison.Of(a, a, (_, _) => []).Stages[0].Metrics);

        async Task<RunRecord> Result(string content) => RunRecord.Begin("x", DateTimeOffset.UnixEpoch) with { Stages = (await project.Run(Spec(content))).Stages };
    }

    private static IEnumerable<string> Figures(StageResult stage) => stage.Metrics!.Select(figure => FormattableString.Invariant($"{figure.Key} {figure.Value}"));

    private static Spec Spec(string content) => TestProject.Spec(TestProject.Stage("s", $"printf %s '{content}' > build/r.json", [], "r=build/r.json") with { Metrics = ["r"] });
}
