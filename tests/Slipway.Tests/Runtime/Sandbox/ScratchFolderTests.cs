using System.Diagnostics;
using Slipway.Primitives.Files;
using Slipway.Runtime.Sandbox;

namespace Slipway.Tests.Runtime.Sandbox;

public sealed class ScratchFolderTests : IDisposable
{
    private readonly string root = Directory.CreateTempSubdirectory("slipway-scratch-").FullName;
    private readonly List<string> made = [], told = [];

    public void Dispose()
    {
        foreach (var path in made.Where(path => FileStamp.Of(path, followLinks: false) is not null))
        {
            if (FileStamp.Of(path, followLinks: false) is { Kind: FileKind.Link })
                File.Delete(path);
            else
                Directory.Delete(path, recursive: true);
        }

        Directory.Delete(root, recursive: true);
    }

    [Fact]
    public void A_folder_is_private_and_goes_with_its_owner()
    {
        string path;
        using (var scratch = ScratchFolder.Make())
        {
            path = scratch.Path;
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(path));
            File.WriteAllText(Path.Combine(path, "log"), "something");
        }

        Assert.False(Directory.Exists(path));
    }

    [Fact]
    public void What_a_dead_owner_left_is_swept_and_links_in_it_are_not_followed()
    {
        File.WriteAllText(Path.Combine(root, "kept"), "elsewhere");
        var dead = Abandoned();
        File.CreateSymbolicLink(Path.Combine(dead, "file"), Path.Combine(root, "kept"));
        Directory.CreateSymbolicLink(Path.Combine(dead, "folder"), root);
        Age(dead);
        Sweep();
        Assert.False(Directory.Exists(dead));
        Assert.True(File.Exists(Path.Combine(root, "kept")));
        Assert.Contains(told, line => line.Contains("of processes that were killed", StringComparison.Ordinal));
    }

    [Fact]
    public void What_was_left_before_there_was_a_lock_is_swept_too()
    {
        var dead = Abandoned();
        File.Delete(Path.Combine(dead, "lock"));
        Age(dead);
        Sweep();
        Assert.False(Directory.Exists(dead));
    }

    [Fact]
    public void A_living_owners_folder_stays_however_old()
    {
        using var scratch = ScratchFolder.Make();
        Age(scratch.Path);
        Sweep();
        Assert.True(Directory.Exists(scratch.Path));
    }

    [Fact]
    public void A_young_folder_stays()
    {
        var young = Abandoned();
        Sweep();
        Assert.True(Directory.Exists(young));
    }

    [Fact]
    public void A_link_of_such_a_name_stays_and_what_it_leads_to()
    {
        var (link, target) = (Name(), Directory.CreateDirectory(Path.Combine(root, "target")).FullName);
        Directory.CreateSymbolicLink(link, target);
        Age(target);
        Shell("touch", "-h", "-d", "1 hour ago", link);
        Sweep();
        Assert.NotNull(FileStamp.Of(link, followLinks: false));
        Assert.True(Directory.Exists(target));
        Assert.False(File.Exists(Path.Combine(target, "lock")));
    }

    [Fact]
    public void Another_users_folder_stays()
    {
        Assert.SkipUnless(Environment.UserName == "root", "giving a folder to another user needs root");
        var other = Abandoned();
        Shell("chown", "nobody", other);
        Age(other);
        Assert.False(FileStamp.IsOwn(other));
        Sweep();
        Assert.True(Directory.Exists(other));
    }

    private void Sweep() => ScratchFolder.Sweep(TimeProvider.System, told.Add);

    private string Name()
    {
        var path = Path.Combine(Path.GetTempPath(), "slipway-run-" + Path.GetFileName(root));
        made.Add(path);
        return path;
    }

    /// <summary>As a killed process leaves it: there, and locked by nobody.</summary>
    private string Abandoned()
    {
        var path = Directory.CreateDirectory(Name()).FullName;
        FolderLock.TryTake(Path.Combine(path, "lock"))!.Dispose();
        File.WriteAllText(Path.Combine(path, "log"), "something");
        return path;
    }

    private static void Age(string folder) => Directory.SetLastWriteTimeUtc(folder, TimeProvider.System.GetUtcNow().UtcDateTime.AddHours(-1));

    private static void Shell(string program, params string[] arguments)
    {
        using var process = Process.Start(program, arguments);
        process.WaitForExit();
        Assert.Equal(0, process.ExitCode);
    }
}
