using System.Collections.Immutable;
using Slipway.Documents.Environments;
using Slipway.Documents.Hardware;
using Slipway.Documents.Rollouts;
using Slipway.Documents.Runs;
using Slipway.Documents.Specs;
using Slipway.Pipeline.Execution;
using Slipway.Primitives.Bytes;

namespace Slipway.Tests.Pipeline.Execution;

public sealed class CachingTests : IDisposable
{
    private readonly TestProject project = new();

    private Spec spec = TestProject.Spec(
        TestProject.Stage("features", "cat raw.txt; tr a-z A-Z < raw.txt > build/f.txt", ["raw.txt"], "table=build/f.txt"),
        TestProject.Stage("fit", "sh code/fit.sh ${params.rate}", ["features.table", "code/fit.sh"], "model=build/model/"),
        TestProject.Stage("score", "cat build/model/deep/w build/model/rate > build/s.txt", ["fit.model"], "scores=build/s.txt"),
        TestProject.Stage("other", "echo other > build/o.txt", [], "o=build/o.txt")) with
    {
        Params = ImmutableSortedDictionary<string, System.Text.Json.JsonElement>.Empty.Add("rate", TestProject.Json("0.1")).Add("unused", TestProject.Json("1")),
    };

    public CachingTests()
    {
        project.Write("raw.txt", "abc\n");
        project.Write("code/fit.sh", "mkdir -p build/model/deep; cat build/f.txt > build/model/deep/w; echo $1 > build/model/rate\n");
    }

    public void Dispose() => project.Dispose();

    [Fact]
    public async Task The_first_run_executes_all_and_the_second_none()
    {
        var first = await project.Run(spec);
        Assert.Equal(["features", "fit", "other", "score"], first.Stages.Select(stage => stage.Name));
        Assert.Equal("features fit other score", first.Executed());
        Assert.Equal("ABC\n0.1\n", project.Read("build/s.txt"));
        var second = await project.Run(spec);
        Assert.Equal("", second.Executed());
        Assert.Equal(first.Stages.Select(stage => stage.Key), second.Stages.Select(stage => stage.Key));
        Assert.Equal(first.Output("score.scores"), second.Output("score.scores"));
        Assert.Null(first.Output("score.none"));
    }

    [Fact]
    public async Task A_param_runs_only_what_depends_on_it()
    {
        await project.Run(spec);
        spec = spec with { Params = spec.Params.SetItem("rate", TestProject.Json("0.2")) };
        Assert.Equal("fit score", (await project.Run(spec)).Executed());
        Assert.Equal("ABC\n0.2\n", project.Read("build/s.txt"));
    }

    [Fact]
    public async Task A_param_that_no_stage_uses_runs_nothing()
    {
        await project.Run(spec);
        spec = spec with { Params = spec.Params.SetItem("unused", TestProject.Json("2")), Description = "another", Owners = ["someone@example.org"], Release = ReleasePlan.Default };
        Assert.Equal("", (await project.Run(spec)).Executed());
    }

    [Fact]
    public async Task A_value_set_back_is_taken_from_the_cache()
    {
        await project.Run(spec);
        await project.Run(spec with { Params = spec.Params.SetItem("rate", TestProject.Json("0.2")) });
        Assert.Equal("", (await project.Run(spec)).Executed());
        Assert.Equal("ABC\n0.1\n", project.Read("build/s.txt"));
    }

    [Fact]
    public async Task An_edit_of_the_code_runs_its_stage_and_stops_where_outputs_stay_the_same()
    {
        await project.Run(spec);
        File.AppendAllText(project.PathOf("code/fit.sh"), "# only a comment\n");
        Assert.Equal("fit", (await project.Run(spec)).Executed());
    }

    [Fact]
    public async Task A_file_that_nothing_declares_runs_nothing()
    {
        await project.Run(spec);
        project.Write("README.md", "words");
        Assert.Equal("", (await project.Run(spec)).Executed());
    }

    [Theory]
    [InlineData("seed")]
    [InlineData("epoch")]
    [InlineData("threads")]
    [InlineData("command")]
    [InlineData("environment")]
    [InlineData("executable")]
    public async Task Whatever_else_can_influence_outputs_runs_again(string what)
    {
        project.Fingerprints["py"] = Fingerprint("1");
        StageSpec[] stages = [spec.Stages[0] with { Environment = "py", Hardware = "train" }];
        spec = TestProject.Spec(stages) with { Hardware = Threads(1) };
        await project.Run(spec);
        Assert.Equal("", (await project.Run(spec)).Executed());
        switch (what)
        {
            case "seed":
                spec = spec with { Determinism = spec.Determinism with { Seed = 43 } };
                break;
            case "epoch":
                spec = spec with { Determinism = spec.Determinism with { Epoch = 0 } };
                break;
            case "threads":
                spec = spec with { Hardware = Threads(2) };
                break;
            case "command":
                spec = spec with { Stages = [spec.Stages[0] with { Run = ["/bin/sh", "-c", "cat raw.txt > build/f.txt"] }] };
                break;
            case "environment":
                project.Fingerprints["py"] = Fingerprint("2");
                break;
            default:
                File.SetUnixFileMode(project.PathOf("raw.txt"), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
                break;
        }

        Assert.Equal("features", (await project.Run(spec)).Executed());
    }

    [Fact]
    public async Task A_project_copied_elsewhere_needs_no_run()
    {
        var first = await project.Run(spec);
        using var copy = new TestProject();
        foreach (var file in Directory.EnumerateFiles(project.Root, "*", SearchOption.AllDirectories))
        {
            var target = copy.PathOf(Path.GetRelativePath(project.Root, file));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(file, target);
            File.SetLastWriteTimeUtc(target, new DateTime(2020, 1, 1, 0, 0, 0, DateTimeKind.Utc));
        }

        foreach (var file in Directory.EnumerateFiles(copy.Root, "*.json", SearchOption.AllDirectories))
            Assert.DoesNotContain(project.Root, File.ReadAllText(file));
        var second = await copy.Run(spec);
        Assert.Equal("", second.Executed());
        Assert.Equal(first.Stages.Select(stage => stage.Key), second.Stages.Select(stage => stage.Key));
    }

    [Fact]
    public async Task The_same_project_made_elsewhere_has_the_same_keys_and_outputs()
    {
        var first = await project.Run(spec);
        using var other = new TestProject();
        foreach (var file in new[] { "raw.txt", "code/fit.sh" })
            other.Write(file, project.Read(file));
        var second = await other.Run(spec, options => options with { Jobs = 4 });
        Assert.Equal("features fit other score", second.Executed());
        Assert.Equal(first.Stages.Select(stage => stage.Key), second.Stages.Select(stage => stage.Key));
        Assert.Equal(first.Stages.SelectMany(stage => stage.Outputs.Values), second.Stages.SelectMany(stage => stage.Outputs.Values));
    }

    [Fact]
    public async Task Force_runs_all()
    {
        await project.Run(spec);
        Assert.Equal("features fit other score", (await project.Run(spec, options => options with { Force = true })).Executed());
    }

    [Fact]
    public async Task A_single_stage_runs_with_what_it_needs()
    {
        var outcome = await project.Run(spec, options => options with { UpTo = "fit" });
        Assert.Equal("features fit", outcome.Executed());
        var unknown = (await project.Faults(spec, options: options => options with { UpTo = "fitt" }))[0];
        Assert.Equal(("unknown-stage", "did you mean fit?"), (unknown.Code, unknown.Help));
    }

    [Fact]
    public async Task A_changed_object_is_made_again_and_a_missing_one_too()
    {
        var table = (await project.Run(spec)).Output("features.table")!;
        var path = project.Objects.PathOf(table.Digest);
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        File.WriteAllText(path, "XXX\n");
        Assert.Equal("features", (await project.Run(spec)).Executed());
        Assert.Equal("ABC\n", File.ReadAllText(path));
        File.Delete(path);
        Assert.Equal("features", (await project.Run(spec)).Executed());
    }

    [Fact]
    public async Task A_changed_file_of_a_folder_is_made_again()
    {
        var model = (await project.Run(spec)).Output("fit.model")!;
        var weights = project.Objects.ReadTree(model.Digest).Files.Single(file => file.Path == "deep/w");
        var path = project.Objects.PathOf(weights.Digest);
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        File.WriteAllText(path, "XXX\n");
        // It has the same content as the features' table, and so is the same object.
        Assert.Equal("features", (await project.Run(spec)).Executed());
        File.Delete(project.Objects.PathOf(model.Digest));
        Assert.Equal("fit", (await project.Run(spec)).Executed());
    }

    [Fact]
    public async Task A_record_of_another_step_is_no_record()
    {
        var keys = (await project.Run(spec)).Stages.ToDictionary(stage => stage.Name, stage => Path.Combine(project.Folder.Steps, stage.Key.Hex + ".json"));
        File.Delete(keys["features"]);
        File.Copy(keys["other"], keys["features"]);
        File.WriteAllText(keys["other"], "{");
        Assert.Equal("features other", (await project.Run(spec)).Executed());
    }

    [Fact]
    public async Task Inputs_and_outputs_are_told_by_content()
    {
        var fit = (await project.Run(spec)).Stages.Single(stage => stage.Name == "fit");
        Assert.Equal(["code/fit.sh", "features.table"], fit.Inputs.Keys);
        Assert.Equal(new Artifact(Digest.Of("ABC\n"u8), ArtifactKind.File, 4), fit.Inputs["features.table"]);
        Assert.Equal((ArtifactKind.Folder, 8L), (fit.Outputs["model"].Kind, fit.Outputs["model"].Size));
        Assert.Equal(["deep/w", "rate"], project.Objects.ReadTree(fit.Outputs["model"].Digest).Files.Select(file => file.Path));
    }

    [Fact]
    public async Task The_start_of_a_stage_is_told_with_its_reason()
    {
        await project.Run(spec);
        Assert.Equal(["never ran"], project.Events.OfType<StageStarted>().First().Reasons);
        await project.Run(spec with { Params = spec.Params.SetItem("rate", TestProject.Json("0.2")) });
        Assert.Equal(["params.rate 0.1 → 0.2"], project.Events.OfType<StageStarted>().First().Reasons);
        Assert.Equal(["features", "fit", "other", "score"], project.Events.OfType<StageEnded>().Select(ended => ended.Stage).Order());
    }

    private static ImmutableSortedDictionary<string, HardwareProfile> Threads(int threads) =>
        ImmutableSortedDictionary<string, HardwareProfile>.Empty.Add("train", new HardwareProfile(null, threads, null, null, [], null, null, null, null, null));

    private static HostFingerprint Fingerprint(string version) =>
        new("py", Digest.Of(System.Text.Encoding.UTF8.GetBytes(version)), "amd64", ImmutableSortedDictionary<string, string>.Empty.Add("python3", version));
}
