using System.Diagnostics;
using Slipway.Documents.Hardware;
using Slipway.Documents.Specs;
using Slipway.Pipeline.Execution;
using Slipway.Primitives.Faults;
using Slipway.Primitives.Units;
using Slipway.Tests.Primitives;

namespace Slipway.Tests.Pipeline.Execution;

public sealed class FailureTests : IDisposable
{
    private readonly TestProject project = new();

    public void Dispose() => project.Dispose();

    [Fact]
    public async Task A_failing_command_is_told_with_its_code_its_last_lines_and_its_log()
    {
        var fault = Assert.Single(await project.Faults(Spec("i=1; while [ $i -le 30 ]; do echo line $i; i=$((i+1)); done; printf 'progress 1\\rprogress 2\\n'; printf 'bell\\007\\n' >&2; exit 3")));
        Assert.Equal(("stage-failed", "slipway.yaml", 10), (fault.Code, fault.File, fault.Line));
        var lines = fault.Message.Split('\n');
        Assert.Equal("stage s: its command exited with 3; the last it wrote:", lines[0]);
        Assert.Equal(15, lines.Length - 1);
        Assert.Equal(["  | line 18", "  | progress 2", "  | bell"], [lines[1], lines[14], lines[15]]);
        Assert.Matches(@"^the whole log is \.slipway/runs/[^/]+/logs/s\.log$", fault.Help);
        Assert.StartsWith("line 1\n", project.Read(fault.Help!["the whole log is ".Length..]));
    }

    [Fact]
    public async Task A_silent_failure_and_a_signal_are_told()
    {
        Assert.Equal("stage s: its command exited with 1, and wrote nothing", (await project.Faults(Spec("exit 1")))[0].Message);
        Assert.Equal("stage s: its command was ended by signal 9, perhaps for want of memory, and wrote nothing", (await project.Faults(Spec("kill -9 $$")))[0].Message);
    }

    [Fact]
    public async Task An_undeclared_read_fails_and_the_declared_inputs_are_named()
    {
        project.Write("raw.txt", "x");
        project.Write("other.txt", "x");
        var fault = (await project.Faults(TestProject.Spec(TestProject.Stage("s", "cat raw.txt other.txt > build/o.txt", ["raw.txt"], "o=build/o.txt"))))[0];
        Assert.Equal("undeclared-read", fault.Code);
        Assert.StartsWith("stage s read other.txt, which is not among its inputs: its command exited with 1", fault.Message);
        Assert.Contains("other.txt: No such file or directory", fault.Message);
        Assert.StartsWith("add other.txt to in:; the whole log is ", fault.Help);
    }

    [Theory]
    [InlineData("python3 -c \"open('data/d.csv')\"", "stage s read data/d.csv", "add d to in:")]
    [InlineData("cat build/a.txt", "stage s read build/a.txt", "add a.table to in:")]
    [InlineData("cat ./code/lib/x.py", "stage s read code/lib/x.py", "add code/lib/x.py to in:")]
    [InlineData("ls code/lib", "stage s read code/lib", "add code/lib/ to in:")]
    [InlineData("cat \"$PWD/code/lib/x.py\"", "stage s read code/lib/x.py", "add code/lib/x.py to in:")]
    [InlineData("rm -f build/o.txt; cat build/o.txt", "stage s: its command exited with 1", "a stage finds only what it declares under in: (raw.txt); ")]
    [InlineData("cat nowhere.txt", "stage s: its command exited with 1", "a stage finds only what it declares under in: (raw.txt); ")]
    [InlineData("cat ../../../secret; cat .slipway/run.lock", "stage s: its command exited with 1", "a stage finds only what it declares under in: (raw.txt); ")]
    [InlineData("echo code/lib/x.py is fine; exit 1", "stage s: its command exited with 1", "the whole log is ")]
    public async Task What_was_read_and_not_declared_is_named_as_it_would_be_declared(string line, string message, string help)
    {
        project.Write("raw.txt", "x");
        project.Write("code/lib/x.py", "x");
        project.WriteDataset("d", "data/d.csv", "1\n");
        await project.Run(TestProject.Spec(TestProject.Stage("s", "echo before > build/o.txt", ["raw.txt"], "o=build/o.txt")));
        var spec = TestProject.Spec(TestProject.Stage("a", "echo a > build/a.txt", [], "table=build/a.txt"), TestProject.Stage("s", line, ["raw.txt"], "o=build/o.txt")) with
        {
            Data = System.Collections.Immutable.ImmutableSortedDictionary<string, DatasetSpec>.Empty.Add("d", new DatasetSpec("d", "data/d.csv", null, null)),
        };
        var fault = (await project.Faults(spec))[0];
        Assert.StartsWith(message, fault.Message);
        Assert.StartsWith(help, fault.Help);
    }

    [Theory]
    [InlineData("python3 steps/main.py", "from helper import x", "steps/helper.py", "steps/helper.py")]
    [InlineData("python3 steps/main.py", "import kit.deep", "steps/kit", "steps/kit/")]
    [InlineData("python3 -m steps.main", "import steps.kit.deep", "steps/kit", "steps/kit/")]
    [InlineData("python3 steps/main.py", "import nowhere", null, null)]
    public async Task A_module_of_the_project_that_was_not_declared_is_named(string run, string import, string? read, string? input)
    {
        project.Write("steps/main.py", import);
        project.Write("steps/helper.py", "x = 1");
        project.Write("steps/kit/deep.py", "x = 1");
        var fault = (await project.Faults(TestProject.Spec(TestProject.Stage("s", run + " > build/o.txt", ["steps/main.py"], "o=build/o.txt"))))[0];
        Assert.Equal(read is null ? "stage-failed" : "undeclared-read", fault.Code);
        Assert.StartsWith(read is null ? "stage s: its command exited with 1" : $"stage s read {read}, which is not among its inputs: its command exited with 1", fault.Message);
        Assert.StartsWith(input is null ? "a stage finds only what it declares under in: (steps/main.py); " : $"add {input} to in:; ", fault.Help);
    }

    [Theory]
    [InlineData("python3 -c \"\ntry: open('data/d.csv')\nexcept OSError: exit(3)\"", "data/d.csv", "d", 3)]
    [InlineData("python3 -c \"import os; exit(not os.path.exists('build/a.txt'))\"", "build/a.txt", "a.table", 1)]
    [InlineData("test -f \"$PWD/code/../code/lib/x.py\"", "code/lib/x.py", "code/lib/x.py", 1)]
    [InlineData("test -d code/lib", "code/lib", "code/lib/", 1)]
    [InlineData("python3 -c \"import os; open('seen','w') if os.path.exists('code/lib') else os.access('code/lib/x.py', 4); os.execvp('cat', ['cat', 'data/d.csv'])\" 2> /dev/null", "data/d.csv", "d", 1)]
    [InlineData("(cd / && cat < slipway/project/code/lib/ä.py) 2> /dev/null || exit 4", "code/lib/ä.py", "code/lib/ä.py", 4)]
    public async Task What_was_looked_for_in_silence_is_found_by_a_second_run_under_strace(string line, string read, string input, int code)
    {
        Assert.SkipUnless(Slipway.Runtime.Sandbox.Strace.IsHere, "strace is not installed");
        project.Write("raw.txt", "x");
        project.Write("code/lib/x.py", "x");
        project.Write("code/lib/ä.py", "x");
        project.WriteDataset("d", "data/d.csv", "1\n");
        var spec = TestProject.Spec(TestProject.Stage("a", "echo a > build/a.txt", [], "table=build/a.txt"), TestProject.Stage("s", "echo ran >> build/count; " + line, ["raw.txt"], "o=build/o.txt", "n=build/count")) with
        {
            Data = System.Collections.Immutable.ImmutableSortedDictionary<string, DatasetSpec>.Empty.Add("d", new DatasetSpec("d", "data/d.csv", null, null)),
        };
        var fault = (await project.Faults(spec))[0];
        Assert.Equal(
            ("undeclared-read", $"stage s looked for {read}, which is not among its inputs (seen on a second run under strace): its command exited with {code}, and wrote nothing"),
            (fault.Code, fault.Message));
        Assert.StartsWith($"add {input} to in:; the whole log is ", fault.Help);
        Assert.Empty(project.Read(fault.Help!.Split("the whole log is ")[1]));
        Assert.Empty(Directory.EnumerateFileSystemEntries(project.Folder.Work, "*", SearchOption.AllDirectories));
    }

    [Theory]
    [InlineData("cat nowhere.txt ../../other.txt .slipway/run.lock")]
    [InlineData("cat raw.txt; ls build; cat build/o.txt")]
    [InlineData("mkdir code; mv raw.txt build/b")]
    [InlineData("printf '1 openat(AT_FDCWD<\\\\x2f>, \"\\\\x6f\", 0) = -1 ENOENT (x)\\n' >&2")]
    public async Task What_the_project_has_not_and_what_was_given_is_not_found_by_a_second_run(string line)
    {
        project.Write("raw.txt", "x");
        project.Write("other.txt", "x");
        project.Write("o", "x");
        var fault = (await project.Faults(TestProject.Spec(TestProject.Stage("s", $"({line}) > /dev/null 2>&1; exit 7", ["raw.txt"], "o=build/o.txt"))))[0];
        Assert.Equal(("stage-failed", "stage s: its command exited with 7, and wrote nothing"), (fault.Code, fault.Message));
    }

    [Fact]
    public async Task A_command_that_may_have_done_something_or_is_repeated_anyway_runs_once()
    {
        project.Write("other.txt", "x");
        var stage = TestProject.Stage("s", "cat other.txt 2> /dev/null", [], "o=build/o.txt");
        var retried = stage with { Retries = 1 };
        var online = stage with { Network = StageNetwork.Host };
        foreach (var each in (StageSpec[])[retried, online])
            Assert.Equal("stage-failed", (await project.Faults(TestProject.Spec(each)))[0].Code);
        Assert.Equal("stage-failed", (await project.Faults(TestProject.Spec(stage), options: TestProject.Open))[0].Code);
        Assert.Equal("undeclared-read", (await project.Faults(TestProject.Spec(stage)))[0].Code);
    }

    [Fact]
    public async Task Kept_going_what_does_not_depend_on_a_failed_stage_runs_and_what_does_is_named()
    {
        var spec = TestProject.Spec(
            TestProject.Stage("bad", "exit 1", [], "b=build/b.txt"),
            TestProject.Stage("beside", "echo a > build/a.txt", [], "a=build/a.txt"),
            TestProject.Stage("needs-it", "cat build/b.txt > build/c.txt", ["bad.b"], "c=build/c.txt"),
            TestProject.Stage("needs-that", "cat build/c.txt > build/d.txt", ["needs-it.c", "beside.a"], "d=build/d.txt"),
            TestProject.Stage("after", "cat build/a.txt > build/e.txt", ["beside.a"], "e=build/e.txt"));
        var faults = await project.Faults(spec, options: options => options with { KeepGoing = true });
        Assert.Equal(["stage-failed", "stage-skipped", "stage-skipped"], faults.Select(fault => fault.Code));
        Assert.Equal(["stage needs-it did not run: it needs bad, which did not end well", "stage needs-that did not run: it needs needs-it, which did not end well"], faults.Skip(1).Select(fault => fault.Message));
        Assert.Equal(["after", "beside"], project.Events.OfType<Slipway.Pipeline.Execution.StageEnded>().Select(ended => ended.Stage).Order());

        Assert.Single(await project.Faults(spec with { Determinism = spec.Determinism with { Seed = 3 } }));
        Assert.DoesNotContain(project.Events.OfType<StageEvent>(), each => each.Stage == "after");
    }

    [Fact]
    public async Task A_command_that_is_not_there_is_something_missing() =>
        Assert.Equal("command-not-found", (await project.Faults(TestProject.Spec(TestProject.Stage("s", "", [], "o=build/o.txt") with { Run = ["no-such-program"] }), ExitCode.NotThere))[0].Code);

    [Theory]
    [InlineData("true", "missing-output")]
    [InlineData(": > build/o.txt", "empty-output")]
    [InlineData("ln -s /etc/hostname build/o.txt", "link")]
    [InlineData("mkfifo build/o.txt", "wrong-output")]
    [InlineData("python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind(\"build/o.txt\")'", "wrong-output")]
    [InlineData("ln -s o.txt build/o.txt", "link")]
    [InlineData("mkdir build/o.txt; echo > build/o.txt/x", "wrong-output")]
    [InlineData("rmdir build; ln -s /etc build", "link")]
    [InlineData("echo x > build/o.txt; echo y > build/p.txt", "undeclared-output")]
    [InlineData("echo x > build/o.txt; echo y > notes", "undeclared-output")]
    [InlineData("echo x > build/o.txt; ln -s build/o.txt also", "undeclared-output")]
    public async Task A_stage_that_does_not_keep_its_declaration_fails(string line, string code)
    {
        Assert.Equal(code, (await project.Faults(Spec(line), options: TestProject.Open))[0].Code);
        Assert.False(Path.Exists(project.PathOf("build/o.txt")));
    }

    [Theory]
    [InlineData("true", "empty-output")]
    [InlineData("rmdir build/m", "missing-output")]
    [InlineData(": > build/m/empty", "empty-output")]
    [InlineData("rmdir build/m; echo x > build/m", "wrong-output")]
    [InlineData("echo x > build/m/w; ln -s w build/m/v", "link")]
    [InlineData("echo x > build/m/w; mkfifo build/m/p", "not-a-file")]
    public async Task A_folder_that_does_not_keep_its_declaration_fails(string line, string code)
    {
        Assert.Equal(code, (await project.Faults(TestProject.Spec(TestProject.Stage("s", line, [], "m=build/m/"))))[0].Code);
        Assert.Empty(Directory.Exists(project.Folder.Steps) ? Directory.EnumerateFiles(project.Folder.Steps) : []);
    }

    [Fact]
    public async Task All_faults_of_a_declaration_are_told_at_once()
    {
        var faults = await project.Faults(TestProject.Spec(TestProject.Stage("s", "for i in 1 2 3 4 5 6 7; do echo > x$i; done", [], "a=build/a.txt", "b=build/b.txt")), options: TestProject.Open);
        Assert.Equal(["missing-output", "missing-output", "undeclared-output"], faults.Select(fault => fault.Code));
        Assert.Contains("x1, x2, x3, x4, x5 and 2 more", faults[2].Message);
    }

    [Fact]
    public async Task Scratch_files_under_TMPDIR_and_HOME_are_the_stages_own() =>
        Assert.Equal("s", (await project.Run(Spec("echo > $TMPDIR/a; mkdir $HOME/.cache; echo > $HOME/.cache/b; mkdir empty; echo x > build/o.txt"))).Executed());

    [Fact]
    public async Task A_stage_beyond_its_timeout_is_ended_with_all_that_it_started()
    {
        var spec = Spec("sleep 600 & echo $! > $TMPDIR/../../../../../pid; sleep 600");
        spec = spec with { Stages = [spec.Stages[0] with { Timeout = new Duration(TimeSpan.FromMilliseconds(400)) }] };
        var fault = (await project.Faults(spec, options: TestProject.Open))[0];
        Assert.Equal(("stage-timeout", "stage s: its command was ended after 400 ms, its timeout, and wrote nothing"), (fault.Code, fault.Message));
        var sleeper = project.Read("pid").Trim();
        await Eventually.True(() => !Directory.Exists($"/proc/{sleeper}") || File.ReadAllText($"/proc/{sleeper}/stat").Contains(" Z "), TimeSpan.FromSeconds(30));
    }

    [Theory]
    [InlineData(60_000, 300, "300 ms, its timeout", "raise timeout, ")]
    [InlineData(300, 60_000, "300 ms, its limit", "raise hardware.short.time, ")]
    [InlineData(300, null, "300 ms, its limit", "raise hardware.short.time, ")]
    public async Task The_shorter_of_a_stages_timeout_and_its_profiles_time_ends_it(int time, int? timeout, string limit, string next)
    {
        var profile = new HardwareProfile(null, null, null, null, [], null, null, null, null, null) { Time = Milliseconds(time) };
        var spec = Spec("sleep 600");
        spec = spec with { Hardware = spec.Hardware.Add("short", profile), Stages = [spec.Stages[0] with { Hardware = "short", Timeout = timeout is { } some ? Milliseconds(some) : null }] };
        var fault = (await project.Faults(spec))[0];
        Assert.Equal(("stage-timeout", $"stage s: its command was ended after {limit}, and wrote nothing"), (fault.Code, fault.Message));
        Assert.StartsWith(next, fault.Help);

        static Duration Milliseconds(int count) => new(TimeSpan.FromMilliseconds(count));
    }

    [Fact]
    public async Task A_cancelled_run_ends_its_stage_and_keeps_what_had_ended()
    {
        using var cancel = new CancellationTokenSource();
        var first = TestProject.Stage("a", "echo a > build/a.txt", [], "a=build/a.txt");
        var spec = TestProject.Spec(first, TestProject.Stage("b", "echo $$ > $TMPDIR/../../../../../pid; sleep 600", ["a.a"], "b=build/b.txt"));
        var run = project.Run(spec, TestProject.Open, cancel.Token);
        await Eventually.True(() => File.Exists(project.PathOf("pid")) && project.Read("pid").EndsWith('\n'), TimeSpan.FromSeconds(60));
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => run);
        Assert.False(Directory.Exists($"/proc/{project.Read("pid").Trim()}"));
        Assert.Equal("", (await project.Run(TestProject.Spec(first), TestProject.Open)).Executed());
    }

    [Fact]
    public async Task What_ended_well_before_a_failure_is_kept()
    {
        var a = TestProject.Stage("a", "echo a > build/a.txt", [], "a=build/a.txt");
        await project.Faults(TestProject.Spec(a, TestProject.Stage("b", "exit 1", ["a.a"], "b=build/b.txt")));
        Assert.Equal("b", (await project.Run(TestProject.Spec(a, TestProject.Stage("b", "cat build/a.txt > build/b.txt", ["a.a"], "b=build/b.txt")))).Executed());
    }

    [Fact]
    public async Task Stages_beside_a_failing_one_are_awaited_and_kept()
    {
        var slow = TestProject.Stage("slow", "sleep 0.5; echo a > build/a.txt", [], "a=build/a.txt");
        var faults = await project.Faults(
            TestProject.Spec(slow, TestProject.Stage("bad", "exit 1", [], "b=build/b.txt"), TestProject.Stage("next", "echo c > build/c.txt", ["slow.a"], "c=build/c.txt")),
            options: options => options with { Jobs = 2 });
        Assert.Single(faults);
        Assert.Equal(["bad", "slow"], project.Events.OfType<StageEvent>().Select(e => e.Stage).Distinct().Order());
        Assert.Equal("", (await project.Run(TestProject.Spec(slow))).Executed());
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task What_was_prepared_ahead_of_a_failure_never_begins_and_leaves_nothing(int jobs)
    {
        var made = 0;
        var spec = TestProject.Spec(
            TestProject.Stage("bad", "sleep 1; exit 1", [], "b=build/b.txt"),
            TestProject.Stage("good", "sleep 15; echo a > build/a.txt", [], "a=build/a.txt"),
            TestProject.Stage("next", "echo c > build/c.txt", [], "c=build/c.txt"));
        var faults = await project.Faults(
            jobs == 1 ? spec with { Stages = spec.Stages.RemoveAt(1) } : spec,
            options: options => options with { Jobs = jobs, Effect = effect => _ = effect == "private folder made" ? Interlocked.Increment(ref made) : 0 });
        Assert.Equal("stage-failed", Assert.Single(faults).Code);
        Assert.Equal(jobs + 1, made);
        Assert.DoesNotContain("next", project.Events.OfType<StageEvent>().Select(e => e.Stage));
        Assert.Empty(Directory.EnumerateFiles(project.Folder.Root, "next.log", SearchOption.AllDirectories));
        Assert.Empty(Directory.EnumerateFileSystemEntries(project.Folder.Work));
        Assert.Equal("next", (await project.Run(TestProject.Spec(spec.Stages[^1]))).Executed());
    }

    [Fact]
    public async Task A_stage_begins_with_its_turn_and_neither_its_seconds_nor_its_timeout_count_the_waiting()
    {
        var outcome = await project.Run(TestProject.Spec(
            TestProject.Stage("first", "sleep 6; echo a > build/a.txt", [], "a=build/a.txt"),
            TestProject.Stage("next", "echo b > build/b.txt", [], "b=build/b.txt") with { Timeout = new Duration(TimeSpan.FromSeconds(5)) }));
        Assert.Equal(["StageStarted first", "StageEnded first", "StageStarted next", "StageEnded next"], project.Events.Where(e => e is StageStarted or StageEnded).Select(e => $"{e.GetType().Name} {((StageEvent)e).Stage}"));
        Assert.True(outcome.Stages[1].Seconds < outcome.Stages[0].Seconds, $"{outcome.Stages[1].Seconds} s");
    }

    [Fact]
    public async Task What_fails_ahead_of_its_turn_is_tried_again_then_and_takes_nothing_from_the_stages_before_it()
    {
        var first = TestProject.Stage("first", "sleep 1; exit 1", [], "a=build/a.txt") with { Retries = 1 };
        var next = TestProject.Stage("next", "", [], "b=build/b.txt") with { Run = ["no-such-command"] };
        var made = 0;
        await project.Faults(TestProject.Spec(first, next), ExitCode.NotThere, options => options with { KeepGoing = true, Effect = effect => _ = effect == "private folder made" ? Interlocked.Increment(ref made) : 0 });
        Assert.Equal(4, made);      // two attempts of the first; the next one ahead, and at its turn
        Assert.Equal(
            ["StageStarted first", "StageRetried first", "StageStarted first", "StageFailed first", "StageFailed next"],
            project.Events.Where(e => e is StageStarted or StageRetried or StageFailed).Select(e => $"{e.GetType().Name} {((StageEvent)e).Stage}").Where(e => e != "StageStarted next"));
    }

    [Fact]
    public async Task Stages_that_fit_on_the_disk_one_after_the_other_are_not_prepared_beside_each_other()
    {
        using var disk = SmallDisk.Mount(kibibytes: 20_000);
        using var small = new TestProject(Path.Combine(disk.Folder, "project"));
        small.Write("raw.txt", new string('x', 8 << 20));
        var outcome = await small.Run(TestProject.Spec(
            TestProject.Stage("a", "sleep 1; wc -c < raw.txt > build/a.txt", ["raw.txt"], "a=build/a.txt"),
            TestProject.Stage("b", "wc -c < raw.txt > build/b.txt", ["raw.txt"], "b=build/b.txt")));
        Assert.Equal("a b", outcome.Executed());
    }

    [Fact]
    public async Task What_waits_for_its_turn_ends_with_a_cancelled_run()
    {
        using var cancel = new CancellationTokenSource();
        var spec = TestProject.Spec(TestProject.Stage("first", "sleep 600", [], "a=build/a.txt"), TestProject.Stage("next", "echo b > build/b.txt", [], "b=build/b.txt"));
        var run = project.Run(spec, cancellation: cancel.Token);
        await Eventually.True(() => WaitingShells(project.Folder.Work).Any(), TimeSpan.FromSeconds(60));
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => run);
        Assert.Empty(WaitingShells(project.Folder.Work));
        Assert.Equal(["first"], project.Events.OfType<StageStarted>().Select(e => e.Stage));
        Assert.Empty(Directory.EnumerateFileSystemEntries(project.Folder.Work));

        static IEnumerable<string> WaitingShells(string work) => Directory.EnumerateDirectories("/proc").Where(process =>
        {
            try
            {
                var words = File.ReadAllText(Path.Combine(process, "cmdline")).Split('\0');
                return words[0] == "/bin/sh" && words.Any(word => word.StartsWith(work, StringComparison.Ordinal) && word.Contains("/next/", StringComparison.Ordinal));
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                return false;
            }
        });
    }

    [Fact]
    public async Task An_input_that_changes_while_it_is_copied_stops_the_run()
    {
        project.Write("raw.txt", "one");
        var fault = (await project.Faults(
            TestProject.Spec(TestProject.Stage("a", "echo a > build/a.txt", [], "a=build/a.txt"), TestProject.Stage("b", "cat raw.txt > build/b.txt", ["raw.txt", "@d", "a.a"], "b=build/b.txt")) with
            {
                Data = System.Collections.Immutable.ImmutableSortedDictionary<string, DatasetSpec>.Empty.Add("d", new DatasetSpec("d", "d.csv", null, null)),
            },
            options: options =>
            {
                project.WriteDataset("d", "d.csv", "1\n");
                return options with { Effect = effect => project.Write("d.csv", "2\n") };
            }))[0];
        Assert.Equal("input-changed", fault.Code);
    }

    [Theory]
    [InlineData("file")]
    [InlineData("folder")]
    public async Task What_Slipway_did_not_write_is_never_replaced(string what)
    {
        project.Write(what == "file" ? "build/o.txt" : "build/o.txt/mine", "precious");
        var fault = Assert.Single(await project.Faults(Spec("echo x > build/o.txt")));
        Assert.Equal("foreign-output", fault.Code);
        Assert.Equal("precious", project.Read(what == "file" ? "build/o.txt" : "build/o.txt/mine"));
        Assert.Empty(project.Events);
    }

    [Fact]
    public async Task An_empty_folder_or_file_in_the_way_is_taken()
    {
        Directory.CreateDirectory(project.PathOf("build/o.txt"));
        await project.Run(Spec("echo x > build/o.txt"));
        Assert.Equal("x\n", project.Read("build/o.txt"));
    }

    [Theory]
    [InlineData("alias/a.txt")]
    [InlineData("alias/")]
    [InlineData("code/a.txt")]
    public async Task An_input_that_leads_to_an_output_through_a_link_is_refused_before_anything_runs(string input)
    {
        var first = TestProject.Stage("first", "echo a > build/a.txt", [], "a=build/a.txt");
        await project.Run(TestProject.Spec(first));
        Directory.CreateSymbolicLink(project.PathOf("alias"), "build");
        Directory.CreateDirectory(project.PathOf("code"));
        File.CreateSymbolicLink(project.PathOf("code/a.txt"), "../build/a.txt");
        var fault = Assert.Single(await project.Faults(TestProject.Spec(first, TestProject.Stage("next", "ls -R > other/b.txt", [input], "b=other/b.txt"))));
        Assert.Equal(("hidden-dependency", $"the input '{input}' leads, through a link, to what stage first writes"), (fault.Code, fault.Message));
    }

    [Fact]
    public async Task Missing_inputs_are_all_told_before_anything_runs()
    {
        var faults = await project.Faults(TestProject.Spec(
            TestProject.Stage("a", "echo a > build/a.txt", [], "a=build/a.txt"),
            TestProject.Stage("b", "true", ["none.txt", "code/*.py", "a.a"], "b=build/b.txt"),
            TestProject.Stage("c", "true", [], "c=build/c.txt") with { Run = null, Sql = "none.sql" }));
        Assert.Equal(["the input 'none.txt' is not there", "the input 'code/*.py' matches no file", "the input 'none.sql' is not there"], faults.Select(fault => fault.Message));
        Assert.Equal([11, 11, 10], faults.Select(fault => fault.Line!.Value));
        Assert.Empty(project.Events);
    }

    [Fact]
    public async Task A_second_run_waits_for_the_first()
    {
        var spec = Spec("sleep 0.5; echo x > build/o.txt");
        var first = project.Run(spec);
        await Eventually.True(() => Directory.Exists(project.Folder.Work) && Directory.EnumerateFileSystemEntries(project.Folder.Work).Any(), TimeSpan.FromSeconds(30));
        var told = 0;
        using (await Slipway.Pipeline.Execution.RunLock.TakeAsync(project.Folder, () => told++, CancellationToken.None))
            Assert.True(first.IsCompleted || File.Exists(project.PathOf("build/o.txt")));
        Assert.Equal(1, told);
        Assert.Equal("s", (await first).Executed());
        Assert.Equal("", (await project.Run(spec)).Executed());
    }

    [Fact]
    public async Task Two_runs_at_once_give_one_execution()
    {
        var spec = Spec("sleep 0.2; echo x > build/o.txt");
        var both = await Task.WhenAll(project.Run(spec), new TestProject(project.Root).Run(spec));
        Assert.Equal(["", "s"], both.Select(outcome => outcome.Executed()).Order());
    }

    private static Spec Spec(string line) => TestProject.Spec(TestProject.Stage("s", line, [], "o=build/o.txt"));
}
