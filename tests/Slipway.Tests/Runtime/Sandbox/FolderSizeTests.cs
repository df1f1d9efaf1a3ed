using Slipway.Primitives.Processes;
using Slipway.Runtime.Sandbox;
using Slipway.Tests.Primitives;

namespace Slipway.Tests.Runtime.Sandbox;

public sealed class FolderSizeTests : IDisposable
{
    private readonly TestFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task What_may_not_be_looked_into_counts_as_more_than_all()
    {
        folder.Write("size/closed/f", "12345");
        string[] prefix = Environment.IsPrivilegedProcess ? ["/usr/bin/setpriv", "--bounding-set", "-dac_override,-dac_read_search", "--inh-caps", "-dac_override,-dac_read_search"] : [];
        foreach (var (mode, expected) in new[] { (UnixFileMode.UserRead | UnixFileMode.UserExecute, 5L), (UnixFileMode.UserRead, long.MaxValue), (UnixFileMode.None, long.MaxValue) })
        {
            File.SetUnixFileMode(folder["size/closed"], mode);
            var exit = await ChildProcess.RunAsync(ChildProgram.Command("size-folder", [folder["size"]], folder[$"told{mode}"], prefix: prefix), TimeSpan.FromSeconds(1), TestContext.Current.CancellationToken);
            File.SetUnixFileMode(folder["size/closed"], UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            Assert.True(exit.Succeeded);
            Assert.Equal($"{expected}\n", File.ReadAllText(folder[$"told{mode}"]));
        }
    }

    /// <summary>Runs in a child: what a folder holds, on standard output.</summary>
    internal static int SizeProgram(string[] arguments)
    {
        Console.WriteLine(FolderSize.Of(arguments[0]));
        return 0;
    }

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
