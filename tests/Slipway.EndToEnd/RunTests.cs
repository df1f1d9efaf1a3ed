using System.Text.RegularExpressions;

namespace Slipway.EndToEnd;

public sealed class RunTests : IDisposable
{
    private readonly TinyProject project = new();

    public RunTests() => project.MakeKey();

    public void Dispose() => project.Dispose();

    [Fact]
    public void A_first_run_seals_and_a_second_takes_everything_from_the_cache()
    {
        var first = project.Run("run", "--json");
        Assert.True(first.Code == 0, first.All);
        var digest = first.Json.GetProperty("bundle").GetProperty("digest").GetString();
        Assert.Equal("pass", first.Json.GetProperty("verdict").GetString());
        Assert.All(first.Json.GetProperty("stages").EnumerateArray(), stage => Assert.Equal("executed", stage.GetProperty("source").GetString()));

        var second = project.Run("run", "--json");
        Assert.True(second.Code == 0, second.All);
        Assert.Equal(digest, second.Json.GetProperty("bundle").GetProperty("digest").GetString());
        Assert.All(second.Json.GetProperty("stages").EnumerateArray(), stage => Assert.Equal("cached", stage.GetProperty("source").GetString()));
    }

    [Fact]
    public void An_edited_parameter_runs_only_what_depends_on_it()
    {
        Assert.Equal(0, project.Run("run").Code);
        project.Edit("slipway.yaml", "bins: 10", "bins: 12");

        var status = project.Run("status");
        Assert.Contains("params.bins 10 → 12", status.Output);

        var run = project.Run("run", "--json");
        Assert.True(run.Code == 0, run.All);
        Assert.Equal(
            ["features cached", "fit executed", "score executed"],
            run.Json.GetProperty("stages").EnumerateArray().Select(stage => $"{stage.GetProperty("name").GetString()} {stage.GetProperty("source").GetString()}"));
    }

    [Fact]
    public void What_a_run_would_seal_again_is_known_until_anything_that_it_rests_on_changes()
    {
        Assert.Equal(0, project.Run("run").Code);
        Knows("run");
        Anew(() => { }, "run", "--force");
        Anew(() =>
        {
            var blob = Directory.EnumerateFiles(project.PathOf(".slipway/bundles/blobs/sha256")).MaxBy(file => new FileInfo(file).Length)!;
            var bytes = File.ReadAllBytes(blob);
            bytes[^1] ^= 1;
            File.SetUnixFileMode(blob, UnixFileMode.UserRead | UnixFileMode.UserWrite);
            File.WriteAllBytes(blob, bytes);
        });
        Anew(() => File.Delete(Directory.EnumerateFiles(project.PathOf(".slipway/bundles/blobs/sha256")).MinBy(file => new FileInfo(file).Length)!));
        Anew(() => Assert.Equal(0, project.Run("untag", "tiny").Code));
        Anew(() => File.WriteAllText(Assert.Single(Directory.GetFiles(project.PathOf(".slipway/seals"))), "{"));
        Anew(() => project.Edit("slipway.yaml", "auc >= 0.60", "auc >= 0.61"));
        project.Edit("slipway.yaml", "description: A model", "description: Another model");
        Knows("run");

        void Anew(Action change, params string[] arguments)
        {
            change();
            var run = project.Run(arguments.Length == 0 ? ["run"] : arguments);
            Assert.True(run.Code == 0, run.All);
            Assert.Contains("· evaluating", run.Errors);
            var verify = project.Run("verify", "tiny");
            Assert.True(verify.Code == 0, verify.All);
            Knows("run");
        }

        void Knows(string verb)
        {
            var run = project.Run(verb);
            Assert.True(run.Code == 0, run.All);
            Assert.DoesNotContain("· evaluating", run.Errors);
            Assert.Contains("✓ good enough: pass", run.Output);
            Assert.Contains("signed by key", run.Output);
        }
    }

    [Fact]
    public void Runs_are_listed_shown_and_compared()
    {
        Assert.Contains("nothing has run", project.Run("runs").Output);
        Assert.Equal(0, project.Run("run").Code);
        project.Edit("slipway.yaml", "bins: 10", "bins: 12");
        Assert.Equal(0, project.Run("run").Code);

        var list = project.Run("runs").Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(2, list.Length);
        Assert.Contains("2 executed, 1 cached", list[0]);
        Assert.Contains("gates pass", list[0]);
        Assert.Equal(2, project.Run("runs", "list", "--json").Json.GetProperty("runs").GetArrayLength());

        var show = project.Run("runs", "show").Output;
        foreach (var part in new[] { list[0].Split(' ')[0], "trips: 6,000 rows", "→ model", "auc", "gates pass" })
            Assert.Contains(part, show);

        var compare = project.Run("runs", "compare", "latest~1", "latest");
        Assert.True(compare.Code == 0, compare.All);
        foreach (var part in new[] { "features  the same", "made another model, by:", "params.bins 10 → 12", "auc ", "slipway diff sha256:" })
            Assert.Contains(part, compare.Output);
        var unknown = project.Run("runs", "show", "nothing");
        Assert.True(unknown.Code == 2, unknown.All);
        Assert.Contains("`slipway runs` lists them", unknown.Errors);
    }

    [Fact]
    public void The_pipeline_is_shown_as_a_graph_without_any_data()
    {
        File.Delete(project.PathOf("data/trips.csv"));
        var text = project.Run("dag");
        Assert.True(text.Code == 0, text.All);
        Assert.Contains("fit         ← features.train, pipeline/train.py\n", text.Output);
        Assert.Contains("tiny        ← fit.model, evaluation\n", text.Output);
        Assert.StartsWith("flowchart LR\n", project.Run("dag", "--format", "mermaid").Output);
        Assert.StartsWith("digraph pipeline {\n", project.Run("dag", "fit", "--format", "dot").Output);
        Assert.Equal(2, project.Run("dag", "--format", "svg").Code);
        Assert.Equal(2, project.Run("dag", "ftt").Code);
        Assert.Equal("bundle", project.Run("dag", "--json").Json.GetProperty("nodes").EnumerateArray().Last().GetProperty("kind").GetString());
    }

    [Fact]
    public void Edits_of_what_the_model_does_not_depend_on_run_nothing_and_keep_the_digest()
    {
        var before = project.Run("run", "--json").Json.GetProperty("bundle").GetProperty("digest").GetString();
        File.WriteAllText(project.PathOf("README.md"), "a new readme");
        project.Edit("slipway.yaml", "description: A model", "description: Another model");
        project.Edit("slipway.yaml", "tests@example.org", "others@example.org");
        project.Edit("slipway.yaml", "name: tiny\n", "name: tiny   # a comment\n\n");

        var after = project.Run("run", "--json");
        Assert.True(after.Code == 0, after.All);
        Assert.Equal(before, after.Json.GetProperty("bundle").GetProperty("digest").GetString());
        Assert.All(after.Json.GetProperty("stages").EnumerateArray(), stage => Assert.Equal("cached", stage.GetProperty("source").GetString()));
    }

    [Fact]
    public void Status_says_what_would_run_and_runs_nothing()
    {
        var before = project.Run("status");
        Assert.True(before.Code == 0, before.All);
        Assert.Contains("never ran", before.Output);
        Assert.Equal(0, project.Run("run").Code);

        var after = project.Run("status", "--json");
        Assert.All(after.Json.GetProperty("stages").EnumerateArray(), stage => Assert.Equal("cached", stage.GetProperty("state").GetString()));
        project.Edit("pipeline/score.py", "import csv", "import csv  # again");
        Assert.Contains("pipeline/score.py", project.Run("status").Output);
    }

    [Fact]
    public void A_remembered_status_notices_every_kind_of_change()
    {
        Assert.Equal(0, project.Run("run").Code);
        var objects = Directory.EnumerateFiles(project.PathOf(".slipway/objects"), "*", SearchOption.AllDirectories).ToList();
        (string What, Action Change)[] changes =
        [
            ("a param", () => project.Edit("slipway.yaml", "bins: 10", "bins: 12")),
            ("code", () => project.Edit("pipeline/score.py", "import csv", "import csv  # again")),
            ("code of the same size and time", () =>
            {
                var time = File.GetLastWriteTimeUtc(project.PathOf("pipeline/train.py"));
                project.Edit("pipeline/train.py", "[2.0]", "[3.0]");
                File.SetLastWriteTimeUtc(project.PathOf("pipeline/train.py"), time);
            }),
            ("data", () => File.AppendAllText(project.PathOf("data/trips.csv"), "2020-03-31,0.5000,a,1\n")),
            ("the lock", () => File.WriteAllText(project.PathOf("slipway.lock"), File.ReadAllText(project.PathOf("slipway.lock")).Replace("\"rows\": 6000", "\"rows\": 6001"))),
            ("an output in the store", () => File.Delete(objects[0])),
            ("a step's record", () => File.Delete(Directory.EnumerateFiles(project.PathOf(".slipway/steps")).First())),
        ];
        var saved = Directory.CreateTempSubdirectory("slipway-saved-").FullName;
        TinyProject.CopyFolder(project.Folder, saved);
        foreach (var (what, change) in changes)
        {
            Assert.Equal(0, project.Run("run").Code);
            var calm = project.Run("status");
            Assert.Contains("nothing would run", calm.Output);
            Assert.True(File.Exists(project.PathOf(".slipway/status-9448a65c88cd91765910681197615a1ad2eb37d88d76c4dd14fa10ebcd339e02")), "the status is not remembered");
            Assert.Equal(calm.Output, project.Run("status").Output);

            change();
            var noticed = project.Run("status");
            Assert.True(noticed.Output != calm.Output, $"{what}: {noticed.All}");
            foreach (var file in new[] { "slipway.yaml", "slipway.lock", "pipeline/score.py", "pipeline/train.py", "data/trips.csv" })
                File.Copy(Path.Combine(saved, file), project.PathOf(file), overwrite: true);
        }

        Directory.Delete(saved, recursive: true);
    }

    [Fact]
    public void A_remembered_run_notices_every_kind_of_change_and_keeps_its_words()
    {
        Assert.Equal(0, project.Run("run").Code);
        var first = project.Run("run");
        Assert.DoesNotContain("unchanged", first.Output);
        var calm = project.Run("run", "--quiet", "--jobs", "2");
        Assert.Equal(0, calm.Code);
        Assert.StartsWith("unchanged", calm.Output);
        Assert.Contains("gates", calm.Output);
        Assert.Equal("", calm.Errors);
        var built = project.PathOf("build/predictions.csv");
        var keys = Path.Combine(project.Home, ".config/slipway/keys");
        (string What, Action Change)[] changes =
        [
            ("an output in the project", () => File.Delete(built)),
            ("an output of the same size and time", () =>
            {
                var (time, text) = (File.GetLastWriteTimeUtc(built), File.ReadAllText(built));
                File.WriteAllText(built, text[..^2] + (text[^2] == '0' ? '1' : '0') + text[^1]);
                File.SetLastWriteTimeUtc(built, time);
            }),
            ("what is expected of the data", () => File.AppendAllText(project.PathOf("expectations/trips.yaml"), "# again\n")),
            ("the data", () => File.SetLastWriteTimeUtc(project.PathOf("data/trips.csv"), new DateTime(2020, 1, 1, 0, 0, 0, DateTimeKind.Utc))),
            ("the index of bundles", () => File.SetLastWriteTimeUtc(project.PathOf(".slipway/bundles/index.json"), new DateTime(2020, 1, 1, 0, 0, 0, DateTimeKind.Utc))),
            ("a key more to believe", () => File.Copy(Path.Combine(keys, "default.key.pub"), Path.Combine(keys, "other.key.pub"))),
            ("a policy", () => File.WriteAllText(Path.Combine(keys, "../trust.yaml"), "?")),
            ("a variable", () => project.Variables["SLIPWAY_ISOLATION"] = "none"),
            ("the served model's code", () => File.AppendAllText(project.PathOf("serve/predict.py"), "# again\n")),
            ("a gate", () => project.Edit("slipway.yaml", "ece <= 0.2", "ece <= 0.3")),
        ];
        foreach (var (what, change) in changes)
        {
            change();
            var noticed = project.Run("run");
            Assert.False(noticed.Output.StartsWith("unchanged", StringComparison.Ordinal), $"{what}: {noticed.All}");
            project.Variables.Clear();
            File.Delete(Path.Combine(keys, "../trust.yaml"));
            for (var again = 0; again < 2; again++)
                Assert.Equal(0, project.Run("run").Code);
            Assert.True(project.Run("run").Output.StartsWith("unchanged", StringComparison.Ordinal), what);
        }

        // A copy's files are its own.
        using (var copy = new TinyProject())
        {
            (var own, copy.Home) = (copy.Home, project.Home);
            TinyProject.CopyFolder(project.Folder, copy.Folder);
            foreach (var verb in new[] { "status", "run" })
                Assert.DoesNotContain("unchanged", copy.Run(verb).Output);
            copy.Edit("slipway.yaml", "ece <= 0.3", "ece <= 0");
            var judged = copy.Run("run");
            Assert.True(judged.Code == 1, judged.All);
            copy.Home = own;
        }

        // A bad verdict is as bad the second time.
        project.Edit("slipway.yaml", "auc >= 0.60", "auc >= 0.999");
        var bad = project.Run("run");
        Assert.Equal(1, bad.Code);
        Assert.DoesNotContain("unchanged", project.Run("run").Output);
        var repeated = project.Run("run");
        Assert.True(repeated.Code == 1 && repeated.Output.StartsWith("unchanged", StringComparison.Ordinal), repeated.All);

        // What a policy says may depend on the day.
        File.WriteAllText(Path.Combine(keys, "../trust.yaml"), "slipway-trust: 1\nsigners:\n  me: { keys: [keys/default.key.pub] }\nrequire:\n  - { predicate: https://slsa.dev/provenance/v1, by: [me] }\n");
        foreach (var asked in new string[][] { ["run"], ["run"], ["run"] })
            Assert.DoesNotContain("unchanged", project.Run(asked).Output);
        File.Delete(Path.Combine(keys, "../trust.yaml"));

        foreach (var asked in new string[][] { ["run", "--force"], ["run", "--json"], ["run", "--jobs", "0"], ["run", "--isolation", "none"], ["run", "nothing"] })
            Assert.False(project.Run(asked).Output.StartsWith("unchanged", StringComparison.Ordinal), asked[1]);
    }

    [Fact]
    public void Bad_rows_stop_the_run_before_any_training_and_are_shown()
    {
        var rows = File.ReadAllLines(project.PathOf("data/trips.csv"));
        rows[10] = rows[10].Replace(",0.", ",7.");
        File.WriteAllLines(project.PathOf("data/trips.csv"), rows);

        var run = project.Run("run");
        Assert.True(run.Code == 1, run.All);
        Assert.Contains("x in [0, 1]", run.Output + run.Errors);
        Assert.Contains("7.", run.Output + run.Errors);
        Assert.False(Directory.Exists(project.PathOf("build")));
    }

    [Fact]
    public void Data_that_differ_from_the_lock_stop_the_run_until_they_are_accepted()
    {
        Assert.Equal(0, project.Run("run").Code);
        File.AppendAllText(project.PathOf("data/trips.csv"), "2020-03-31,0.5000,a,1\n");

        var refused = project.Run("run");
        Assert.True(refused.Code == 2, refused.All);
        Assert.Contains("slipway lock", refused.Errors);
        Assert.Equal(1, project.Run("lock", "--check").Code);
        Assert.Equal(0, project.Run("lock").Code);
        Assert.Equal(0, project.Run("lock", "--check").Code);
        Assert.Equal(0, project.Run("run").Code);
    }

    [Fact]
    public void A_model_that_learned_nothing_fails_its_gate_and_stays_as_evidence()
    {
        project.Edit("slipway.yaml", "noise: 0", "noise: 1");
        var run = project.Run("run", "--json");
        Assert.True(run.Code == 1, run.All);
        Assert.Equal("fail", run.Json.GetProperty("verdict").GetString());
        var digest = run.Json.GetProperty("bundle").GetProperty("digest").GetString()!;
        Assert.Equal(0, project.Run("verify", digest).Code);
    }

    [Fact]
    public void A_baseline_is_compared_in_pairs()
    {
        var baseline = project.Run("run", "--json").Json.GetProperty("bundle").GetProperty("digest").GetString();
        project.Edit("slipway.yaml", "  metrics: [auc", $"  baseline: {baseline}\n  metrics: [auc");
        project.Edit("slipway.yaml", "bins: 10", "bins: 11");
        Assert.Equal(0, project.Run("lock").Code);

        var run = project.Run("run");
        Assert.True(run.Code == 0, run.All);
        Assert.Matches(@"auc\.delta = \S+ \[\S+, \S+\]", run.Output);
        Assert.DoesNotContain("not-evaluated", run.Output);
    }

    [Fact]
    public void A_run_of_one_stage_seals_nothing()
    {
        var run = project.Run("run", "fit", "--json");
        Assert.True(run.Code == 0, run.All);
        Assert.Equal(2, run.Json.GetProperty("stages").GetArrayLength());
        Assert.False(File.Exists(project.PathOf("build/predictions.csv")));
        Assert.False(run.Json.TryGetProperty("bundle", out _));
    }

    [Fact]
    public void A_run_that_seals_nothing_needs_no_key()
    {
        File.Delete(Path.Combine(project.Home, ".config/slipway/keys/default.key"));
        var run = project.Run("run", "features");
        Assert.True(run.Code == 0, run.All);
    }

    [Fact]
    public void A_result_that_was_edited_in_the_store_does_not_reach_a_bundle()
    {
        var first = project.Run("run", "--json").Json.GetProperty("bundle").GetProperty("digest").GetString();
        Directory.Delete(project.PathOf(".slipway/bundles"), recursive: true);
        var predictions = Directory.EnumerateFiles(project.PathOf(".slipway/objects"), "*", SearchOption.AllDirectories)
            .First(file => File.ReadLines(file).First() == "day,kind,late,probability\r" || File.ReadLines(file).First() == "day,kind,late,probability");
        var time = File.GetLastWriteTimeUtc(predictions);
        File.SetUnixFileMode(predictions, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        var sealedText = File.ReadAllText(predictions);
        File.WriteAllText(predictions, Regex.Replace(sealedText, @",1,0\.\d", ",1,0.9"));
        Assert.NotEqual(sealedText, File.ReadAllText(predictions));
        File.SetLastWriteTimeUtc(predictions, time);

        var again = project.Run("run", "--json");
        Assert.True(again.Code == 2 || again.Json.GetProperty("bundle").GetProperty("digest").GetString() == first, again.All);
        Assert.DoesNotContain("slipway has a bug", again.Errors);
    }

    [Fact]
    public void Without_a_signing_key_nothing_starts()
    {
        File.Delete(Path.Combine(project.Home, ".config/slipway/keys/default.key"));
        var run = project.Run("run");
        Assert.True(run.Code == 3, run.All);
        Assert.Contains("slipway keys new", run.Errors);
        Assert.False(Directory.Exists(project.PathOf("build")));
    }
}
