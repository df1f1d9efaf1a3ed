using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Slipway.EndToEnd;

/// <summary>What a project stores: whether it is sound, what of it nothing needs, and that a death at any instant loses nothing.</summary>
public sealed class UpkeepTests : IDisposable
{
    /// <summary>Three in five are a run's.</summary>
    private static readonly int kills = Kills.OrElse(20);

    private readonly TinyProject project = new();

    public UpkeepTests() => project.MakeKey();

    public void Dispose() => project.Dispose();

    [Fact]
    public void What_no_tag_no_lock_and_no_new_run_needs_is_told_and_then_deleted()
    {
        var first = DigestOf(project.Run("run", "--json"));
        project.Edit("slipway.yaml", "bins: 10", "bins: 12");
        var second = DigestOf(project.Run("run", "--json"));
        Assert.Equal(0, Json("gc").GetProperty("bytes").GetInt64());

        var told = Json("gc", "--keep-runs", "1");
        Assert.False(told.GetProperty("deleted").GetBoolean());
        Assert.Equal([first], told.GetProperty("bundles").EnumerateArray().Select(bundle => bundle.GetString()!));
        Assert.True(told.GetProperty("bytes").GetInt64() > 50_000);
        Assert.Equal(0, project.Run("verify", first).Code);

        var deleted = Json("gc", "--keep-runs", "1", "--delete");
        Assert.Equal(told.GetProperty("objects").ToString(), deleted.GetProperty("objects").ToString());
        Assert.Equal(told.GetProperty("bytes").GetInt64(), deleted.GetProperty("bytes").GetInt64());
        Assert.Equal(0, Json("gc", "--keep-runs", "1").GetProperty("objects").GetArrayLength());
        Assert.Equal(0, project.Run("doctor").Code);
        Assert.Equal(0, project.Run("verify", second).Code);
        Assert.NotEqual(0, project.Run("verify", first).Code);
        var again = project.Run("run", "--json");
        Assert.All(again.Json.GetProperty("stages").EnumerateArray(), stage => Assert.Equal("cached", stage.GetProperty("source").GetString()));
        project.Edit("slipway.yaml", "bins: 12", "bins: 10");
        Assert.Equal(first, DigestOf(project.Run("run", "--json")));
    }

    [Fact]
    public void A_baseline_that_a_lock_pins_is_kept()
    {
        var first = DigestOf(project.Run("run", "--json"));
        File.WriteAllText(project.PathOf("slipway.yaml"), File.ReadAllText(project.PathOf("slipway.yaml")).Replace("  unit: day\n", $"  unit: day\n  baseline: {first}\n").Replace("bins: 10", "bins: 12"));
        DigestOf(project.Run("run", "--json"));
        Assert.Equal(0, Json("gc", "--keep-runs", "1", "--delete").GetProperty("bundles").GetArrayLength());
        Assert.Equal(0, project.Run("verify", first).Code);
    }

    [Fact]
    public void Damage_is_named_with_what_it_belongs_to_and_the_next_run_mends_it()
    {
        var digest = DigestOf(project.Run("run", "--json"));
        var manifest = JsonDocument.Parse(File.ReadAllText(Blob(digest))).RootElement;
        var code = manifest.GetProperty("layers")[1].GetProperty("digest").GetString()!;
        Append(Blob(code));
        var objects = Directory.EnumerateFiles(project.PathOf(".slipway/objects"), "*", SearchOption.AllDirectories).ToList();
        var predictions = objects.MaxBy(path => new FileInfo(path).Length)!;
        Append(predictions);
        File.Delete(objects.MinBy(path => new FileInfo(path).Length)!);

        var report = project.Run("doctor", "--json");
        Assert.Equal(1, report.Code);
        var findings = report.Json.GetProperty("findings").EnumerateArray().ToDictionary(finding => finding.GetProperty("kind").GetString()!);
        Assert.Equal(["damaged-blob", "damaged-object", "missing-object"], findings.Keys.Order());
        Assert.Contains("code of bundle 'tiny'", findings["damaged-blob"].GetProperty("belongsTo").ToString());
        Assert.Contains("features.train (build/train.csv)", findings["damaged-object"].GetProperty("belongsTo").ToString());
        // The code layer is not in the content store: the bundle lacks it until it is sealed again.
        Assert.Equal(1, project.Run("doctor", "--repair").Code);
        Assert.Equal(digest, DigestOf(project.Run("run", "--json")));
        Assert.Equal(0, project.Run("doctor").Code);
        Assert.Equal(0, project.Run("verify", "tiny").Code);
    }

    [Fact]
    public void Nothing_is_collected_while_it_is_not_known_what_a_bundle_needs()
    {
        var digest = DigestOf(project.Run("run", "--json"));
        var weights = Layer(digest);
        Append(Blob(digest));
        var refused = project.Run("gc", "--keep-runs", "0", "--delete");
        Assert.True(refused.Code == 2 && refused.Errors.Contains("what it leads to is not known"), refused.All);
        var run = Directory.EnumerateFiles(project.PathOf(".slipway/runs"), "run.json", SearchOption.AllDirectories).Single();
        File.WriteAllText(run, "{");
        Assert.Equal(2, project.Run("gc", "--delete").Code);
        Assert.Contains("damaged-run", project.Run("doctor", "--json").Output);
        Assert.Equal(0, project.Run("doctor", "--repair").Code);
        // One byte of a manifest is not to cost the weights: what is set aside keeps what it names.
        Assert.Equal(0, project.Run("gc", "--keep-runs", "0", "--delete").Code);
        Assert.True(File.Exists(Blob(weights)));
        Assert.Equal(digest, DigestOf(project.Run("run", "--json")));
    }

    [Fact]
    public void What_was_said_of_a_bundle_and_is_lost_does_not_take_the_bundle_with_it()
    {
        var digest = DigestOf(project.Run("run", "--json"));
        var attached = Attached(digest);
        Append(Blob(Layer(attached[0])));
        Assert.Equal(1, project.Run("verify", "tiny").Code);
        Assert.Contains("takes the attestation out of the index", project.Run("doctor").Output);
        Assert.Equal(0, project.Run("doctor", "--repair").Code);
        Assert.Equal(attached.Length - 1, Attached(digest).Length);
        // The run says again what it alone says.
        Assert.Equal(digest, DigestOf(project.Run("run", "--json")));
        Assert.Equal(attached.Length, Attached(digest).Length);
        Assert.Equal(0, project.Run("verify", "tiny").Code);
        Assert.Equal(0, project.Run("doctor").Code);
    }

    [Fact]
    public void A_run_that_died_between_two_statements_is_made_up_for_by_the_next()
    {
        var digest = DigestOf(project.Run("run", "--json"));
        var whole = File.ReadAllText(Index);
        var attached = Attached(digest);
        Assert.True(attached.Length >= 4);
        for (var kept = 0; kept < attached.Length; kept++)
        {
            var index = JsonNode.Parse(whole)!;
            var entries = index["manifests"]!.AsArray();
            foreach (var lost in attached.Skip(kept))
                entries.Remove(entries.Single(entry => (string)entry!["digest"]! == lost));
            File.WriteAllText(Index, index.ToJsonString());
            DigestOf(project.Run("run", "--json"));
            Assert.Equal(attached.Length, Attached(digest).Length);
        }
    }

    [Fact]
    public void A_layout_that_cannot_be_read_is_found_and_listed_anew()
    {
        var digest = DigestOf(project.Run("run", "--json"));
        var mark = project.PathOf(".slipway/bundles/oci-layout");
        File.Delete(mark);
        var found = project.Run("doctor");
        Assert.True(found.Code == 1 && found.Output.Contains("damaged layout", StringComparison.Ordinal), found.All);
        Assert.Equal(2, project.Run("gc", "--delete").Code);
        Assert.Equal(0, project.Run("doctor", "--repair").Code);
        Assert.Equal(0, project.Run("verify", "tiny").Code);

        foreach (var damage in new[] { "{", "", null })
        {
            File.Delete(Index);
            if (damage is not null)
                File.WriteAllText(Index, damage);
            Assert.Equal(1, project.Run("doctor").Code);
            Assert.Equal(2, project.Run("gc", "--delete").Code);
            var repaired = project.Run("doctor", "--repair");
            Assert.True(repaired.Code == 0, repaired.All);
            Assert.Equal(0, project.Run("verify", digest).Code);
            Assert.Equal(0, project.Run("tag", digest, "tiny").Code);
            Assert.Equal(0, project.Run("verify", "tiny").Code);
        }
    }

    [Fact]
    public async Task A_collection_beside_who_signs_takes_nothing_of_what_is_signed()
    {
        var digest = DigestOf(project.Run("run", "--json"));
        var before = Attached(digest).Length;
        const int signatures = 8;
        var signing = Task.Run(() =>
        {
            for (var i = 0; i < signatures; i++)
                Assert.Equal(0, project.Run("sign", "tiny", "--annotation", $"number={i}").Code);
        });
        while (!signing.IsCompleted)
            Assert.Equal(0, project.Run("gc", "--delete").Code);
        await signing;
        Assert.Equal(0, project.Run("doctor").Code);
        Assert.Equal(0, project.Run("verify", "tiny").Code);
        Assert.Equal(before + signatures, Attached(digest).Length);
    }

    [Fact]
    public void What_no_tag_names_any_more_goes()
    {
        var first = DigestOf(project.Run("run", "--json"));
        Assert.Equal(0, project.Run("tag", "tiny", "old").Code);
        project.Edit("slipway.yaml", "bins: 10", "bins: 12");
        DigestOf(project.Run("run", "--json"));
        Assert.Equal(0, Json("gc", "--keep-runs", "1").GetProperty("bundles").GetArrayLength());
        Assert.Equal(0, project.Run("untag", "old").Code);
        Assert.Equal(2, project.Run("untag", "old").Code);
        Assert.Equal(first, Json("gc", "--keep-runs", "1", "--delete").GetProperty("bundles")[0].GetString());
        Assert.Equal(0, project.Run("verify", "tiny").Code);
    }

    [Fact]
    public void A_baseline_is_kept_wherever_its_lock_lies()
    {
        var first = DigestOf(project.Run("run", "--json"));
        var spec = File.ReadAllText(project.PathOf("slipway.yaml")).Replace("  unit: day\n", $"  unit: day\n  baseline: {first}\n");
        Directory.CreateDirectory(project.PathOf("a/.b/c"));
        File.WriteAllText(project.PathOf("a/.b/c/deep.yml"), spec);
        DigestOf(project.Run("run", "--json", "--file", "a/.b/c/deep.yml"));
        project.Edit("slipway.yaml", "bins: 10", "bins: 12");
        DigestOf(project.Run("run", "--json"));
        DigestOf(project.Run("run", "--json"));
        Assert.Equal(1, Json("gc", "--keep-runs", "1", "--delete").GetProperty("bundles").GetArrayLength());      // the one that the deep spec made
        Assert.Equal(0, project.Run("verify", first).Code);
    }

    [Fact]
    public async Task A_collection_beside_a_run_takes_nothing_that_the_run_adds()
    {
        DigestOf(project.Run("run", "--json"));
        for (var bins = 11; bins < 15; bins++)
        {
            project.Edit("slipway.yaml", $"bins: {bins - 1}", $"bins: {bins}");
            using var run = project.Start("run", "--json");
            var output = run.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
            var errors = run.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
            while (!run.HasExited)
                Assert.Equal(0, project.Run("gc", "--keep-runs", "1", "--delete").Code);
            DigestOf(new Ended(run.ExitCode, await output, await errors));
            Assert.Equal(0, project.Run("verify", "tiny").Code);
        }

        Assert.Equal(0, project.Run("doctor").Code);
    }

    [Fact]
    public void Killed_at_any_instant_of_adding_sealing_or_collecting_the_store_is_sound()
    {
        var chance = new Random(20_261_122);
        var clock = Stopwatch.StartNew();
        DigestOf(project.Run("run", "--json"));
        var whole = clock.Elapsed;
        var bins = 10;
        for (var kill = 0; kill < kills * 3 / 5; kill++)
        {
            if (kill % 4 == 0)
                project.Edit("slipway.yaml", $"bins: {bins}", $"bins: {++bins}");
            // What is added and sealed comes in the later part.
            Kill(whole * (0.2 + 0.9 * chance.NextDouble()), "run", "-q");
            AssertSound();
        }

        DigestOf(project.Run("run", "--json"));
        clock.Restart();
        Assert.Equal(0, project.Run("gc").Code);
        var looking = clock.Elapsed;
        for (var kill = 0; kill < kills * 2 / 5; kill++)
        {
            if (kill % 8 == 0)
            {
                project.Edit("slipway.yaml", $"bins: {bins}", $"bins: {++bins}");
                DigestOf(project.Run("run", "--json"));
            }

            Kill(looking * (0.3 + 0.9 * chance.NextDouble()), "gc", "--keep-runs", "0", "--delete");
            AssertSound();
        }

        Assert.Equal(0, project.Run("gc", "--keep-runs", "0", "--delete").Code);
        AssertSound();
        var digest = DigestOf(project.Run("run", "--json"));
        Assert.Equal(0, project.Run("verify", digest).Code);

        using var undisturbed = new TinyProject();
        undisturbed.MakeKey();
        undisturbed.Edit("slipway.yaml", "bins: 10", $"bins: {bins}");
        Assert.Equal(DigestOf(undisturbed.Run("run", "--json")), digest);
    }

    private void Kill(TimeSpan after, params string[] arguments)
    {
        using var process = project.Start(arguments);
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        if (!process.WaitForExit(after))
            process.Kill();
        process.WaitForExit();
        Assert.True(process.ExitCode is 0 or 128 + 9, $"{process.ExitCode} {output.Result} {errors.Result}");
    }

    private void AssertSound()
    {
        var report = project.Run("doctor");
        Assert.True(report.Code == 0, report.All);
    }

    private JsonElement Json(params string[] arguments)
    {
        var ended = project.Run([.. arguments, "--json"]);
        Assert.True(ended.Code == 0, ended.All);
        return ended.Json;
    }

    private string Index => project.PathOf(".slipway/bundles/index.json");

    /// <summary>Digests of the attestations that the index lists, in its order.</summary>
    private string[] Attached(string bundle) =>
        [.. JsonNode.Parse(File.ReadAllText(Index))!["manifests"]!.AsArray().Where(entry => (string?)entry!["annotations"]?["dev.slipway.subject"] == bundle).Select(entry => (string)entry!["digest"]!)];

    private string Layer(string manifest) => (string)JsonNode.Parse(File.ReadAllText(Blob(manifest)))!["layers"]![0]!["digest"]!;

    private string Blob(string digest) => project.PathOf($".slipway/bundles/blobs/sha256/{digest["sha256:".Length..]}");

    private static void Append(string path)
    {
        File.SetUnixFileMode(path, File.GetUnixFileMode(path) | UnixFileMode.UserWrite);
        File.AppendAllText(path, "x");
    }

    private static string DigestOf(Ended run)
    {
        Assert.True(run.Code is 0 or 1, run.All);
        return run.Json.GetProperty("bundle").GetProperty("digest").GetString()!;
    }
}
