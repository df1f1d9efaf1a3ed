using System.Text.RegularExpressions;

namespace Slipway.EndToEnd;

/// <summary>Looking into a sealed bundle: inspect, unpack, diff and lineage, each on the bundle of one run.</summary>
public sealed class InspectTests(SealedProject original) : IClassFixture<SealedProject>, IDisposable
{
    private readonly string copy = Copy(original);

    private string Reference => $"oci:{copy}:tiny";

    public void Dispose() => Directory.Delete(copy, recursive: true);

    private Ended Run(params string[] arguments)
    {
        var ended = original.Project.Run(arguments);
        Assert.True(ended.Code == 0, ended.All);
        return ended;
    }

    [Fact]
    public void Inspect_tells_who_what_from_which_data_and_how_good()
    {
        var text = Run("inspect", Reference).Output;
        foreach (var part in new[] { original.Digest, "signed by", "https://slsa.dev/provenance/v1", "https://cyclonedx.org/bom", "good enough: pass", "auc", "trips: 6,000 rows", "none: it was made outside a work tree", "Debian package", "256 MiB of memory", "probability: float32" })
            Assert.Contains(part, text);
        var json = Run("inspect", Reference, "--json").Json;
        Assert.Equal(original.Digest, json.GetProperty("bundle").GetString());
        Assert.Equal("pass", json.GetProperty("gates").GetProperty("report").GetProperty("verdict").GetString());
        Assert.Equal(6000, json.GetProperty("sealed").GetProperty("snapshots")[0].GetProperty("rows").GetInt64());
        Assert.Equal(2000, json.GetProperty("evaluation").GetProperty("rows").GetInt64());
        Assert.Single(json.GetProperty("origins").EnumerateArray());
    }

    [Fact]
    public void The_card_is_markdown_or_a_page_that_stands_alone()
    {
        Assert.StartsWith("# Model card: tiny", Run("inspect", Reference, "--card").Output);
        var page = Run("inspect", Reference, "--card-html").Output;
        Assert.StartsWith("<!DOCTYPE html>", page);
        Assert.Contains("Receiver operating characteristic", page);
        Assert.DoesNotMatch("(?i)<script|\\b(src|href)=", page);
        Assert.Equal(2, original.Project.Run("inspect", Reference, "--card", "--card-html").Code);
    }

    [Fact]
    public void Nothing_is_shown_of_a_bundle_that_does_not_verify()
    {
        var blob = Directory.EnumerateFiles(Path.Combine(copy, "blobs/sha256")).MaxBy(file => new FileInfo(file).Length)!;
        var bytes = File.ReadAllBytes(blob);
        bytes[bytes.Length / 2] ^= 1;
        File.SetUnixFileMode(blob, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        File.WriteAllBytes(blob, bytes);
        foreach (var verb in new string[][] { ["inspect", Reference], ["inspect", Reference, "--card"], ["lineage", Reference], ["diff", Reference, Reference], ["unpack", Reference, Path.Combine(copy, "out")] })
        {
            var refused = original.Project.Run(verb);
            Assert.True(refused.Code == 1, refused.All);
            Assert.Equal("", refused.Output);
            Assert.Contains(Path.GetFileName(blob)[..12], refused.Errors);
        }

        Assert.False(Directory.Exists(Path.Combine(copy, "out")));
    }

    [Fact]
    public void A_stranger_is_told_who_signed()
    {
        using var stranger = new TinyProject();
        stranger.MakeKey();
        var refused = stranger.Run("inspect", Reference);
        Assert.True(refused.Code == 1, refused.All);
        var signer = Run("keys", "show", "--json").Json.GetProperty("key").GetProperty("id").GetString()!;
        Assert.Contains(signer, refused.Errors);
    }

    [Fact]
    public void Unpack_writes_all_of_it_or_nothing()
    {
        var target = Path.Combine(copy, "new", "folder");
        Run("unpack", Reference, target);
        Assert.Equal(["code", "model", "slipway"], Directory.EnumerateFileSystemEntries(target).Select(path => Path.GetFileName(path)!).Order());
        Assert.Contains("\"stages\"", File.ReadAllText(Path.Combine(target, "slipway/reproduce.json")));
        var taken = original.Project.Run("unpack", Reference, target);
        Assert.Equal(2, taken.Code);
        Assert.Contains("not an empty folder", taken.Errors);
        Assert.Equal(2, original.Project.Run("unpack", "oci:" + copy + ":none", Path.Combine(copy, "other")).Code);
        var file = Path.Combine(copy, "file");
        File.WriteAllText(file, "");
        Assert.NotEqual(0, original.Project.Run("unpack", Reference, Path.Combine(file, "below")).Code);
    }

    [Fact]
    public void Diff_tells_what_changed_between_two_runs()
    {
        using var other = new TinyProject();
        other.MakeKey();
        other.Edit("slipway.yaml", "bins: 10", "bins: 5");
        var run = other.Run("run", "--json");
        Assert.True(run.Code == 0, run.All);
        string[] keys = ["--key", Path.Combine(original.Project.Home, ".config/slipway/keys"), "--key", Path.Combine(other.Home, ".config/slipway/keys")];
        var theirs = $"oci:{other.PathOf(".slipway/bundles")}:tiny";
        Assert.Equal(1, original.Project.Run("diff", Reference, theirs).Code);
        var changed = Run(["diff", Reference, theirs, .. keys]);
        Assert.Matches(@"params\s+bins: 10 → 5", changed.Output);
        Assert.Contains("paired", changed.Output);
        Assert.Contains("nothing differs", Run("diff", Reference, Reference).Output);
        var json = Run(["diff", Reference, theirs, "--json", .. keys]).Json;
        Assert.Equal("bins", json.GetProperty("params")[0].GetProperty("what").GetString());
        Assert.Empty(json.GetProperty("data").EnumerateArray());
    }

    [Fact]
    public void Lineage_leads_from_a_file_to_the_bundle()
    {
        var tree = Run("lineage", Reference).Output;
        Assert.StartsWith($"bundle tiny  {original.Digest}", tree);
        Assert.Contains("source-file trips/trips.csv", tree);
        var json = Run("lineage", Reference, "--json").Json;
        var file = json.GetProperty("nodes").EnumerateArray().Single(node => node.GetProperty("kind").GetString() == "source-file").GetProperty("digest").GetString()!;
        Assert.Contains("bundle tiny", Run("lineage", Reference, "--of", file["sha256:".Length..][..8]).Output);
        Assert.StartsWith("flowchart LR\n", Run("lineage", Reference, "--format", "mermaid").Output);
        var missing = original.Project.Run("lineage", Reference, "--of", "fit.modle");
        Assert.Equal(2, missing.Code);
        Assert.Contains("did you mean fit.model?", missing.Errors);
        Assert.Equal(2, original.Project.Run("lineage", Reference, "--format", "dot").Code);
    }

    [Fact]
    public void A_second_run_attests_nothing_twice()
    {
        var before = Statements();
        Assert.Equal(0, original.Project.Run("run").Code);
        Assert.Equal(before, Statements());

        string[] Statements() => [.. Regex.Matches(original.Project.Run("verify", "tiny").Output, "signed .*").Select(match => match.Value).Order()];
    }

    private static string Copy(SealedProject project)
    {
        var folder = Directory.CreateTempSubdirectory("slipway-bundle-").FullName;
        TinyProject.CopyFolder(project.Layout, folder);
        return folder;
    }
}
