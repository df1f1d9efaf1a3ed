using System.Diagnostics;
using Slipway.Primitives.Faults;
using Slipway.Primitives.Processes;

namespace Slipway.Tests.Primitives.Processes;

public sealed class ChildProcessTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30), Grace = TimeSpan.FromSeconds(10);
    private static readonly Dictionary<string, string> Plain = new() { ["PATH"] = "/usr/bin:/bin" };

    private readonly TestFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData("exit 0", 0)]
    [InlineData("exit 3", 3)]
    [InlineData("exit 255", 255)]
    public async Task An_exit_code_comes_back(string script, int code)
    {
        var exit = await Run(script);
        Assert.Equal((code, (int?)null, code == 0), (exit.Code, exit.Signal, exit.Succeeded));
        Assert.Equal($"exited with {code}", exit.ToString());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    public void Nobody_is_ended_by_what_stands_for_many(int id) => Assert.Throws<ArgumentOutOfRangeException>(() => ChildProcess.Kill(id));

    [Fact]
    public async Task A_signal_comes_back_and_is_no_success()
    {
        var exit = await Run("kill -SEGV $$");
        Assert.Equal(((int?)null, 11, false), (exit.Code, exit.Signal, exit.Succeeded));
        Assert.Equal("was ended by signal 11", exit.ToString());
    }

    [Fact]
    public async Task Both_outputs_go_to_one_file_in_order_or_to_two_and_are_appended()
    {
        folder.Write("both", "before\n");
        await Run("echo out; echo err >&2; echo out again", output: "both", errors: "both");
        Assert.Equal("before\nout\nerr\nout again\n", File.ReadAllText(folder["both"]));

        await Run("echo out; echo err >&2", output: "o", errors: "e");
        Assert.Equal(("out\n", "err\n"), (File.ReadAllText(folder["o"]), File.ReadAllText(folder["e"])));

        await Run("echo out; echo err >&2", errors: "only");
        Assert.Equal("err\n", File.ReadAllText(folder["only"]));
    }

    [Fact]
    public async Task The_environment_is_complete_and_nothing_of_ours_leaks()
    {
        Assert.NotNull(Environment.GetEnvironmentVariable("PATH"));
        await ChildProcess.RunAsync(
            new ChildCommand(["/usr/bin/env"], folder.Root, new Dictionary<string, string> { ["A"] = "1", ["UMLAUT"] = "ä = =" }, folder["out"]), Grace, Cancelled);
        Assert.Equal("A=1\nUMLAUT=ä = =\n", File.ReadAllText(folder["out"]));
    }

    [Fact]
    public async Task No_descriptor_of_ours_leaks()
    {
        using var open = File.Create(folder["open"]);
        await Run("ls /proc/$$/fd", output: "out");
        Assert.Equal(["0", "1", "2"], File.ReadAllLines(folder["out"]).Where(fd => int.Parse(fd) < 10 || fd == open.SafeFileHandle.DangerousGetHandle().ToString()));
    }

    [Fact]
    public async Task It_reads_nothing_and_starts_where_it_was_told()
    {
        Directory.CreateDirectory(folder["there"]);
        var exit = await ChildProcess.RunAsync(new ChildCommand(["sh", "-c", "cat; pwd"], folder["there"], Plain, folder["out"]), Grace, Cancelled);
        Assert.True(exit.Succeeded);
        Assert.EndsWith("/there\n", File.ReadAllText(folder["out"]));
    }

    [Fact]
    public async Task A_program_is_looked_up_in_the_childs_own_path()
    {
        var program = folder.Write("bin/greet", "#!/bin/sh\necho hello $1\n");
        var command = new ChildCommand(["greet", "you"], folder.Root, new Dictionary<string, string> { ["PATH"] = "/nonexistent:" + folder["bin"] }, folder["out"]);

        Assert.Equal("command-not-found", Assert.Throws<SlipwayException>(() => ChildProcess.Start(command)).Faults.Single().Code);
        File.SetUnixFileMode(program, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        Assert.True((await ChildProcess.RunAsync(command, Grace, Cancelled)).Succeeded);
        Assert.Equal("hello you\n", File.ReadAllText(folder["out"]));
    }

    [Theory]
    [InlineData("./missing", "command-not-found")]
    [InlineData("missing", "command-not-found")]
    [InlineData("./plain", "not-executable")]
    [InlineData("./folder", "not-executable")]
    public void What_cannot_be_started_is_a_fault_with_exit_3(string program, string code)
    {
        folder.Write("plain", "text");
        Directory.CreateDirectory(folder["folder"]);
        var e = Assert.Throws<SlipwayException>(() => ChildProcess.Start(new ChildCommand([program], folder.Root, Plain)));
        Assert.Equal((ExitCode.NotThere, code), (e.Exit, e.Faults.Single().Code));
    }

    [Fact]
    public void A_missing_working_directory_is_unusable_input()
    {
        var e = Assert.Throws<SlipwayException>(() => ChildProcess.Start(new ChildCommand(["true"], folder["none"], Plain)));
        Assert.Equal((ExitCode.UnusableInput, "missing-folder"), (e.Exit, e.Faults.Single().Code));
    }

    [Fact]
    public async Task What_the_child_left_running_ends_with_it()
    {
        await Run("sleep 1000 & echo $! > left; trap '' TERM; sh -c 'trap \"\" TERM HUP; sleep 1000' & echo $! >> left");
        foreach (var id in File.ReadAllLines(folder["left"]))
            await Eventually.True(() => !IsAlive(int.Parse(id)), Patience);
    }

    [Fact]
    public async Task Killing_the_child_kills_its_children()
    {
        await using var child = ChildProcess.Start(Shell("sleep 1000 & echo $! > left; wait"));
        await Eventually.True(() => File.Exists(folder["left"]) && File.ReadAllText(folder["left"]).EndsWith('\n'), Patience);
        Assert.True(IsAlive(int.Parse(File.ReadAllText(folder["left"]))));

        child.Kill();
        Assert.Equal(9, (await child.Exited.WaitAsync(Patience, Cancelled)).Signal);
        await Eventually.True(() => !IsAlive(int.Parse(File.ReadAllText(folder["left"]))), Patience);
        child.Kill();       // ended already: signals nobody
    }

    [Fact]
    public async Task A_broken_pipe_ends_a_child_as_on_a_shell()
    {
        await ChildProcess.RunAsync(new ChildCommand(["bash", "-c", "yes | head -n 1 > /dev/null; echo ${PIPESTATUS[0]}"], folder.Root, Plain, folder["out"]), Grace, Cancelled);
        Assert.Equal("141\n", File.ReadAllText(folder["out"]));
    }

    [Fact]
    public async Task A_child_dies_with_a_parent_that_is_killed()
    {
        using var parent = Process.Start(new ProcessStartInfo(ChildProgram.Line[0], [.. ChildProgram.Line[1..], folder.Root])
        {
            Environment = { [ChildProgram.Variable] = "start-sleeper" },
            RedirectStandardOutput = true,
        })!;
        var child = int.Parse((await parent.StandardOutput.ReadLineAsync(Cancelled))!);
        Assert.True(IsAlive(child));

        parent.Kill();
        await parent.WaitForExitAsync(Cancelled);
        await Eventually.True(() => !IsAlive(child), Patience);
    }

    [Fact]
    public async Task Memory_and_time_are_plausible()
    {
        const long asked = 200L << 20;
        var exit = await Run($"dd if=/dev/zero of=/dev/null bs={asked} count=8 2>/dev/null");
        Assert.InRange(exit.PeakMemory, asked, 2 * asked);
        Assert.True(exit.User + exit.System > TimeSpan.Zero && exit.Wall >= TimeSpan.Zero);

        var small = await Run("sleep 0.2");
        Assert.InRange(small.PeakMemory, 1, asked / 4);
    }

    [Fact]
    public async Task A_cancelled_wait_asks_politely_first()
    {
        using var cancellation = new CancellationTokenSource();
        var running = ChildProcess.RunAsync(Shell("trap 'echo asked > asked; exit 0' TERM; echo ready > ready; sleep 1000 & wait"), Grace, cancellation.Token);
        await Eventually.True(() => File.Exists(folder["ready"]), Patience);
        cancellation.Cancel();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
        Assert.True(File.Exists(folder["asked"]));
    }

    [Fact]
    public async Task A_child_that_does_not_listen_is_killed_after_the_grace()
    {
        await using var child = ChildProcess.Start(Shell("trap '' TERM; echo ready > ready; while :; do sleep 0.1; done"));
        await Eventually.True(() => File.Exists(folder["ready"]), Patience);
        var exit = await child.StopAsync(TimeSpan.FromMilliseconds(200));
        Assert.Equal(9, exit.Signal);
    }

    [Fact]
    public async Task Disposing_ends_the_child()
    {
        var child = ChildProcess.Start(Shell("sleep 1000"));
        Assert.True(IsAlive(child.Id));
        await child.DisposeAsync();
        Assert.False(IsAlive(child.Id));
    }

    /// <summary>Runs in a child: starts a grandchild, tells its id, and waits to be killed.</summary>
    internal static int StartSleeperProgram(string[] arguments)
    {
        var child = ChildProcess.Start(new ChildCommand(["sleep", "1000"], arguments[0], Plain));
        Console.WriteLine(child.Id);
        Thread.Sleep(Timeout.Infinite);
        return 0;
    }

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    /// <summary>A zombie is dead: whoever inherited it just has not looked.</summary>
    private static bool IsAlive(int id)
    {
        try
        {
            var stat = File.ReadAllText($"/proc/{id}/stat");
            return stat[stat.LastIndexOf(')') + 2] is not ('Z' or 'X');
        }
        catch (Exception e) when (e is IOException)
        {
            return false;
        }
    }

    private ChildCommand Shell(string script, string? output = null, string? errors = null) =>
        new(["sh", "-c", script], folder.Root, Plain, output is null ? null : folder[output], errors is null ? null : folder[errors]);

    private Task<ChildExit> Run(string script, string? output = null, string? errors = null) =>
        ChildProcess.RunAsync(Shell(script, output, errors), Grace, Cancelled);
}
