using Slipway.Documents.Runs;
using Slipway.Documents.Specs;
using Slipway.Primitives.Processes;
using Slipway.Runtime.Sandbox;
using Slipway.Tests.Primitives;

namespace Slipway.Tests.Pipeline.Execution;

/// <summary>A run is killed, and another must come to the right result.</summary>
public sealed class CrashTests : IDisposable
{
    private readonly TestProject project = new();

    public void Dispose() => project.Dispose();

    private static Spec Spec(string second = "cat build/a.txt build/m/deep/w > build/b.txt") => TestProject.Spec(
        TestProject.Stage("a", "cat raw.txt > build/a.txt; mkdir -p build/m/deep; cat raw.txt > build/m/deep/w", ["raw.txt"], "a=build/a.txt", "m=build/m/"),
        TestProject.Stage("b", second, ["a.a", "a.m"], "b=build/b.txt"));

    [Fact]
    public async Task Whatever_a_crash_leaves_between_two_effects_the_next_run_ends_well()
    {
        // Each effect is followed by a photograph of the folder: what a kill at that instant would have left.
        var photographs = new List<(string Effect, TestProject Project)>();
        project.Write("raw.txt", "old\n");
        await project.Run(Spec());
        project.Write("raw.txt", "new\n");
        await project.Run(Spec(), options => options with
        {
            Effect = effect =>
            {
                var copy = new TestProject();
                Copy(project.Root, copy.Root);
                photographs.Add((effect, copy));
            },
        });

        Assert.Equal(
            ["private folder made", "command ended", "outputs stored", "record published", "claimed build/a.txt", "copied build/a.txt", "put build/a.txt", "claimed build/m/", "copied build/m/", "set the old folder aside", "put build/m/"],
            photographs.Take(11).Select(photograph => photograph.Effect));
        Assert.Equal("put build/b.txt", photographs[^1].Effect);
        var published = 0;
        foreach (var (effect, copy) in photographs)
        {
            published += effect == "record published" ? 1 : 0;
            var outcome = await copy.Run(Spec());
            Assert.Equal(("new\nnew\n", "new\n", "new\n"), (copy.Read("build/b.txt"), copy.Read("build/a.txt"), copy.Read("build/m/deep/w")));
            Assert.Equal(published switch { 0 => "a b", 1 => "b", _ => "" }, outcome.Executed());
            Assert.Equal("", (await copy.Run(Spec())).Executed());
            Assert.Empty(Directory.EnumerateFileSystemEntries(copy.Folder.Work));
            copy.Dispose();
        }

        Assert.Equal(2, published);
    }

    [Fact]
    public async Task Temporary_names_that_a_killed_run_left_are_gone_after_the_next()
    {
        project.Write("raw.txt", "new\n");
        var folder = project.Folder;
        string[] left = [.. new[] { folder.State, folder.Steps, folder.Environments, folder.Tables, folder.Scratch, Path.Combine(folder.Steps, "newest") }
            .Select(each => Path.Combine(each, ".tmp-slipway-2147483647-1f-1.parquet"))];
        foreach (var path in left)
            project.Write(Path.GetRelativePath(project.Root, path), "half a doc");
        await project.Run(Spec());
        Assert.DoesNotContain(left, File.Exists);
    }

    [Fact]
    public async Task A_killed_run_is_followed_by_a_right_one_and_its_orphans_are_ended()
    {
        project.Write("raw.txt", "new\n");
        var log = project.PathOf("child.log");
        await using (var child = ChildProcess.Start(ChildProgram.Command("run-pipeline", [project.Root], log)))
        {
            await Eventually.True(() => File.Exists(project.PathOf("pid")) && project.Read("pid").EndsWith('\n'), TimeSpan.FromSeconds(60));
            child.Kill();
            Assert.Equal(9, (await child.Exited).Signal);
        }

        // The stage's command dies with its run; what that one started, in a session of its own, does not.
        var orphan = project.Read("pid").Trim();
        Assert.True(Directory.Exists($"/proc/{orphan}"), File.Exists(log) ? File.ReadAllText(log) : "no log");
        Assert.NotEmpty(Directory.EnumerateFileSystemEntries(project.Folder.Work));
        Assert.Equal("b", (await project.Run(Spec(), TestProject.Open)).Executed());
        Assert.Equal("new\nnew\n", project.Read("build/b.txt"));
        await Eventually.True(() => !Directory.Exists($"/proc/{orphan}") || File.ReadAllText($"/proc/{orphan}/stat").Contains(") Z "), TimeSpan.FromSeconds(30));
    }

    [Fact]
    public async Task Of_a_killed_runs_container_the_next_run_leaves_nothing()
    {
        Assert.SkipUnless(File.Exists("/usr/sbin/runc"), "runc is not installed");
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "containers get control groups from root alone");
        var (log, mark) = (project.PathOf("child.log"), $"600.{Environment.ProcessId}{Environment.TickCount64}");
        await using (var child = ChildProcess.Start(ChildProgram.Command("run-pipeline", [project.Root, "container", mark], log)))
        {
            await Eventually.True(() => Sleepers().Any(), TimeSpan.FromSeconds(60));
            child.Kill();
            await child.Exited;
        }

        var groups = Enclosure.GroupsOf(Assert.Single(Directory.GetDirectories(project.Folder.Work)));
        Assert.NotEmpty(Groups());
        await project.Run(TestProject.Spec(TestProject.Stage("other", "echo x > build/o.txt", [], "o=build/o.txt")));
        await Eventually.True(() => !Sleepers().Any(), TimeSpan.FromSeconds(30));
        Assert.Empty(Groups());

        IEnumerable<string> Sleepers() => Directory.EnumerateDirectories("/proc").Select(process => Path.Combine(process, "cmdline")).Where(File.Exists).Where(file => Text(file).StartsWith($"sleep\0{mark}\0", StringComparison.Ordinal));

        IEnumerable<string> Groups() => Directory.EnumerateDirectories(ControlGroup.MountPoint, groups + "*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.ReparsePoint });

        static string Text(string file)
        {
            try
            {
                return File.ReadAllText(file);
            }
            catch (IOException)
            {
                return "";      // it has ended meanwhile
            }
        }
    }

    [Fact]
    public async Task The_kernel_sees_the_outputs_durable_before_their_names_and_those_before_the_record()
    {
        Assert.SkipUnless(File.Exists("/usr/bin/strace"), "strace is not installed");
        var (trace, log) = (project.PathOf("trace"), project.PathOf("log"));
        project.Write("raw.txt", "new\n");
        var exit = await ChildProcess.RunAsync(
            ChildProgram.Command("run-pipeline", [project.Root, "short"], log, prefix: ["/usr/bin/strace", "-f", "-y", "-o", trace, "-e", "trace=pwrite64,syncfs,fsync,rename"]),
            TimeSpan.Zero,
            TestContext.Current.CancellationToken);
        Assert.SkipUnless(File.Exists(trace) && !File.ReadAllText(log).Contains("ptrace"), "this host does not let strace trace");
        Assert.True(exit.Succeeded, File.ReadAllText(log));

        var (objects, steps) = (project.Folder.Objects + "/", project.Folder.Steps + "/");
        var calls = File.ReadLines(trace)
            .Select(line => line[(line.IndexOf(' ') + 1)..].TrimStart())
            .Where(line => line.Contains(objects) || line.Contains(steps) || line.Contains($"<{project.Folder.Objects}>"))
            .Select(line => $"{line[..line.IndexOf('(')]} {(line.Contains(steps) ? "record" : "object")}")
            .Where(call => call != "fsync record" && call != "pwrite64 record");
        // The bytes, the name, and the names of the two folders that it stands in.
        Assert.Equal(["pwrite64 object", "fsync object", "rename object", "fsync object", "fsync object", "rename record", "rename record"], calls);
    }

    /// <summary>Runs the two stages of this class in a folder; the second starts an orphan and hangs. Or one short stage, or one that sleeps in a container.</summary>
    internal static int RunProgram(string[] arguments)
    {
        var project = new TestProject(arguments[0]);
        switch (arguments)
        {
            case [_, "container", var mark]:
                project.RunBeforeMain(TestProject.Spec(TestProject.Stage("s", $"sleep {mark} & wait; echo x > build/s.txt", [], "s=build/s.txt")), Isolation.Oci);
                break;
            case [_, "short"]:
                project.RunBeforeMain(TestProject.Spec(TestProject.Stage("a", "cat raw.txt > build/a.txt", ["raw.txt"], "a=build/a.txt")), Isolation.Sandbox);
                break;
            default:
                project.RunBeforeMain(Spec("setsid sh -c 'echo $$ > $TMPDIR/../../../../../pid; exec sleep 600'; sleep 600"), Isolation.None);
                break;
        }

        return 0;
    }

    private static void Copy(string from, string to)
    {
        foreach (var path in Directory.EnumerateFileSystemEntries(from, "*", SearchOption.AllDirectories))
        {
            var target = Path.Combine(to, Path.GetRelativePath(from, path));
            if (new FileInfo(path).LinkTarget is { } link)
                File.CreateSymbolicLink(target, link);
            else if (Directory.Exists(path))
                Directory.CreateDirectory(target);
            else if (Path.GetFileName(path) != "run.lock")
                File.Copy(path, target);
        }
    }
}
