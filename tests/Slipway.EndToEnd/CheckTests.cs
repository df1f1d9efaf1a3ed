using System.Text.Json;
using System.Xml.Linq;

namespace Slipway.EndToEnd;

/// <summary>The quick path for a pull request, in a project whose lock is committed and that never ran.</summary>
public sealed class CheckTests : IDisposable
{
    private readonly TinyProject project = new();

    public CheckTests()
    {
        project.Edit("slipway.yaml", "expect: expectations/trips.yaml", "expect: expectations/trips.yaml\n    sample: { rows: 1500, seed: 3 }");
        Assert.Equal(0, project.Run("lock", "-q").Code);
    }

    public void Dispose() => project.Dispose();

    [Fact]
    public void A_good_project_passes_without_a_key_and_leaves_its_tree_as_it_was()
    {
        var before = Files();
        var first = project.Run("check", "--report", "report", "--json");
        Assert.True(first.Code == 0, first.All);
        Assert.Equal("passed", first.Json.GetProperty("verdict").GetString());
        Assert.Equal(["executed", "executed", "executed"], Sources(first));
        Assert.Equal([(1500, 6000)], first.Json.GetProperty("samples").EnumerateArray().Select(sample => (sample.GetProperty("rows").GetInt32(), sample.GetProperty("of").GetInt32())));
        Assert.Equal("skipped", Verdict(first, "trips: number of rows"));
        Assert.Equal("skipped", Verdict(first, "good enough"));
        Assert.Equal("passed", Verdict(first, "1 row, every input at its largest"));
        Assert.Equal("passed", Verdict(first, "refused with x out of range: 2"));
        Assert.Equal(before.Append("report/junit.xml").Append("report/summary.md").Order(StringComparer.Ordinal), Files());
        Assert.False(Directory.Exists(project.PathOf(".slipway/objects")) || Directory.Exists(project.PathOf(".slipway/bundles")));
        Assert.Empty(Directory.GetFileSystemEntries(project.PathOf(".slipway/runs")));       // which the lock made

        var junit = XDocument.Load(project.PathOf("report/junit.xml")).Root!;
        Assert.Equal(first.Json.GetProperty("checks").GetArrayLength().ToString(), junit.Attribute("tests")!.Value);
        Assert.Equal("0", junit.Attribute("failures")!.Value);
        Assert.StartsWith("### ✅ slipway check of tiny: passed", File.ReadAllText(project.PathOf("report/summary.md")));

        var second = project.Run("check", "--json");
        Assert.Equal(["cached", "cached", "cached"], Sources(second));
        Assert.Equal(Figures(first), Figures(second));
    }

    [Fact]
    public void Every_finding_is_told_and_not_the_first()
    {
        project.Edit("data/trips.csv", "\n2020-01-01,", "\n2021-01-01,");
        project.Edit("serve/predict.py", "rates[min(int(row[0] * len(rates)), len(rates) - 1)]", "2.0");
        var ended = project.Run("check");
        Assert.True(ended.Code == 1, ended.All);
        Assert.Contains("slipway.lock: trips is pinned at", ended.Output);
        Assert.Contains("expectations/trips.yaml:", ended.Output);
        Assert.Contains("✗ trips: days are of one quarter", ended.Output);
        Assert.Contains("✗ 1 row, every input in the middle", ended.Output);
        Assert.Contains("slipway.yaml:", ended.Output);
        Assert.Contains("verdict       ✗ failed:", ended.Output);
        Assert.Matches("\nexpectations  [·✗] ", ended.Output);
    }

    [Fact]
    public void A_failing_stage_is_told_with_its_log_and_what_hangs_on_it_is_skipped()
    {
        project.Edit("pipeline/train.py", "import", "import nothing_of_that_name\nimport");
        var ended = project.Run("check", "--json");
        Assert.True(ended.Code == 1, ended.All);
        Assert.Equal(("passed", "failed", "skipped"), (Verdict(ended, "features"), Verdict(ended, "fit"), Verdict(ended, "score")));
        Assert.Equal(("skipped", "skipped"), (Verdict(ended, "score.predictions"), Verdict(ended, "signature")));
        var help = Check(ended, "fit").GetProperty("faults")[0].GetProperty("help").GetString()!;
        Assert.True(File.Exists(project.PathOf(help[(help.IndexOf("the whole log is ", StringComparison.Ordinal) + "the whole log is ".Length)..])), help);
    }

    [Fact]
    public void A_stage_that_lacks_a_secret_is_an_error_and_the_others_run()
    {
        project.Edit("slipway.yaml", "model:\n", """
              fetch:
                run: [sh, -c, 'printf %s $TOKEN | wc -c > build/size.txt']
                out: { size: build/size.txt }
                secrets: [TOKEN]
              again:
                run: [sh, -c, 'printf %s $TOKEN | wc -c > build/again.txt']
                out: { size: build/again.txt }
                secrets: [TOKEN]
              use:
                run: cp build/size.txt build/copy.txt
                in: [fetch.size]
                out: { copy: build/copy.txt }

            model:

            """);
        var ended = project.Run("check", "--json");
        Assert.True(ended.Code == 3, ended.All);
        Assert.Equal(("error", "error", "skipped"), (Verdict(ended, "fetch"), Verdict(ended, "again"), Verdict(ended, "use")));
        Assert.Equal(("passed", "passed", "passed"), (Verdict(ended, "features"), Verdict(ended, "fit"), Verdict(ended, "score")));
        Assert.Equal("missing-secret", Check(ended, "fetch").GetProperty("faults")[0].GetProperty("code").GetString());
        project.Variables["TOKEN"] = "a-token-of-some-length";
        ended = project.Run("check", "--json");
        Assert.True(ended.Code == 0, ended.All);
        Assert.Equal(("passed", "passed"), (Verdict(ended, "fetch"), Verdict(ended, "use")));
    }

    [Fact]
    public void A_file_that_a_stage_reads_and_does_not_declare_is_named()
    {
        File.WriteAllText(project.PathOf("data/extra.csv"), "x");
        project.Edit("pipeline/train.py", "import", "open('data/extra.csv')\nimport");
        var fault = Check(project.Run("check", "--json"), "fit").GetProperty("faults")[0];
        Assert.Equal("undeclared-read", fault.GetProperty("code").GetString());
        Assert.StartsWith("stage fit read data/extra.csv, which is not among its inputs", fault.GetProperty("message").GetString());
        Assert.StartsWith("add data/extra.csv to in:", fault.GetProperty("help").GetString());
    }

    [Fact]
    public void A_spec_that_cannot_be_used_is_a_report_too()
    {
        project.Edit("slipway.yaml", "stages:", "stagse:");
        var ended = project.Run("check", "--report", "report");
        Assert.True(ended.Code == 2, ended.All);
        Assert.Matches(@"slipway\.yaml:\d+:1: .*stagse", ended.Output);
        Assert.Contains("stages", ended.Output.Replace("stagse", ""));
        Assert.Equal("1", XDocument.Load(project.PathOf("report/junit.xml")).Root!.Attribute("failures")!.Value);
    }

    [Fact]
    public void Data_that_are_not_there_are_an_error_and_no_pass()
    {
        File.Delete(project.PathOf("data/trips.csv"));
        var ended = project.Run("check", "--json");
        Assert.True(ended.Code == 3, ended.All);
        Assert.Equal(("error", "error"), (Verdict(ended, "trips"), Verdict(ended, "slipway.lock")));
        Assert.Equal(("skipped", "skipped"), (Verdict(ended, "features"), Verdict(ended, "signature")));
    }

    [Fact]
    public void What_is_no_longer_declared_is_gone_from_the_stages_sight()
    {
        Assert.Equal(0, project.Run("check", "-q").Code);
        project.Edit("slipway.yaml", "in: [features.train, pipeline/train.py]", "in: [features.train]");
        var ended = project.Run("check", "--json");
        Assert.Equal((1, "failed"), (ended.Code, Verdict(ended, "fit")));
    }

    [Fact]
    public void A_report_s_place_that_cannot_be_written_is_told_before_anything_is_done()
    {
        File.WriteAllText(project.PathOf("report"), "");
        var ended = project.Run("check", "--report", "report");
        Assert.True(ended.Code is 2 or 3, ended.All);
        Assert.False(Directory.Exists(project.PathOf(".slipway/check")));
    }

    [Fact]
    public void Collecting_garbage_and_the_doctor_live_with_it()
    {
        Assert.Equal(0, project.Run("check", "-q").Code);
        project.MakeKey();
        Assert.True(project.Run("run", "-q").Code is 0 or 1);
        Assert.Equal(0, project.Run("doctor").Code);
        Assert.Empty(project.Run("gc", "--json").Json.GetProperty("steps").EnumerateArray());
        project.Edit("slipway.yaml", "bins: 10", "bins: 12");
        Assert.Equal(0, project.Run("check", "-q").Code);
        Assert.Equal(2, project.Run("gc", "--delete", "--json").Json.GetProperty("steps").GetArrayLength());
        Assert.Equal(["cached", "cached", "cached"], Sources(project.Run("check", "--json")));
    }

    [Theory]
    [InlineData("github", ".github/workflows/slipway.yml")]
    [InlineData("gitlab", ".gitlab-ci.yml")]
    [InlineData("azure", "azure-pipelines.yml")]
    [InlineData("jenkins", "Jenkinsfile")]
    public void A_CI_file_is_written_once(string system, string path)
    {
        var first = project.Run("ci", "init", system);
        Assert.True(first.Code == 0, first.All);
        Assert.Contains("SLIPWAY_SIGNING_KEY", first.Output);
        Assert.Contains("slipway check --report slipway-report", File.ReadAllText(project.PathOf(path)));
        File.WriteAllText(project.PathOf(path), "mine");
        Assert.Equal(2, project.Run("ci", "init", system).Code);
        Assert.Equal("mine", File.ReadAllText(project.PathOf(path)));
        Assert.Equal(0, project.Run("ci", "init", system, "--force").Code);
        Assert.NotEqual("mine", File.ReadAllText(project.PathOf(path)));
    }

    [Fact]
    public void Who_writes_a_CI_file_is_told_which_secrets_its_stages_ask_for()
    {
        File.WriteAllText(project.PathOf("slipway.yaml"), "slipway: 1\nname: x\nstages:\n  a: { run: [\"true\"], secrets: [API_TOKEN, A_KEY], out: { o: o.txt } }\n");
        var told = project.Run("ci", "init", "github");
        Assert.True(told.Code == 0, told.All);
        Assert.Contains("the secrets of its stages as well (API_TOKEN, A_KEY)", told.Output);
    }

    private static IEnumerable<string?> Sources(Ended ended) => ended.Json.GetProperty("stages").EnumerateArray().Select(stage => stage.GetProperty("source").GetString());

    private static string Figures(Ended ended) => ended.Json.GetProperty("evaluation").GetProperty("metrics").GetRawText();

    private static JsonElement Check(Ended ended, string name) => ended.Json.GetProperty("checks").EnumerateArray().First(check => check.GetProperty("name").GetString() == name);

    private static string? Verdict(Ended ended, string name) => Check(ended, name).GetProperty("verdict").GetString();

    private List<string> Files() =>
        [.. Directory.EnumerateFiles(project.Folder, "*", SearchOption.AllDirectories).Select(file => Path.GetRelativePath(project.Folder, file)).Where(file => !file.StartsWith(".slipway/", StringComparison.Ordinal)).Order(StringComparer.Ordinal)];
}
