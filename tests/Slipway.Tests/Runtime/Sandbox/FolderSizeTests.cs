using Slipway.Runtime.Sandbox;
using Slipway.Tests.Primitives;

namespace Slipway.Tests.Runtime.Sandbox;

public sealed class FolderSizeTests : IDisposable
{
    private readonly TestFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void Links_are_counted_and_not_followed()
    {
        Directory.CreateDirectory(Path.Combine(folder.Root, "a"));
        File.WriteAllText(Path.Combine(folder.Root, "a/file"), "12345");
        File.CreateSymbolicLink(Path.Combine(folder.Root, "a/loop"), "../a");
        File.CreateSymbolicLink(Path.Combine(folder.Root, "a/far"), "/usr");
        Assert.True(FolderSize.IsWithin(folder.Root, bytes: 5, entries: 4));
        Assert.False(FolderSize.IsWithin(folder.Root, bytes: 4, entries: 4));
        Assert.False(FolderSize.IsWithin(folder.Root, bytes: 5, entries: 3));
        Assert.Equal(5, FolderSize.Of(folder.Root));
    }
}
