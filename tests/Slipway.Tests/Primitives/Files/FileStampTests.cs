using System.Diagnostics;
using Slipway.Primitives.Files;

namespace Slipway.Tests.Primitives.Files;

public sealed class FileStampTests : IDisposable
{
    private readonly TestFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void A_stamp_says_what_stat_says()
    {
        var path = folder.Write("f", "12345");
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        File.SetLastWriteTimeUtc(path, DateTime.UnixEpoch.AddSeconds(1_000_000));
        var stamp = FileStamp.Of(path)!.Value;
        Assert.Equal((FileKind.File, 5L, 1_000_000_000_000_000L, true), (stamp.Kind, stamp.Size, stamp.Modified, stamp.Executable));
        Assert.Equal(FileKind.Folder, FileStamp.Of(folder.Root)!.Value.Kind);
        Assert.Null(FileStamp.Of(folder["none"]));
        Assert.Null(FileStamp.Of(folder["f/below"]));
    }

    [Fact]
    public void A_link_is_followed_unless_told_otherwise()
    {
        folder.Write("f", "12345");
        File.CreateSymbolicLink(folder["l"], "f");
        File.CreateSymbolicLink(folder["broken"], "none");
        Assert.Equal(FileStamp.Of(folder["f"]), FileStamp.Of(folder["l"]));
        Assert.Equal(FileKind.Link, FileStamp.Of(folder["l"], followLinks: false)!.Value.Kind);
        Assert.Null(FileStamp.Of(folder["broken"]));
        Assert.NotNull(FileStamp.Of(folder["broken"], followLinks: false));
    }

    [Fact]
    public void A_change_that_keeps_size_and_mtime_still_changes_the_stamp()
    {
        var path = folder.Write("f", "one");
        var before = FileStamp.Of(path)!.Value;
        var modified = File.GetLastWriteTimeUtc(path);
        var clock = Stopwatch.StartNew();
        while (FileStamp.Of(path)!.Value.Changed == before.Changed && clock.Elapsed < TimeSpan.FromSeconds(5))
        {
            File.WriteAllText(path, "two");
            File.SetLastWriteTimeUtc(path, modified);
        }

        var after = FileStamp.Of(path)!.Value;
        Assert.Equal((before.Size, before.Modified / 100, before.Inode), (after.Size, after.Modified / 100, after.Inode));
        Assert.NotEqual(before, after);
    }

    [Theory]
    [InlineData(0, true)]
    [InlineData(FileStamp.Granularity, true)]
    [InlineData(FileStamp.Granularity + 1, false)]
    public void A_stamp_as_young_as_the_look_proves_nothing(long age, bool racy)
    {
        var stamp = new FileStamp(FileKind.File, 1, Modified: 1_000_000_000, Changed: 1_000_000_000, 1, 1, false);
        Assert.Equal(racy, stamp.IsRacy(1_000_000_000 + age));
        Assert.Equal(racy, (stamp with { Modified = 0 }).IsRacy(1_000_000_000 + age));
        Assert.Equal(racy, (stamp with { Changed = 0 }).IsRacy(1_000_000_000 + age));
    }
}
