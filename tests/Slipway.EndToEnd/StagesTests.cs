namespace Slipway.EndToEnd;

/// <summary>What stages may say, by the command line.</summary>
public sealed class StagesTests : IDisposable
{
    private const string Token = "a-token-of-some-length";

    private readonly TinyProject project = new();

    public void Dispose() => project.Dispose();

    [Fact]
    public void Combinations_run_are_compared_by_their_figures_and_one_of_them_is_sealed()
    {
        project.MakeKey();
        project.Edit("slipway.yaml", "run: python3 pipeline/train.py --bins ${params.bins}", "run: python3 pipeline/train.py --bins ${params.bins} && printf %s ${params.bins} > build/report-${params.bins}.json");
        project.Edit("pipeline/train.py", "\"build/model", "f\"build/model-{bins}");
        project.Edit("slipway.yaml", "out: { model: build/model/ }", "out: { model: 'build/model-${params.bins}/', report: 'build/report-${params.bins}.json' }\n    metrics: [report]\n    foreach: { bins: [5, 10] }");
        project.Edit("slipway.yaml", "fit.model, pipeline/score.py]", "'fit@bins=10.model', pipeline/score.py]");
        project.Edit("pipeline/score.py", "build/model/", "build/model-10/");
        var ambiguous = project.Run("run");
        Assert.True(ambiguous.Code == 2, ambiguous.All);
        Assert.Contains("allowed is one of fit@bins=5.model, fit@bins=10.model", ambiguous.Errors);

        project.Edit("slipway.yaml", "artifact: fit.model", "artifact: fit@bins=10.model");
        var run = project.Run("run", "--jobs", "2");
        Assert.True(run.Code == 0, run.All);
        Assert.Contains("report = 10", project.Run("runs", "show").Output);
        Assert.Equal(0, project.Run("verify", "tiny").Code);
        Assert.Contains("fit@bins=5", project.Run("dag").Output);
        Assert.Contains("nothing would run", project.Run("status").Output);
        var one = project.Run("run", "fit@bins=5");
        Assert.True(one.Code == 0 && !one.Output.Contains("fit@bins=10"), one.All);
    }

    [Fact]
    public void A_secret_reaches_its_stage_from_each_of_three_places_and_nothing_that_is_kept()
    {
        AddStage("fetch", "printf %s $TOKEN | wc -c > build/size.txt; echo told $TOKEN", "size: build/size.txt", "secrets: [TOKEN]");
        var missing = project.Run("run", "fetch");
        Assert.True(missing.Code == 3, missing.All);
        Assert.Contains("there is no variable TOKEN", missing.Errors);

        var folder = Directory.CreateDirectory(project.Folder + "-secrets").FullName;
        File.WriteAllText(Path.Combine(folder, "TOKEN"), Token + "\n");
        try
        {
            project.Variables["SLIPWAY_SECRETS"] = folder;
            Assert.Equal(0, project.Run("run", "fetch").Code);
            project.Variables.Clear();
            var asked = project.Run("run", "fetch", "--force", "--secret-command", $"cat '{folder}/TOKEN' #");
            Assert.True(asked.Code == 0, asked.All);
            project.Variables["TOKEN"] = Token;
            Assert.Equal(0, project.Run("run", "fetch", "--force").Code);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }

        Assert.Equal($"{Token.Length}", File.ReadAllText(project.PathOf("build/size.txt")).Trim());
        foreach (var file in Directory.EnumerateFiles(project.PathOf(".slipway"), "*", SearchOption.AllDirectories))
            Assert.DoesNotContain(Token, File.ReadAllText(file));
        Assert.Contains("told ***", string.Concat(Directory.EnumerateFiles(project.PathOf(".slipway/runs"), "fetch.log", SearchOption.AllDirectories).Select(File.ReadAllText)));
    }

    [Fact]
    public void A_manual_stage_waits_for_its_name_and_a_failing_one_is_tried_again()
    {
        AddStage("label", "cp data/trips.csv build/label.csv", "rows: build/label.csv", "when: manual", "trips");
        Assert.Contains("label     manual, runs when it is named: never ran", project.Run("status").Output);
        Assert.Contains("label (manual)", project.Run("dag").Output);
        AddStage("use", "exit 7", "o: build/use.csv", "retries: 1", "label.rows");
        var use = project.Run("run", "use");
        Assert.True(use.Code == 2, use.All);
        Assert.Contains("run it with `slipway run label`", use.Errors);
        Assert.Equal(0, project.Run("run", "label").Code);
        use = project.Run("run", "use");
        Assert.True(use.Code == 2, use.All);
        Assert.Contains("use: attempt 1 of 2 failed", use.Errors);
        Assert.Contains("attempt 2 of 2: stage ", use.Errors);
    }

    [Fact]
    public void The_hosts_energy_is_shown_where_a_run_has_it()
    {
        Assert.Equal(0, project.Run("run", "features").Code);
        var file = Assert.Single(Directory.GetFiles(project.PathOf(".slipway/runs"), "run.json", SearchOption.AllDirectories));
        var record = File.ReadAllText(file);
        var measured = record.Contains("\"hostJoules\"");
        Assert.Equal(measured, project.Run("runs", "show").Output.Contains("host energy "));
        if (!measured)
            File.WriteAllText(file, record.Replace("\"userSeconds\":", "\"hostJoules\":12.53,\"userSeconds\":"));
        Assert.Matches(measured ? @"host energy [0-9.]+ J" : @"host energy 12\.5 J", project.Run("runs", "show").Output);
        Assert.Contains("host energy ", project.Run("runs", "compare", "latest", "latest").Output);
    }

    private void AddStage(string name, string line, string output, string key, string? input = null) =>
        project.Edit("slipway.yaml", "stages:\n", $"stages:\n  {name}:\n    run: {line}\n    {(input is null ? "" : $"in: [{input}]\n    ")}out: {{ {output} }}\n    {key}\n");
}
