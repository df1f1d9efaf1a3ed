using System.Globalization;
using Slipway.Tests.Store.Archives;

namespace Slipway.Tests.Primitives;

/// <summary>A file system of a few pages, in memory, to fill. Only root may mount one: elsewhere the running test is skipped.</summary>
internal sealed class SmallDisk : IDisposable
{
    private readonly TestFolder root = new();

    private SmallDisk() => Folder = Directory.CreateDirectory(Path.Combine(root.Root, "disk")).FullName;

    public string Folder { get; }

    public static SmallDisk Mount(int kibibytes)
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "mounting a small tmpfs needs root");
        var disk = new SmallDisk();
        if (Tool.Run("mount", "-t", "tmpfs", "-o", Size(kibibytes), "none", disk.Folder).Code == 0)
            return disk;
        disk.root.Dispose();
        Assert.Skip("this machine does not let us mount a tmpfs");
        return disk;
    }

    public void Resize(int kibibytes) => Assert.Equal(0, Tool.Run("mount", "-o", "remount," + Size(kibibytes), Folder).Code);

    public void Dispose()
    {
        Tool.Run("umount", "-l", Folder);
        root.Dispose();
    }

    private static string Size(int kibibytes) => string.Create(CultureInfo.InvariantCulture, $"size={kibibytes}k");
}
