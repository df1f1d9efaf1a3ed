using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using Slipway.Documents.Hardware;
using Slipway.Documents.Runs;
using Slipway.Documents.Specs;
using Slipway.Pipeline.Execution;
using Slipway.Primitives.Units;
using Slipway.Tests.Primitives;

namespace Slipway.Tests.Pipeline.Execution;

/// <summary>Hostile stages: what they see, what they reach, and what becomes of them.</summary>
public sealed class SandboxTests : IDisposable
{
    private readonly TestProject project = new();

    public void Dispose() => project.Dispose();

    [Fact]
    public async Task Nobody_else_may_look_into_what_stages_work_on()
    {
        await project.Run(TestProject.Spec(TestProject.Stage("s", "echo x > build/o.txt", [], "o=build/o.txt")));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(project.Folder.Work));
    }

    [Fact]
    public async Task A_stage_sees_software_and_what_it_declares_and_nothing_else()
    {
        project.Write("raw.txt", "x");
        project.Write("other.txt", "x");
        Assert.Equal(
            "bin dev etc lib lib64 proc sbin slipway tmp usr var\nraw.txt\nbuild\nraw.txt\nhome\ninputs\nproject\nstage.json\ntmp\n",
            (await Output("echo $(ls / | grep -v -E 'lib32|libx32|opt'); ls *.txt; ls; ls /slipway", "raw.txt")));
        Assert.Equal("", await Output("cat /etc/shadow /etc/hostname /etc/machine-id /root/.bashrc /run/* /sys/* 2>/dev/null; ls /home /mnt /srv 2>/dev/null; true", "raw.txt"));
        Assert.Equal("slipway\n/slipway/project\nuid=1000(slipway) gid=1000(slipway) groups=1000(slipway)\n", await Output("uname -n; pwd; id", "raw.txt"));
    }

    [Fact]
    public async Task A_stage_has_no_capability_no_way_to_get_one_and_a_filter_of_system_calls() =>
        Assert.Equal(
            "CapInh:0000000000000000 CapPrm:0000000000000000 CapEff:0000000000000000 CapBnd:0000000000000000 CapAmb:0000000000000000 NoNewPrivs:1 Seccomp:2 ",
            await Output("grep -E '^(Cap|NoNewPrivs|Seccomp:)' /proc/self/status | tr -d '\\t' | tr '\\n' ' '"));

    [Theory]
    [InlineData("mount -o remount,rw,bind /usr /usr")]
    [InlineData("mount -o remount,rw /usr")]
    [InlineData("mount -t tmpfs none /tmp")]
    [InlineData("umount /proc")]
    [InlineData("touch /usr/slipway-was-here")]
    [InlineData("touch /etc/slipway-was-here")]
    [InlineData("touch /slipway-was-here")]
    [InlineData("touch /slipway/stage.json")]
    [InlineData("touch ../was-here")]
    [InlineData("unshare -U true")]
    [InlineData("unshare -m true")]
    [InlineData("unshare -n true")]
    [InlineData("nsenter -t 1 -m true")]
    [InlineData("chroot / true")]
    [InlineData("mknod $TMPDIR/sda b 8 0")]
    [InlineData("chown 0 $TMPDIR")]
    [InlineData("echo 1 > /proc/sys/kernel/panic")]
    [InlineData("echo b > /proc/sysrq-trigger")]
    [InlineData("echo 0 > /proc/self/oom_score_adj")]
    [InlineData("python3 -c 'import os; os.mkdir(\"/proc/sys/x\")'")]
    [InlineData("kill -9 -1 && false; kill -0 $PPID && test $PPID != 1 -a $PPID != 2")]
    [InlineData("python3 -c 'import ctypes,os; l=ctypes.CDLL(None,use_errno=True); r=l.syscall(425,1,0); os._exit(0 if r>=0 else 1)'")]
    [InlineData("python3 -c 'import socket; socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM)'")]
    [InlineData("python3 -c 'import fcntl; fcntl.ioctl(0, 0x5412, b\"x\")'")]
    public async Task A_stage_that_root_runs_gets_out_no_more_than_any_other(string line)
    {
        var fault = (await project.Faults(Spec(line + "; code=$?; echo x > build/o.txt; exit $code")))[0];
        Assert.Equal("stage-failed", fault.Code);
        Assert.False(File.Exists("/usr/slipway-was-here") || File.Exists("/etc/slipway-was-here") || File.Exists("/slipway-was-here"));
    }

    [Fact]
    public async Task A_stage_reaches_no_server_of_the_host()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        Assert.Equal("refused\nlo:\n", await Output($"(: < /dev/tcp/127.0.0.1/{port}) 2>/dev/null && echo reached || echo refused; awk 'NR>2 {{print $1}}' /proc/net/dev", shell: "/bin/bash"));
    }

    [Fact]
    public async Task A_stage_gets_its_three_descriptors_one_for_progress_and_no_more() =>
        Assert.Equal("0 1 2 3 \n", await Output("python3 -c 'import os; print(*[fd for fd in range(1024) if os.path.lexists(f\"/proc/self/fd/{fd}\")], \"\")'"));

    [Fact]
    public async Task Inputs_are_read_only_whether_outputs_are_beside_them_or_not()
    {
        project.Write("raw.txt", "raw");
        project.Write("build/lib/code.txt", "code");
        project.Write("build/near.txt", "near");
        var stage = TestProject.Stage("s", "for f in raw.txt build/lib/code.txt build/near.txt; do rm -f $f; chmod 777 $f; mv $f $f.x; echo x >> $f; done; cat raw.txt build/lib/code.txt build/near.txt > build/o.txt", ["raw.txt", "build/lib/code.txt", "build/near.txt"], "o=build/o.txt");
        await project.Run(TestProject.Spec(stage));
        Assert.Equal("rawcodenear", project.Read("build/o.txt"));
        Assert.Equal(("raw", "code", "near"), (project.Read("raw.txt"), project.Read("build/lib/code.txt"), project.Read("build/near.txt")));
    }

    [Fact]
    public async Task An_output_folder_may_be_made_anew()
    {
        await project.Run(TestProject.Spec(TestProject.Stage("s", "rm -rf build/m; mkdir -p build/m/deep; echo x > build/m/deep/w", [], "m=build/m/")));
        Assert.Equal("x\n", project.Read("build/m/deep/w"));
    }

    [Fact]
    public async Task Folders_of_inputs_have_one_time_and_one_mode_whoever_runs_it()
    {
        project.Write("raw/deep/a.txt", "a");
        var stage = TestProject.Stage("s", "umask > build/o.txt; find raw -printf '%p %m %TY\\n' | sort >> build/o.txt", ["raw/"], "o=build/o.txt");
        File.SetUnixFileMode(project.PathOf("raw"), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        await project.Run(TestProject.Spec(stage));
        Assert.Equal("0022\nraw 755 1980\nraw/deep 755 1980\nraw/deep/a.txt 644 1980\n", project.Read("build/o.txt"));
    }

    [Fact]
    public async Task Arguments_behind_a_shell_line_get_their_params_too()
    {
        var spec = TestProject.Spec(TestProject.Stage("s", "", [], "o=build/o.txt") with { Run = ["/bin/sh", "-c", "echo $0 $1 ${params.a} > build/o.txt", "x", "${params.a}"], Params = ["a"] });
        await project.Run(spec with { Params = spec.Params.Add("a", System.Text.Json.JsonSerializer.SerializeToElement(7)) });
        Assert.Equal("x 7 7\n", project.Read("build/o.txt"));
    }

    [Fact]
    public async Task Nothing_that_a_stage_started_lives_on()
    {
        var mark = $"600.{Environment.ProcessId}{Environment.TickCount64}";
        await project.Run(Spec($"(setsid sh -c 'sleep {mark} & sleep {mark} &' &); sleep 0.1; echo x > build/o.txt"));
        Assert.Empty(ProcessesWith(mark));
        var timeout = Spec($"trap '' TERM; (setsid sleep {mark} &); while :; do sleep 0.1; done");
        timeout = timeout with { Stages = [timeout.Stages[0] with { Timeout = new Duration(TimeSpan.FromMilliseconds(300)) }] };
        Assert.Equal("stage-timeout", (await project.Faults(timeout))[0].Code);
        Assert.Empty(ProcessesWith(mark));
    }

    [Theory]
    [InlineData(1, 2.5)]
    [InlineData(2, null)]
    public async Task The_hosts_energy_is_counted_while_a_stage_runs_with_none_beside_it(int jobs, double? joules)
    {
        project.Write("power/intel-rapl:0/name", "package-0\n");
        project.Write("power/intel-rapl:0/max_energy_range_uj", "1000000000\n");
        project.Write("power/intel-rapl:0/energy_uj", "1000000\n");
        var spec = Spec($"echo 3500000 > '{project.PathOf("power/intel-rapl:0/energy_uj")}'; echo x > build/o.txt");
        var run = await project.Run(spec, options => TestProject.Open(options) with { Jobs = jobs, EnergyCounters = project.PathOf("power") });
        Assert.Equal(joules, run.Stages[0].Usage!.HostJoules);
        Assert.Null((await project.Run(spec, TestProject.Open)).Stages[0].Usage);
    }

    [Fact]
    public async Task A_stage_beyond_its_timeout_is_asked_before_it_is_ended()
    {
        var spec = Spec("trap 'echo asked; exit 0' TERM; echo ready; while :; do sleep 0.05; done");
        spec = spec with { Stages = [spec.Stages[0] with { Timeout = new Duration(TimeSpan.FromMilliseconds(1500)) }] };
        var message = (await project.Faults(spec))[0].Message;
        Assert.StartsWith("stage s: its command was ended after 1.5 s, its timeout; the last it wrote:\n  | ready\n", message);
        Assert.EndsWith("  | asked", message);
    }

    [Theory]
    [InlineData("a=$(head -c 200000000 /dev/zero | tr '\\0' x); echo ${#a} > build/o.txt", "over-limit", "stage s used 64 MiB of memory, its limit, and was ended", "raise hardware.small.memory")]
    [InlineData("dd if=/dev/zero of=$TMPDIR/x bs=1M count=200 2>/dev/null", "over-limit", "stage s wrote more than 8 MiB, its limit, and was ended", "raise hardware.small.disk")]
    [InlineData("mkdir \"$TMPDIR/$(printf '\\377')\"; cd \"$TMPDIR/$(printf '\\377')\"; i=0; while :; do head -c 1000000 /dev/zero > $i; i=$((i+1)); sleep 0.02; done", "over-limit", "stage s wrote more than 8 MiB, its limit, and was ended", "raise hardware.small.disk")]
    [InlineData("i=0; while :; do head -c 1000000 /dev/zero > $TMPDIR/$i; i=$((i+1)); done", "over-limit", "stage s wrote more than 8 MiB, its limit, and was ended", "raise hardware.small.disk")]
    public async Task A_stage_over_its_limit_is_told_which_one(string line, string code, string message, string help)
    {
        Assert.SkipUnless(HasControlGroups(out var why), why);
        var fault = (await project.Faults(Limited(line)))[0];
        Assert.Equal(code, fault.Code);
        Assert.StartsWith(message, fault.Message);
        Assert.StartsWith(help, fault.Help);
        Assert.Empty(Groups());
    }

    [Fact]
    public async Task A_stage_that_forks_without_end_meets_its_limit()
    {
        Assert.SkipUnless(HasControlGroups(out var why), why);
        var spec = Limited("bomb() { bomb | bomb & }; bomb; sleep 600");
        spec = spec with { Stages = [spec.Stages[0] with { Timeout = new Duration(TimeSpan.FromSeconds(3)) }] };
        var fault = (await project.Faults(spec))[0];
        Assert.True(fault.Code is "over-limit" or "stage-timeout", fault.Message);
        Assert.Empty(Groups());
    }

    [Fact]
    public async Task Processor_time_is_held_to_the_profile()
    {
        Assert.SkipUnless(HasControlGroups(out var why), why);
        var stage = (await project.Run(Limited("timeout 1 sh -c 'while :; do :; done'; echo x > build/o.txt"))).Stages[0];
        Assert.InRange(stage.Usage!.UserSeconds + stage.Usage.SystemSeconds, 0.01, 0.75);
    }

    [Fact]
    public async Task A_log_is_bounded_and_keeps_both_ends()
    {
        await project.Run(Spec("echo first; yes 0123456789012345678901234567890 | head -c 30000000; printf 'last\\377\\000'; echo x > build/o.txt"));
        var log = File.ReadAllBytes(Directory.EnumerateFiles(project.Folder.Runs, "s.log", SearchOption.AllDirectories).Single());
        Assert.InRange(log.Length, 9 << 20, (9 << 20) + 100);
        Assert.StartsWith("first\n", System.Text.Encoding.Latin1.GetString(log));
        Assert.EndsWith("last\u00FF\0", System.Text.Encoding.Latin1.GetString(log));
    }

    [Fact]
    public async Task Progress_is_told_from_lines_and_from_the_descriptor()
    {
        await project.Run(Spec("echo progress 1/4; sleep 0.3; echo 'progress 50 %' >&$SLIPWAY_PROGRESS; sleep 0.3; echo x > build/o.txt; sleep 0.3; echo progress 4/4"));
        Assert.Equal([0.25, 0.5, 1], project.Events.OfType<StageProgressed>().Select(told => told.Progress.Share));
    }

    [Theory]
    [InlineData("line\nbreak.txt")]
    [InlineData("-rf.txt")]
    [InlineData("größe ☃ 数.txt")]
    [InlineData("$(touch x) `y` 'z' \"q\".txt")]
    [InlineData(null)]
    public async Task Any_name_of_a_file_goes_in_and_out(string? name)
    {
        name ??= new string('n', 251) + ".txt";
        project.Write("data/" + name, "in");
        var stage = TestProject.Stage("s", "mkdir -p build/m; cp -r data/. build/m/", ["data/"], "m=build/m/");
        stage = stage with { Inputs = [new StageInput(InputKind.Path, "data/")] };
        var outcome = await project.Run(TestProject.Spec(stage));
        Assert.Equal("in", project.Read("build/m/" + name));
        Assert.Equal([name], project.Objects.ReadTree(outcome.Output("s.m")!.Digest).Files.Select(file => file.Path));
    }

    [Fact]
    public async Task A_known_result_of_a_weaker_isolation_is_made_again_and_one_of_a_stronger_is_taken()
    {
        var spec = Spec("echo x > build/o.txt");
        Assert.Equal(Isolation.None, (await project.Run(spec, TestProject.Open)).Stages[0].Isolation);
        Assert.Equal("isolation none → sandbox", project.Status(spec).Stages[0].Reasons[0]);
        Assert.Equal(("s", Isolation.Sandbox), (await project.Run(spec)) is var made ? (made.Executed(), made.Stages[0].Isolation) : default);
        Assert.Equal(("", Isolation.Sandbox), (await project.Run(spec, TestProject.Open)) is var taken ? (taken.Executed(), taken.Stages[0].Isolation) : default);
    }

    [Theory]
    [InlineData(Isolation.Sandbox)]
    [InlineData(Isolation.None)]
    public async Task Addresses_repeat_where_they_are_asked_to(Isolation isolation)
    {
        var spec = Spec("cat /proc/self/maps > $TMPDIR/a; cat /proc/self/maps > $TMPDIR/b; if cmp -s $TMPDIR/a $TMPDIR/b; then echo same; else echo other; fi > build/o.txt");
        await project.Run(spec, options => options with { Isolation = isolation });
        Assert.Equal("other\n", project.Read("build/o.txt"));
        var outcome = await project.Run(spec with { Determinism = spec.Determinism with { FixedAddresses = true } }, options => options with { Isolation = isolation });
        Assert.Equal(("s", "same\n"), (outcome.Executed(), project.Read("build/o.txt")));
        Assert.Equal(["determinism.addresses random → fixed"], project.Events.OfType<StageStarted>().Single().Reasons);
    }

    [Fact]
    public async Task What_changes_the_arithmetic_is_in_the_key_and_how_much_there_is_of_it_is_not()
    {
        var spec = Limited("echo x > build/o.txt");
        await project.Run(spec);
        Assert.Equal("", (await project.Run(With(profile => profile with { Memory = new ByteSize(65L << 20), Cpus = 1 }))).Executed());
        Assert.Equal("s", (await project.Run(With(profile => profile with { Precision = "fp32", Features = ["sse2"] }))).Executed());
        Assert.Equal(["hardware any → sse2, fp32"], project.Events.OfType<StageStarted>().Single().Reasons);

        Spec With(Func<HardwareProfile, HardwareProfile> change) => spec with { Hardware = spec.Hardware.SetItem("small", change(spec.Hardware["small"])) };
    }

    [Fact]
    public void The_devices_of_an_accelerator_are_those_of_its_kind()
    {
        foreach (var name in new[] { "dev/nvidia0", "dev/nvidiactl", "dev/kfd", "dev/dri/card0", "dev/null" })
            project.Write(name, "");
        Assert.Equal(["nvidia0", "nvidiactl"], Names("nvidia"));
        Assert.Equal(["kfd", "dri"], Names("amd"));
        Assert.Equal(["dri"], Names("intel"));
        Assert.Empty(Slipway.Runtime.Sandbox.AcceleratorDevices.Of(null));

        IEnumerable<string?> Names(string kind) => Slipway.Runtime.Sandbox.AcceleratorDevices.Of(new(kind, 1, null, null, null), project.PathOf("dev")).Select(Path.GetFileName);
    }

    [Fact]
    public async Task A_container_holds_a_stage_to_the_same_view()
    {
        Assert.SkipUnless(File.Exists("/usr/sbin/runc"), "runc is not installed");
        project.Write("raw.txt", "raw");
        project.Write("other.txt", "x");
        var spec = TestProject.Spec(TestProject.Stage("s", "ls > build/o.txt; pwd >> build/o.txt; echo $HOME >> build/o.txt; grep CapEff /proc/self/status >> build/o.txt; ! touch /usr/x && ! touch raw.txt && ! cat /etc/shadow", ["raw.txt"], "o=build/o.txt"));
        var outcome = await project.Run(spec, options => options with { Isolation = Isolation.Oci });
        Assert.Equal("build\nraw.txt\n/slipway/project\n/slipway/home\nCapEff:\t0000000000000000\n", project.Read("build/o.txt"));
        Assert.Equal(Isolation.Oci, outcome.Stages[0].Isolation);
    }

    [Theory]
    [InlineData("a=$(head -c 200000000 /dev/zero | tr '\\0' x); echo ${#a} > build/o.txt", "stage s used 64 MiB of memory, its limit, and was ended")]
    [InlineData("for i in $(seq 40); do sleep 20 & done; wait; echo x > build/o.txt", "stage s had 30 processes and threads, its limit, and was ended")]
    public async Task A_container_over_its_limit_is_told_which_one(string line, string message)
    {
        Assert.SkipUnless(File.Exists("/usr/sbin/runc"), "runc is not installed");
        Assert.SkipUnless(HasControlGroups(out var why), why);
        var spec = Limited(line);
        spec = spec with { Hardware = spec.Hardware.SetItem("small", spec.Hardware["small"] with { Pids = 30 }) };
        var fault = (await project.Faults(spec, options: options => options with { Isolation = Isolation.Oci }))[0];
        Assert.Equal("over-limit", fault.Code);
        Assert.StartsWith(message, fault.Message);
        Assert.Empty(Groups());
    }

    [Fact]
    public async Task A_run_in_a_copy_of_a_project_in_use_ends_nothing_of_the_original()
    {
        Assert.SkipUnless(HasControlGroups(out var why), why);
        using var copy = new TestProject();
        var begun = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var run = "";
        var ended = project.Run(Spec("while [ ! -e $TMPDIR/../../../../../go ]; do sleep 0.05; done; echo x > build/o.txt"), options =>
        {
            run = options.RunId;
            return options with { Isolation = Isolation.None, Effect = effect => _ = effect == "private folder made" && begun.TrySetResult() };
        });
        await begun.Task;
        await Eventually.True(() => GroupsOf(run).Any(group => File.ReadAllText(Path.Combine(group, "cgroup.procs")).Length > 0), TimeSpan.FromSeconds(30));
        // What a copy brings along of the run that is at work, and what a hostile one might.
        foreach (var each in new[] { run, "*" })
            Directory.CreateDirectory(Path.Combine(copy.Folder.Work, each));
        (await RunLock.TakeAsync(copy.Folder, () => { }, TestContext.Current.CancellationToken)).Dispose();
        project.Write("go", "");
        await ended;
        Assert.Equal("x\n", project.Read("build/o.txt"));
    }

    private async Task<string> Output(string line, string? input = null, string shell = "/bin/sh")
    {
        var stage = TestProject.Stage("s", "{ " + line + "; } > build/o.txt; test -s build/o.txt || echo none > build/o.txt", input is null ? [] : [input], "o=build/o.txt");
        await project.Run(TestProject.Spec(stage with { Run = [shell, "-c", stage.Run!.Value[2]] }));
        return project.Read("build/o.txt") is "none\n" ? "" : project.Read("build/o.txt");
    }

    private static IEnumerable<string> ProcessesWith(string mark) => Directory.EnumerateDirectories("/proc").Where(process => int.TryParse(Path.GetFileName(process), out _)).Where(process =>
    {
        try
        {
            return File.ReadAllText(Path.Combine(process, "cmdline")).Contains(mark);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    });

    private static bool HasControlGroups(out string why)
    {
        using var group = Slipway.Runtime.Sandbox.ControlGroup.TryMake($"slipway-test-{Environment.ProcessId}", new(1, new(1 << 26), 100, null), Slipway.Runtime.Sandbox.ControlGroup.MountPoint, File.ReadAllText("/proc/self/cgroup"), out why);
        return group is not null;
    }

    private IEnumerable<string> Groups() =>
        project.Events.OfType<StageStarted>().Select(started => Path.GetFileName(Path.GetDirectoryName(Path.GetDirectoryName(started.Log))!))
            .SelectMany(GroupsOf);

    private static IEnumerable<string> GroupsOf(string run) =>
        Directory.EnumerateDirectories("/sys/fs/cgroup", $"slipway-*-{run}-*", new EnumerationOptions { RecurseSubdirectories = true, IgnoreInaccessible = true });

    private static Spec Limited(string line) => TestProject.Spec(TestProject.Stage("s", line, [], "o=build/o.txt") with { Hardware = "small" }) with
    {
        Hardware = ImmutableSortedDictionary<string, HardwareProfile>.Empty.Add("small", new(0.5, null, new ByteSize(64L << 20), new ByteSize(8L << 20), [], null, null, null, null, null)),
    };

    private static Spec Spec(string line) => TestProject.Spec(TestProject.Stage("s", line, [], "o=build/o.txt"));
}
