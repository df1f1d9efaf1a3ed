using Slipway.Primitives.Units;
using Slipway.Runtime.Sandbox;
using Slipway.Tests.Primitives;

namespace Slipway.Tests.Runtime.Sandbox;

/// <summary>On trees that look like the kernel's; that the kernel enforces them is tested with stages.</summary>
public sealed class ControlGroupTests : IDisposable
{
    private static readonly ResourceLimits limits = new(1.5, new ByteSize(64 << 20), 100, null);

    private readonly TestFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void In_version_2_a_group_below_ones_own_gets_every_limit()
    {
        Unified("user.slice/run.scope", "cpu memory pids");
        using var group = ControlGroup.TryMake("slipway-x", limits, folder.Root, "0::/user.slice/run.scope\n", out _);
        Assert.Equal([Path.Combine(folder.Root, "user.slice/run.scope/slipway-x")], group!.Folders);
        Assert.Equal(("67108864", "100", "150000 100000"), (Read(group, "memory.max"), Read(group, "pids.max"), Read(group, "cpu.max")));
    }

    [Fact]
    public void In_version_2_a_group_is_made_beside_where_none_may_be_made_below()
    {
        Unified("user.slice", "cpu memory pids");
        Write("user.slice/run.scope/cgroup.procs", "1");
        using var group = ControlGroup.TryMake("slipway-x", limits, folder.Root, "0::/user.slice/run.scope\n", out _);
        Assert.Equal([Path.Combine(folder.Root, "user.slice/slipway-x")], group!.Folders);
    }

    [Fact]
    public void In_version_2_processors_that_are_not_limited_need_no_controller()
    {
        Unified("", "memory pids");
        using var group = ControlGroup.TryMake("slipway-x", limits with { Cpus = null }, folder.Root, "0::/\n", out _);
        Assert.Equal([Path.Combine(folder.Root, "slipway-x")], group!.Folders);
    }

    [Fact]
    public void In_version_1_each_controller_has_a_folder_of_its_own()
    {
        foreach (var each in new[] { "memory/a/b", "pids/a", "cpu,cpuacct" })
            Write(each + "/cgroup.procs", "");
        Write("memory/a/b/memory.memsw.limit_in_bytes", "");
        using var group = ControlGroup.TryMake("slipway-x", limits, folder.Root, "4:memory:/a/b\n8:pids:/a\n1:cpu,cpuacct:/not/seen\n0::/\n", out _);
        Assert.Equal(new[] { "memory/a/b/slipway-x", "pids/a/slipway-x", "cpu,cpuacct/slipway-x" }.Select(each => Path.Combine(folder.Root, each)), group!.Folders);
        Assert.Equal("67108864", File.ReadAllText(Path.Combine(group.Folders[0], "memory.limit_in_bytes")));
        Assert.Equal("100", File.ReadAllText(Path.Combine(group.Folders[1], "pids.max")));
        Assert.Equal(("100000", "150000"), (File.ReadAllText(Path.Combine(group.Folders[2], "cpu.cfs_period_us")), File.ReadAllText(Path.Combine(group.Folders[2], "cpu.cfs_quota_us"))));
    }

    [Fact]
    public void In_version_1_processors_that_are_not_limited_need_no_group()
    {
        foreach (var each in new[] { "memory", "pids" })
            Write(each + "/cgroup.procs", "");
        using var group = ControlGroup.TryMake("slipway-x", limits with { Cpus = null }, folder.Root, "4:memory:/\n8:pids:/\n", out _);
        Assert.Equal(new[] { "memory/slipway-x", "pids/slipway-x" }.Select(each => Path.Combine(folder.Root, each)), group!.Folders);
    }

    [Fact]
    public void Plain_folders_are_no_control_groups()
    {
        foreach (var each in new[] { "memory", "pids", "cpu" })
            Directory.CreateDirectory(Path.Combine(folder.Root, each));
        Assert.Null(ControlGroup.TryMake("slipway-x", limits, folder.Root, "4:memory:/\n8:pids:/\n1:cpu:/\n", out _));
    }

    [Fact]
    public void Members_of_another_process_space_are_not_this_ones_to_end()
    {
        Unified("", "cpu memory pids");
        using var group = ControlGroup.TryMake("slipway-x", limits, folder.Root, "0::/\n", out _);
        File.WriteAllText(Path.Combine(group!.Folders[0], "cgroup.procs"), "0\n0\n");
        Assert.Empty(group.Kill());     // 0 would be every process of this test's own group
    }

    [Theory]
    [InlineData("0::/\n")]
    [InlineData("")]
    [InlineData("4:memory:/\n8:pids:/\n")]
    public void Where_a_controller_is_missing_there_is_none_and_why_is_told(string membership)
    {
        Assert.Null(ControlGroup.TryMake("slipway-x", limits, folder.Root, membership, out var why));
        Assert.NotEmpty(why);
        Assert.Empty(Directory.EnumerateDirectories(folder.Root, "slipway-*", SearchOption.AllDirectories));
    }

    [Theory]
    [InlineData("oom_kill 0", "max 0", ExceededLimit.None)]
    [InlineData("oom_kill 2", "max 0", ExceededLimit.Memory)]
    [InlineData("oom_kill 0", "max 9", ExceededLimit.Processes)]
    public void What_the_kernel_counted_tells_the_limit(string memory, string processes, ExceededLimit expected)
    {
        Unified("", "cpu memory pids");
        using var group = ControlGroup.TryMake("slipway-x", limits, folder.Root, "0::/\n", out _);
        File.WriteAllText(Path.Combine(group!.Folders[0], "memory.events"), "low 0\n" + memory + "\n");
        File.WriteAllText(Path.Combine(group.Folders[0], "pids.events"), processes + "\n");
        Assert.Equal(expected, group.Exceeded());
    }

    [Fact]
    public void What_a_run_left_is_found_by_how_it_is_called()
    {
        Unified("user.slice", "cpu memory pids");
        foreach (var each in new[] { "user.slice/slipway-r1-fit", "user.slice/slipway-r1-score", "system.slice/deep/slipway-r1-x", "user.slice/slipway-r2-fit", "user.slice/other" })
            Directory.CreateDirectory(Path.Combine(folder.Root, each));
        using (var left = ControlGroup.Left("slipway-r1-", folder.Root))
            Assert.Equal(3, left.Folders.Count);
        Assert.Equal(["other", "slipway-r2-fit"], Directory.EnumerateDirectories(Path.Combine(folder.Root, "user.slice")).Select(Path.GetFileName).Order());
    }

    private static string Read(ControlGroup group, string file) => File.ReadAllText(Path.Combine(group.Folders[0], file));

    private void Unified(string path, string controllers)
    {
        Write("cgroup.controllers", controllers);
        Write(Path.Combine(path, "cgroup.subtree_control"), controllers);
    }

    private void Write(string path, string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(folder.Root, path))!);
        File.WriteAllText(Path.Combine(folder.Root, path), text);
    }
}
