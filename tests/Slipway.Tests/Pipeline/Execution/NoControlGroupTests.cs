using System.Collections.Immutable;
using Slipway.Documents.Hardware;
using Slipway.Documents.Runs;
using Slipway.Pipeline.Execution;
using Slipway.Primitives.Faults;
using Slipway.Primitives.Processes;
using Slipway.Primitives.Units;
using Slipway.Tests.Primitives;

namespace Slipway.Tests.Pipeline.Execution;

/// <summary>Limits on a host that lets this user make no control group.</summary>
public sealed class NoControlGroupTests : IDisposable
{
    private readonly TestFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task Memory_is_held_process_by_process_and_the_run_says_so_once()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "hiding the host's control groups needs root");
        Directory.CreateDirectory(folder["p"]);
        string[] prefix = ["/usr/bin/unshare", "--mount", "/bin/sh", "-c", "mount -t tmpfs none /sys/fs/cgroup && exec \"$@\"", "sh"];
        var exit = await ChildProcess.RunAsync(
            ChildProgram.Command("run-ungrouped", [folder["p"]], folder["told"], prefix: prefix), TimeSpan.FromSeconds(1), TestContext.Current.CancellationToken);
        var told = File.ReadAllText(folder["told"]);
        Assert.True(exit.Succeeded, told);
        Assert.Matches(
            """
            \Aremark first: no control group could be made for it, nor will be for stages like it \(.+\): memory is limited for each of its processes, shared memory is not, and neither are processors and processes.*
            stage-failed stage second: its command (exited with \d+|was ended by signal \d+)[^→]*→ each of its processes was held to 32 MiB of memory \(hardware\.small\.memory\); the whole log is [^\n]+
            \z
            """,
            told);
    }

    /// <summary>Runs in a child: two stages, what is remarked, and how the second fails.</summary>
    internal static int RunProgram(string[] arguments)
    {
        var project = new TestProject(arguments[0]);
        var spec = TestProject.Spec(
            TestProject.Stage("first", "echo x > build/a.txt", [], "o=build/a.txt") with { Hardware = "small" },
            TestProject.Stage("second", "a=$(head -c 100000000 /dev/zero | tr '\\0' x); echo ${#a} > build/b.txt", ["first.o"], "o=build/b.txt") with { Hardware = "small" });
        try
        {
            project.RunBeforeMain(
                spec with { Hardware = ImmutableSortedDictionary<string, HardwareProfile>.Empty.Add("small", new(0.5, null, new ByteSize(32L << 20), null, [], null, null, null, null, null)) }, Isolation.Sandbox);
            return 1;
        }
        catch (SlipwayException e)
        {
            foreach (var remark in project.Events.OfType<StageRemark>())
                Console.WriteLine($"remark {remark.Stage}: {remark.Text}");
            Console.WriteLine($"{e.Faults[0].Code} {e.Faults[0].Message} → {e.Faults[0].Help}");
            return 0;
        }
    }
}
