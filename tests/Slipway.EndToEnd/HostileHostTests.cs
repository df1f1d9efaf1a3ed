namespace Slipway.EndToEnd;

/// <summary>Hosts that lack what a run needs, or whose clock is wrong: what is told, and what is left.</summary>
public sealed class HostileHostTests : IDisposable
{
    private readonly TinyProject project = new();

    public void Dispose() => project.Dispose();

    [Fact]
    public void A_read_only_project_is_told_and_left_as_it_is()
    {
        project.MakeKey();
        ReadOnly();
        var before = Files();
        MayNotWrite("run");
        MayNotWrite("check");
        MayNotWrite("lock");
        Assert.Equal(before, Files());

        project.Around = [];
        var made = project.Run("run", "--json");
        Assert.True(made.Code == 0, made.All);
        ReadOnly();
        before = Files();
        MayNotWrite("run");
        MayNotWrite("run", "--force");
        MayNotWrite("check");
        var status = project.Run("status");
        Assert.True(status.Code == 0 && status.Output.Contains("nothing would run"), status.All);
        Assert.Equal(0, project.Run("runs").Code);
        Assert.Equal(0, project.Run("verify", "tiny").Code);
        Assert.Equal(before, Files());
        project.Around = [];
        Assert.Equal(Bundle(made), Bundle(project.Run("run", "--json")));
    }

    [Theory]
    [InlineData("stages run in a sandbox, which needs bwrap", "apt-get install bubblewrap", "--ro-bind", "/dev/null", "/usr/bin/bwrap")]
    [InlineData("the sandbox could not be made: bwrap: ", "this host lets you make no user namespaces", "--unshare-user", "--disable-userns")]
    public void Without_a_sandbox_nothing_runs_and_the_other_levels_are_named(string message, string help, params string[] lack)
    {
        project.MakeKey();
        project.Around = ["/usr/bin/bwrap", "--dev-bind", "/", "/", .. lack];
        var (run, check) = (project.Run("run"), project.Run("check"));
        foreach (var refused in new[] { run, check })
        {
            Assert.True(refused.Code == 3, refused.All);
            Assert.Contains(message, refused.All);
            Assert.Contains(help, refused.All);
            Assert.Contains("--isolation oci, or --isolation none", refused.All);
        }

        Assert.DoesNotContain("✓ fit", check.All);
        Assert.False(File.Exists(project.PathOf("build/train.csv")));
        Assert.Contains("features  would run", project.Run("status").Output);
        var weaker = project.Run("run", "--isolation", "none");
        Assert.True(weaker.Code == 0, weaker.All);
        project.Around = [];
        Assert.Contains("executed", project.Run("run").Output);        // what was made under a weaker level is not taken
    }

    [Fact]
    public void A_clock_that_is_set_back_hides_no_change_and_makes_none()
    {
        Assert.SkipUnless(File.Exists("/usr/bin/faketime"), "faketime is not installed");
        project.MakeKey();
        var input = project.PathOf("pipeline/score.py");
        var future = new DateTime(2040, 1, 1, 0, 0, 0, DateTimeKind.Utc);
        File.SetLastWriteTimeUtc(input, future);
        var outputs = new HashSet<string>();
        foreach (var (time, executed) in new[] { ("2035-01-01", true), ("2031-01-01", false), ("2034-01-01", false) })
        {
            project.Around = ["/usr/bin/faketime", time];
            var run = project.Run("run", "--json");
            Assert.True(run.Code == 0 && run.Output.Contains("\"executed\"") == executed, run.All);
            outputs.Add(Bundle(run));
        }

        Assert.Single(outputs);
        project.Around = ["/usr/bin/faketime", "2033-01-01"];
        var text = File.ReadAllText(input);
        File.WriteAllText(input, text[..^1] + ' ');        // of the same size, at the same time
        File.SetLastWriteTimeUtc(input, future);
        Assert.Contains("score     would run", project.Run("status").Output);
    }

    private static string Bundle(Ended run) => run.Json.GetProperty("bundle").GetProperty("digest").GetString()!;

    private void ReadOnly() => project.Around = ["/usr/bin/bwrap", "--dev-bind", "/", "/", "--ro-bind", project.Folder, project.Folder, "--chdir", project.Folder];

    private void MayNotWrite(params string[] arguments)
    {
        var refused = project.Run(arguments);
        Assert.True(refused.Code == 3, refused.All);
        Assert.Contains($"error: cannot write {project.Folder}/", refused.Errors);
        Assert.Contains("Read-only file system", refused.Errors);
        Assert.Contains("make the folder writable for this user, or use a copy of the project that is", refused.Errors);
    }

    private List<string> Files() =>
        [.. new DirectoryInfo(project.Folder).EnumerateFileSystemInfos("*", SearchOption.AllDirectories).Select(each => $"{each.FullName} {each.LastWriteTimeUtc:O}").Order(StringComparer.Ordinal)];
}
