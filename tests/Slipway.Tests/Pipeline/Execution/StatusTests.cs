using System.Collections.Immutable;
using System.Text.Json;
using Slipway.Documents.Environments;
using Slipway.Documents.Runs;
using Slipway.Documents.Specs;
using Slipway.Primitives.Bytes;

namespace Slipway.Tests.Pipeline.Execution;

public sealed class StatusTests : IDisposable
{
    private readonly TestProject project = new();

    private Spec spec = TestProject.Spec(
        TestProject.Stage("features", "cat raw.txt > build/f.txt", ["raw.txt", "@d"], "table=build/f.txt"),
        TestProject.Stage("fit", "echo ${params.rate} > build/m.txt", ["features.table", "code/fit.sh"], "model=build/m.txt") with { Environment = "py" },
        TestProject.Stage("score", "cat build/m.txt > build/s.txt", ["fit.model"], "scores=build/s.txt")) with
    {
        Params = ImmutableSortedDictionary<string, JsonElement>.Empty.Add("rate", TestProject.Json("0.10")),
        Data = ImmutableSortedDictionary<string, DatasetSpec>.Empty.Add("d", new DatasetSpec("d", "d.csv", null, null)),
    };

    public StatusTests()
    {
        project.Write("raw.txt", "abc\n");
        project.Write("code/fit.sh", "x");
        project.WriteDataset("d", "d.csv", "1\n");
        project.Fingerprints["py"] = Fingerprint(("python3-sklearn", "1.2.1"));
    }

    public void Dispose() => project.Dispose();

    [Fact]
    public void Before_the_first_run_everything_would_run_and_nothing_is_written()
    {
        Assert.Equal("features: never ran | fit: never ran, because features would run | score: never ran, because fit would run", Status());
        Assert.False(Directory.Exists(project.Folder.State));
    }

    [Fact]
    public async Task After_a_run_everything_is_cached()
    {
        var outcome = await project.Run(spec);
        var status = project.Status(spec);
        Assert.True(status.IsUpToDate);
        Assert.Equal(outcome.Stages.Select(stage => (Digest?)stage.Key), status.Stages.Select(stage => stage.Key));
    }

    [Fact]
    public async Task Each_changed_part_is_named_in_the_words_of_the_spec()
    {
        await project.Run(spec);
        await Changes("fit: params.rate 0.1 → 0.2 | score: because fit would run", () => spec = spec with { Params = spec.Params.SetItem("rate", TestProject.Json("0.2")) });
        await Changes("fit: code/fit.sh | score: because fit would run", () => project.Write("code/fit.sh", "y"));
        await Changes("fit: + libfoo 1, python3-sklearn 1.2.1 → 1.2.2 | score: because fit would run", () => project.Fingerprints["py"] = Fingerprint(("python3-sklearn", "1.2.2"), ("libfoo", "1")));
        await Changes("features: dataset d | fit: because features would run | score: because fit would run", () => project.WriteDataset("d", "d.csv", "2\n"));
        await Changes("features: determinism.seed 42 → 43 | fit: determinism.seed 42 → 43, because features would run | score: determinism.seed 42 → 43, because fit would run", () => spec = spec with { Determinism = spec.Determinism with { Seed = 43 } });
        await Changes("score: command /bin/sh -c cat build/m.txt > build/s.txt → /bin/sh -c cat build/m.txt build/m.txt > build/s.txt", () => Stage(2, stage => stage with { Run = ["/bin/sh", "-c", "cat build/m.txt build/m.txt > build/s.txt"] }));
        await Changes("fit: network none → pinned | score: because fit would run", () => Stage(1, stage => stage with { Network = StageNetwork.Pinned }));
        await Changes("fit: secret TOKEN is new | score: because fit would run", () => Stage(1, stage => stage with { Secrets = ["TOKEN"] }), runs: false);
        Stage(1, stage => stage with { Secrets = null });
        await Changes("score: new input raw.txt", () => Stage(2, stage => stage with { Inputs = stage.Inputs.Add(new StageInput(InputKind.Path, "raw.txt")) }));
        await Changes("score: output scores build/s.txt → build/s2.txt", () => Stage(2, stage => TestProject.Stage("score", "cat build/m.txt > build/s2.txt", ["fit.model", "raw.txt"], "scores=build/s2.txt") with { Run = stage.Run }), runs: false);
    }

    [Fact]
    public async Task A_value_that_only_looks_different_is_the_same()
    {
        await project.Run(spec);
        spec = spec with { Params = spec.Params.SetItem("rate", TestProject.Json("1e-1")) };
        Assert.Equal("", Status());
    }

    [Fact]
    public async Task A_value_set_back_would_run_nothing()
    {
        await project.Run(spec);
        var before = spec;
        spec = spec with { Params = spec.Params.SetItem("rate", TestProject.Json("0.2")) };
        await project.Run(spec);
        spec = before;
        Assert.Equal("", Status());
        await project.Run(spec);
        spec = spec with { Params = spec.Params.SetItem("rate", TestProject.Json("0.3")) };
        Assert.StartsWith("fit: params.rate 0.1 → 0.3 |", Status());
    }

    [Fact]
    public async Task A_lost_object_is_told()
    {
        var outcome = await project.Run(spec);
        File.Delete(project.Objects.PathOf(outcome.Output("score.scores")!.Digest));
        Assert.Equal("fit: its outputs are no longer in the store, or were changed there | score: because fit would run", Status());
    }

    [Fact]
    public async Task The_report_survives_its_json()
    {
        await project.Run(spec);
        var json = CanonicalJson.Serialize(project.Status(spec), Slipway.Documents.DocumentJson.Default.StatusReport);
        Assert.Contains("\"state\":\"cached\"", System.Text.Encoding.UTF8.GetString(json));
        Assert.True(JsonSerializer.Deserialize(json, Slipway.Documents.DocumentJson.Default.StatusReport)!.IsUpToDate);
    }

    private async Task Changes(string expected, Action change, bool runs = true)
    {
        change();
        Assert.Equal(expected, Status());
        if (runs)
            await project.Run(spec);
    }

    private void Stage(int index, Func<StageSpec, StageSpec> change) => spec = spec with { Stages = spec.Stages.SetItem(index, change(spec.Stages[index])) };

    private string Status() => string.Join(" | ", project.Status(spec).Stages.Where(stage => stage.State == StageState.WouldRun).Select(stage => $"{stage.Name}: {string.Join(", ", stage.Reasons)}"));

    private static HostFingerprint Fingerprint(params (string Name, string Version)[] packages) =>
        new("py", Digest.Of(JsonSerializer.SerializeToUtf8Bytes(packages.Select(package => package.Name + package.Version))), "amd64", packages.ToImmutableSortedDictionary(package => package.Name, package => package.Version));
}
