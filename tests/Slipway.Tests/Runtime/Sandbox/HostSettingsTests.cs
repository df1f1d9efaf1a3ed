using Slipway.Runtime.Sandbox;
using Slipway.Tests.Primitives;
using Slipway.Tests.Store.Archives;

namespace Slipway.Tests.Runtime.Sandbox;

/// <summary>Of this host's own /etc; what a stage sees of it is tested with stages.</summary>
public sealed class HostSettingsTests : IDisposable
{
    private readonly TestFolder folder = new();
    private readonly HostSettings settings;

    public HostSettingsTests() => settings = new HostSettings(folder.Root, [("passwd", "root:x:0:0::/:/bin/sh\n")]);

    public void Dispose() => folder.Dispose();

    [Fact]
    public void Files_are_copied_once_and_what_is_large_is_mounted_over_an_empty_place()
    {
        var mounts = settings.Mounts(network: false);
        Assert.Equal(new Mount(MountKind.ReadOnly, Path.Combine(folder.Root, ".etc"), "/etc"), mounts[0]);
        Assert.Equal("root:x:0:0::/:/bin/sh\n", File.ReadAllText(Path.Combine(folder.Root, ".etc/passwd")));
        Assert.Equal(File.ReadAllBytes("/etc/ld.so.cache"), File.ReadAllBytes(Path.Combine(folder.Root, ".etc/ld.so.cache")));
        Assert.All(mounts.Skip(1), mount =>
        {
            var place = Path.Combine(folder.Root, ".etc", Path.GetRelativePath("/etc", mount.Target));
            Assert.True(Directory.Exists(place) ? !Directory.EnumerateFileSystemEntries(place).Any() : new FileInfo(place).Length == 0, place);
            Assert.Equal(MountKind.ReadOnly, mount.Kind);
        });
        Assert.Equal(Directory.EnumerateFileSystemEntries("/etc/alternatives").Count() > 64, mounts.Any(mount => mount.Target == "/etc/alternatives"));
        Assert.Same(mounts, settings.Mounts(network: false));
    }

    [Fact]
    public void Nothing_of_users_services_or_secrets_is_there()
    {
        settings.Mounts(network: true);
        var seen = Directory.EnumerateFileSystemEntries(Path.Combine(folder.Root, ".etc-network")).Select(Path.GetFileName).ToList();
        Assert.DoesNotContain("shadow", seen);
        Assert.DoesNotContain("ssh", seen);
        Assert.Equal(["certs", "openssl.cnf"], Directory.EnumerateFileSystemEntries(Path.Combine(folder.Root, ".etc-network/ssl")).Select(Path.GetFileName).Order());
    }

    [Fact]
    public void How_other_hosts_are_found_is_seen_with_a_network_alone_and_as_it_is_then()
    {
        Assert.DoesNotContain(settings.Mounts(network: false), mount => mount.Target is "/etc/resolv.conf" or "/etc/hosts");
        Assert.False(File.Exists(Path.Combine(folder.Root, ".etc/hosts")));
        Assert.Contains(settings.Mounts(network: true), mount => mount.Target == "/etc/hosts");
    }

    [Fact]
    public void What_is_somebody_elses_and_not_for_all_is_mounted_as_it_is()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "only root can give files to another user");
        var etc = folder["host"];
        foreach (var (name, mode) in new[] { ("java-open/a", "644"), ("java-closed/a", "600"), ("python3-closed/a/b", "700") })
            Tool.Run("chmod", mode, folder.Write("host/" + name, "theirs"));

        Tool.Run("chmod", "700", Path.Combine(etc, "python3-closed/a"));
        Tool.Run("mkfifo", Path.Combine(etc, "java-waits"));
        File.CreateSymbolicLink(Path.Combine(etc, "java-away"), "/nowhere");
        Tool.Run("chown", "-R", "65534", etc);
        var mounts = new HostSettings(folder["shared"], [], etc).Mounts(network: false);
        Assert.Equal(
            ["/etc", "/etc/java-closed", "/etc/java-waits", "/etc/python3-closed"],
            mounts.Select(mount => mount.Target).Order(StringComparer.Ordinal));
        Assert.All(mounts.Skip(1), mount => Assert.Equal(Path.Combine(etc, Path.GetFileName(mount.Target)), mount.Source));
        Assert.Equal(["theirs"], Directory.EnumerateFiles(folder["shared/.etc"], "?", SearchOption.AllDirectories).Select(File.ReadAllText));
    }

    [Fact]
    public void What_an_attempt_left_that_failed_is_made_anew()
    {
        Directory.CreateDirectory(Path.Combine(folder.Root, ".etc/passwd"));
        settings.Mounts(network: false);
        Assert.True(File.Exists(Path.Combine(folder.Root, ".etc/passwd")));
    }
}
