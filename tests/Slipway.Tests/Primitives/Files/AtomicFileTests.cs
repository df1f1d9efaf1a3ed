using System.Runtime.InteropServices;
using Slipway.Primitives.Faults;
using Slipway.Primitives.Files;
using Slipway.Primitives.Processes;

namespace Slipway.Tests.Primitives.Files;

public sealed partial class AtomicFileTests : IDisposable
{
    private readonly TestFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void A_file_is_made_with_its_folders_and_replaced_whole()
    {
        var path = folder["a/b/c.json"];
        AtomicFile.Write(path, "one"u8);
        Assert.Equal("one", File.ReadAllText(path));
        AtomicFile.Write(path, "2"u8);
        Assert.Equal("2", File.ReadAllText(path));
        Assert.Equal([path], Directory.GetFiles(folder["a/b"]));
    }

    [Fact]
    public async Task A_reader_never_sees_half_a_file()
    {
        var path = folder["f"];
        byte[][] contents = [[.. Enumerable.Repeat((byte)'a', 100_000)], [.. Enumerable.Repeat((byte)'b', 50_000)]];
        AtomicFile.Write(path, contents[0]);
        var writers = contents.Select(content => Task.Run(() =>
        {
            for (var i = 0; i < 50; i++)
                AtomicFile.Write(path, content);
        })).ToArray();
        do
        {
            var seen = File.ReadAllBytes(path);
            Assert.Contains(contents, content => content.AsSpan().SequenceEqual(seen));
        }
        while (writers.Any(writer => !writer.IsCompleted));
        await Task.WhenAll(writers);
        Assert.Equal([path], Directory.GetFiles(folder.Root));
    }

    [Fact]
    public void A_write_that_fails_leaves_the_old_content_and_nothing_beside_it()
    {
        Directory.CreateDirectory(folder["target/full"]);
        Assert.ThrowsAny<Exception>(() => AtomicFile.Write(folder["target"], "x"u8));
        Assert.Equal(["target"], Directory.GetFileSystemEntries(folder.Root).Select(Path.GetFileName));
    }

    [Fact]
    public void Rename_never_copies_to_another_file_system()
    {
        Assert.SkipUnless(Directory.Exists("/dev/shm") && FileStamp.Of("/dev/shm")?.Device != FileStamp.Of(folder.Root)?.Device, "/dev/shm is no other file system here");
        var from = folder.Write("from", "x");
        var to = $"/dev/shm/slipway-test-{Environment.ProcessId}";
        Assert.Throws<IOException>(() => AtomicFile.Rename(from, to));
        Assert.True(File.Exists(from) && !File.Exists(to));
    }

    [Fact]
    public void A_copy_is_whole_whatever_it_is_copied_from()
    {
        var large = folder.Write("large", new string('x', (3 << 20) + 1));
        AtomicFile.Copy(large, folder["large copy"]);
        Assert.Equal(File.ReadAllText(large), File.ReadAllText(folder["large copy"]));

        // Files that the kernel writes have no length.
        AtomicFile.Copy("/proc/version", folder["version"]);
        Assert.Equal(File.ReadAllText("/proc/version"), File.ReadAllText(folder["version"]));

        AtomicFile.Copy(folder.Write("empty", ""), folder["empty copy"]);
        Assert.Equal(0, new FileInfo(folder["empty copy"]).Length);
    }

    [Fact]
    public void A_copy_has_the_same_content_and_is_another_file()
    {
        var from = folder.Write("from", "content");
        AtomicFile.Copy(from, folder["to"]);
        File.AppendAllText(folder["to"], "!");
        Assert.Equal(("content", "content!"), (File.ReadAllText(from), File.ReadAllText(folder["to"])));
        Assert.Throws<IOException>(() => AtomicFile.Copy(from, folder["to"]));
    }

    [Fact]
    public async Task Permission_bits_do_not_depend_on_the_umask()
    {
        var path = folder["f"];
        Assert.Equal(0, (await Run(["umask", path])).Code);
        Assert.Equal("-rw-r--r--", Mode(path));
        AtomicFile.Write(path, "x"u8, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        Assert.Equal("-rw-------", Mode(path));

        static string Mode(string file) => "-" + string.Concat(
            Enumerable.Range(0, 9).Select(bit => (((int)File.GetUnixFileMode(file) >> (8 - bit)) & 1) == 1 ? "rwx"[bit % 3] : '-'));
    }

    [Fact]
    public async Task The_kernel_sees_write_then_fsync_then_rename_then_fsync_of_the_folder()
    {
        Assert.SkipUnless(File.Exists("/usr/bin/strace"), "strace is not installed");
        var trace = folder["trace"];
        var path = folder["d/f"];
        var exit = await Run(["plain", path], ["/usr/bin/strace", "-f", "-y", "-o", trace, "-e", "trace=write,pwrite64,fsync,fchmod,rename,renameat,renameat2,unlink"]);
        Assert.SkipUnless(File.Exists(trace) && !File.ReadAllText(folder["log"]).Contains("ptrace"), "this host does not let strace trace");
        Assert.Equal(0, exit.Code);

        var calls = File.ReadLines(trace)
            .Where(line => line.Contains(folder["d"]))
            .Select(line => line[(line.IndexOf(' ') + 1)..].TrimStart())
            .Select(line => (Name: line[..line.IndexOf('(')], IsFolder: line.Contains($"<{folder["d"]}>")))
            .ToArray();
        Assert.Equal([("pwrite64", false), ("fchmod", false), ("fsync", false), ("rename", false), ("fsync", true)], calls);
    }

    [Theory]
    [InlineData("fill")]
    [InlineData("fill-loosely")]
    [InlineData("fill-new")]
    public async Task A_full_disk_is_a_fault_with_exit_3_and_the_old_content_stays(string how)
    {
        await InOwnMounts("mount -t tmpfs -o size=64k tmpfs \"$1\"");
        var exit = await Run([how, folder["m"]], Mounting("mount -t tmpfs -o size=64k tmpfs \"$1\""));
        Assert.True(exit.Succeeded, File.ReadAllText(folder["log"]));
        Assert.Contains($"NotThere no-space; old content; {(how == "fill-new" ? "something" : "nothing")} beside", File.ReadAllText(folder["log"]));
    }

    [Fact]
    public async Task A_read_only_disk_is_a_fault_with_exit_3_and_the_old_content_stays()
    {
        const string mount = "mount -t tmpfs tmpfs \"$1\" && echo old > \"$1/f\" && mount -o remount,ro \"$1\"";
        await InOwnMounts(mount);
        var exit = await Run(["overwrite", folder["m"]], Mounting(mount));
        Assert.True(exit.Succeeded, File.ReadAllText(folder["log"]));
        Assert.Contains("NotThere no-permission; old content; nothing beside", File.ReadAllText(folder["log"]));
    }

    [Fact]
    public async Task A_folder_without_write_permission_is_a_fault_with_exit_3_and_the_old_content_stays()
    {
        folder.Write("m/f", "old\n");
        File.SetUnixFileMode(folder["m"], UnixFileMode.UserRead | UnixFileMode.UserExecute);
        // Root passes every permission check unless it gives that capability away.
        string[] prefix = Environment.IsPrivilegedProcess ? ["/usr/bin/setpriv", "--bounding-set", "-dac_override", "--inh-caps", "-dac_override"] : [];
        var exit = await Run(["overwrite", folder["m"]], prefix);
        File.SetUnixFileMode(folder["m"], UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        Assert.True(exit.Succeeded, File.ReadAllText(folder["log"]));
        Assert.Contains("NotThere no-permission; old content; nothing beside", File.ReadAllText(folder["log"]));
    }

    /// <summary>Runs in a child: one write, told on standard output.</summary>
    internal static int WriteProgram(string[] arguments)
    {
        var (how, path) = (arguments[0], arguments[1]);
        if (how == "umask")
            _ = umask(0b000_111_111);
        if (how is "umask" or "plain")
        {
            AtomicFile.Write(path, "content"u8);
            return 0;
        }

        var file = Path.Combine(path, "f");
        if (how.StartsWith("fill", StringComparison.Ordinal))
            AtomicFile.Write(file, "old\n"u8);
        try
        {
            switch (how)
            {
                case "fill-loosely":
                    AtomicFile.WriteLoosely(file, new byte[100_000]);
                    break;
                case "fill-new":
                    AtomicFile.WriteNew(Path.Combine(path, "new"), new byte[100_000]);
                    break;
                default:
                    AtomicFile.Write(file, new byte[100_000]);
                    break;
            }

            return 1;
        }
        catch (SlipwayException e)
        {
            var beside = Directory.GetFileSystemEntries(path).Length == 1 ? "nothing" : "something";
            Console.WriteLine($"{e.Exit} {e.Faults.Single().Code}; {File.ReadAllText(file).Trim()} content; {beside} beside");
            return 0;
        }
    }

    [LibraryImport("libc")]
    private static partial uint umask(uint mask);

    private string[] Mounting(string script) => ["unshare", .. Environment.IsPrivilegedProcess ? [] : (string[])["--user", "--map-root-user"], "--mount", "sh", "-c", script + " && shift && exec \"$@\"", "sh", folder["m"]];

    /// <summary>Skips, with the reason, where this user cannot mount even in a namespace of its own.</summary>
    private async Task InOwnMounts(string script)
    {
        Directory.CreateDirectory(folder["m"]);
        var probe = await ChildProcess.RunAsync(
            new ChildCommand([.. Mounting(script), "true"], folder.Root, ChildProgram.Variables(""), folder["probe"], folder["probe"]),
            TimeSpan.FromSeconds(1),
            TestContext.Current.CancellationToken);
        Assert.SkipUnless(probe.Succeeded, $"cannot mount here: {File.ReadAllText(folder["probe"]).Trim()}");
    }

    private Task<ChildExit> Run(string[] arguments, string[]? prefix = null) =>
        ChildProcess.RunAsync(ChildProgram.Command("write-atomically", arguments, folder["log"], prefix: prefix), TimeSpan.FromSeconds(1), TestContext.Current.CancellationToken);
}
