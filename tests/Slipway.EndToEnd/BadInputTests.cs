using System.Diagnostics;

namespace Slipway.EndToEnd;

public sealed class BadInputTests : IDisposable
{
    private readonly TinyProject project = new();

    public BadInputTests() => project.MakeKey();

    public void Dispose() => project.Dispose();

    private void Refused(int code, params string[] says)
    {
        var run = project.Run("run");
        Assert.True(run.Code == code, run.All);
        Assert.All(says, text => Assert.Contains(text, run.Errors + run.Output));
        Assert.DoesNotContain("slipway has a bug", run.Errors);
        Assert.False(Directory.Exists(project.PathOf(".slipway/bundles/blobs")), "something was sealed");
    }

    [Theory]
    [InlineData("check", "-C", ".", "-C", ".")]
    [InlineData("run", "--file", "nothere.yaml", "--file", "slipway.yaml")]
    [InlineData("status", "--file=")]
    [InlineData("run", "-C")]
    public void A_global_option_that_is_repeated_or_empty_is_a_bad_argument(params string[] arguments)
    {
        var run = project.Run(arguments);
        Assert.True(run.Code == 2 && run.Errors.StartsWith("error: ", StringComparison.Ordinal), run.All);
    }

    [Fact]
    public void A_missing_spec_says_so()
    {
        File.Delete(project.PathOf("slipway.yaml"));
        Refused(2, "slipway.yaml");
    }

    [Theory]
    [InlineData(true), InlineData(false)]
    public void A_state_folder_that_is_none_says_so(bool isLink)
    {
        if (isLink)
            File.CreateSymbolicLink(project.PathOf(".slipway"), "/nowhere/at-all");
        else
            File.WriteAllText(project.PathOf(".slipway"), "mine");
        Refused(2, isLink ? ".slipway is a link, and Slipway makes and deletes what is in it" : ".slipway stands where a folder is due");
    }

    [Fact]
    public void An_empty_spec_says_so()
    {
        File.WriteAllText(project.PathOf("slipway.yaml"), "");
        Refused(2, "slipway.yaml");
    }

    [Fact]
    public void A_yaml_syntax_error_has_its_place()
    {
        project.Edit("slipway.yaml", "params: { bins: 10", "params: { bins: 10 ]");
        Refused(2, "slipway.yaml:20:");
    }

    [Fact]
    public void A_misspelt_key_gets_the_nearest_known_one()
    {
        project.Edit("slipway.yaml", "determinism:", "determinsm:");
        Refused(2, "determinsm", "determinism", "slipway.yaml:19:1");
    }

    [Fact]
    public void Code_of_the_served_model_that_is_missing_is_told_before_anything_runs()
    {
        File.Delete(project.PathOf("serve/predict.py"));
        File.Delete(project.PathOf("pipeline/score.py"));
        Refused(2, "'serve/predict.py' is not there", "'pipeline/score.py' is not there");
        Assert.False(Directory.Exists(project.PathOf("build")), "a stage ran");
        var status = project.Run("status");
        Assert.True(status.Code == 2, status.All);
        Assert.Contains("'serve/predict.py' is not there", status.Errors);
    }

    [Fact]
    public void Help_for_an_unknown_verb_is_refused()
    {
        var help = project.Run("statsu", "--help");
        Assert.True(help.Code == 2, help.All);
        Assert.Contains("did you mean status?", help.Errors);
        Assert.Equal("", help.Output);
    }

    [Theory]
    [InlineData("x")]
    [InlineData("0")]
    public void A_wrong_number_of_jobs_says_what_is_allowed(string jobs)
    {
        var run = project.Run("run", "--jobs", jobs);
        Assert.True(run.Code == 2, run.All);
        Assert.Contains($"--jobs is {jobs}, allowed 1 to 1024", run.Errors);
    }

    [Fact]
    public void A_bundle_asked_for_before_the_first_run_says_what_to_do()
    {
        var verify = project.Run("verify", "tiny");
        Assert.True(verify.Code == 2, verify.All);
        Assert.Contains("slipway run", verify.Errors);
    }

    [Fact]
    public void Two_specs_of_one_folder_have_a_lock_each()
    {
        File.Copy(project.PathOf("slipway.yaml"), project.PathOf("second.yaml"));
        project.Edit("second.yaml", "[python3-minimal]", "[python3-minimal, bash]");
        Assert.Equal(0, project.Run("lock").Code);
        Assert.Equal(0, project.Run("--file", "second.yaml", "lock").Code);
        var check = project.Run("--file", "second.yaml", "lock", "--check");
        Assert.True(check.Code == 0, check.All);
    }

    [Fact]
    public void A_bad_gate_has_its_place_in_the_file()
    {
        project.Edit("slipway.yaml", "require: auc >= 0.60", "require: acu >= 0.60");
        Refused(2, "slipway.yaml:63:35", "acu", "auc");
    }

    [Fact]
    public void A_wrong_unit_says_what_is_allowed()
    {
        project.Edit("slipway.yaml", "memory: 256 MiB", "memory: 256");
        Refused(2, "256", "MiB");
    }

    [Fact]
    public void A_failing_stage_shows_its_last_lines_and_where_the_log_is()
    {
        File.WriteAllText(project.PathOf("pipeline/train.py"), "import sys\nprint('out of luck')\nsys.exit(7)\n");
        Refused(2, "fit", "7", "out of luck", ".log");
    }

    [Fact]
    public void A_stage_that_writes_nothing_is_refused()
    {
        File.WriteAllText(project.PathOf("pipeline/train.py"), "pass\n");
        Refused(2, "fit", "build/model");
    }

    [Fact]
    public void A_missing_data_file_says_where_it_was_looked_for()
    {
        File.Delete(project.PathOf("data/trips.csv"));
        Refused(2, "data/trips.csv");
    }

    [Fact]
    public void A_cut_parquet_is_refused()
    {
        project.Edit("slipway.yaml", "data/trips.csv", "data/trips.parquet");
        File.WriteAllText(project.PathOf("data/trips.parquet"), "PAR1 and then the disk was full");
        Refused(2, "data/trips.parquet");
    }

    [Fact]
    public void A_reference_without_a_column_for_an_input_says_so_before_any_stage_where_that_can_be_known()
    {
        project.Edit("slipway.yaml", "reference: features.judge", "reference: trips");
        project.Edit("slipway.yaml", "name: x, type: float32", "name: kinds, type: string");
        project.Edit("slipway.yaml", "shape: [-1, 1], range: [0, 1] }\n    outputs", "shape: [-1, 1] }\n    outputs");
        Refused(2, "slipway.yaml:", "'trips', which has no column 'kinds'", "did you mean kind?");
        Assert.False(File.Exists(project.PathOf("build/train.csv")));
        project.Edit("slipway.yaml", "reference: trips", "reference: fit.model");
        Refused(2, "slipway.yaml:", "'fit.model', which is build/model/");
        Assert.False(File.Exists(project.PathOf("build/train.csv")));
        project.Edit("slipway.yaml", "reference: fit.model", "reference: features.judge");
        Refused(2, "slipway.yaml:", "'features.judge', which has no column 'kinds'");
        Assert.True(File.Exists(project.PathOf("build/train.csv")));
    }

    [Fact]
    public void A_circle_of_stages_is_named()
    {
        project.Edit("slipway.yaml", "in: [features.train, pipeline/train.py]", "in: [features.train, score.predictions, pipeline/train.py]");
        Refused(2, "fit", "score");
    }

    [Fact]
    public void A_stage_cannot_read_what_it_does_not_declare()
    {
        project.Edit("slipway.yaml", "in: [features.judge, fit.model, pipeline/score.py]", "in: [fit.model, pipeline/score.py]");
        Refused(2, "score", "build/judge.csv");
    }

    [Fact]
    public void An_unknown_flag_gets_the_nearest_known_one()
    {
        foreach (var line in new[] { "run --jsn", "status --jsn", "--jsn status" })
        {
            var run = project.Run(line.Split(' '));
            Assert.True(run.Code == 2, run.All);
            Assert.Contains("--json", run.Errors);
        }
    }

    [Fact]
    public void An_unknown_stage_gets_the_nearest_known_one_before_anything_is_read()
    {
        var run = project.Run("run", "scor");
        Assert.True(run.Code == 2, run.All);
        Assert.Contains("score", run.Errors);
        Assert.DoesNotContain("validating", run.Errors);
    }

    [Fact]
    public void A_model_file_that_is_no_onnx_is_not_sealed()
    {
        project.Edit("slipway.yaml", "out: { model: build/model/ }", "out: { model: build/model.onnx }");
        project.Edit("slipway.yaml", "runtime: { process: python3 -m slipway_predict serve/predict.py, in: [serve/predict.py], env: py }", "runtime: onnx");
        project.Edit("slipway.yaml", "in: [features.judge, fit.model, pipeline/score.py]", "in: [features.judge, pipeline/score.py]");
        File.WriteAllText(project.PathOf("pipeline/train.py"), "open('build/model.onnx', 'w').write('a text')\n");
        project.Edit("pipeline/score.py", "with open(\"build/model/rates.json\") as model:\n    rates = json.load(model)", "rates = [i / 10 for i in range(10)]");
        Refused(2, "build/model.onnx", "no ONNX model");
    }

    [Fact]
    public void A_full_disk_loses_nothing()
    {
        Assert.SkipUnless(Environment.UserName == "root", "mounting a small tmpfs needs root");
        var disk = Directory.CreateTempSubdirectory("slipway-full-").FullName;
        Assert.SkipUnless(Shell($"mount -t tmpfs -o size=1m none {disk}") == 0, "this machine does not let us mount a tmpfs");
        try
        {
            using var small = new TinyProject(Path.Combine(disk, "project")) { Home = project.Home };
            File.WriteAllBytes(Path.Combine(disk, "filler"), new byte[(1 << 20) - 330_000]);
            var run = small.Run("run");
            Assert.True(run.Code is 3 or 2, run.All);
            Assert.DoesNotContain("slipway has a bug", run.Errors);
            Assert.Contains("space", run.Errors);
            File.Delete(Path.Combine(disk, "filler"));
            Assert.Equal(0, Shell($"mount -o remount,size=64m {disk}"));
            var again = small.Run("run");
            Assert.True(again.Code == 0, again.All);
        }
        finally
        {
            Shell($"umount -l {disk}");
        }
    }

    [Fact]
    public void A_read_only_folder_is_named()
    {
        Assert.SkipUnless(Environment.UserName == "root", "mounting read-only needs root");
        var folder = project.Folder;
        Assert.SkipUnless(Shell($"mount --bind '{folder}' '{folder}' && mount -o remount,ro,bind '{folder}'") == 0, "this machine does not let us mount");
        try
        {
            Refused(3, "cannot write");
        }
        finally
        {
            Shell($"umount -l '{folder}'");
        }
    }

    private static int Shell(string line)
    {
        using var process = Process.Start("/bin/sh", ["-c", line]);
        process.WaitForExit();
        return process.ExitCode;
    }
}
