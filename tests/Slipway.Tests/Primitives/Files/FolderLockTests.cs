using Slipway.Primitives.Files;
using Slipway.Primitives.Processes;

namespace Slipway.Tests.Primitives.Files;

public sealed class FolderLockTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly TestFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task Another_process_is_kept_out_until_the_holder_is_killed()
    {
        var (path, held) = (folder["state/run.lock"], folder["held"]);
        await using var holder = ChildProcess.Start(ChildProgram.Command("hold-lock", [path, held], folder["log"]));
        await Eventually.True(() => File.Exists(held), Patience);

        Assert.Null(FolderLock.TryTake(path));
        var told = 0;
        var waiting = FolderLock.TakeAsync(path, () => told++, TestContext.Current.CancellationToken);
        Assert.False(waiting.IsCompleted);

        holder.Kill();
        using var taken = await waiting.WaitAsync(Patience, TestContext.Current.CancellationToken);
        Assert.Equal(1, told);
        Assert.True(File.Exists(path));
    }

    /// <summary>A child between fork and its own program has every descriptor once more: what it holds must not hold the lock.</summary>
    [Fact]
    public void A_lock_that_was_let_go_is_free_although_its_descriptor_lives_on_in_a_child()
    {
        var path = Path.GetFullPath(folder["forked.lock"]);
        var first = FolderLock.TryTake(path)!;
        var descriptor = Directory.EnumerateFiles("/proc/self/fd").First(link => TargetOf(link) == path);
        using var copy = new Microsoft.Win32.SafeHandles.SafeFileHandle(dup(int.Parse(Path.GetFileName(descriptor), System.Globalization.CultureInfo.InvariantCulture)), ownsHandle: true);
        first.Dispose();
        using var second = FolderLock.TryTake(path);
        Assert.NotNull(second);
    }

    /// <summary>Null for a descriptor that somebody else closed meanwhile.</summary>
    private static string? TargetOf(string link)
    {
        try
        {
            return File.ResolveLinkTarget(link, returnFinalTarget: false)?.FullName;
        }
        catch (IOException)
        {
            return null;
        }
    }

    [Fact]
    public void Two_locks_of_one_process_exclude_each_other()
    {
        var first = FolderLock.TryTake(folder["l"]);
        Assert.NotNull(first);
        Assert.Null(FolderLock.TryTake(folder["l"]));
        using var other = FolderLock.TryTake(folder["m"]);
        Assert.NotNull(other);
        first.Dispose();
        using var second = FolderLock.TryTake(folder["l"]);
        Assert.NotNull(second);
    }

    [Fact]
    public async Task A_free_lock_is_taken_without_a_word_and_a_cancelled_wait_takes_nothing()
    {
        var taken = await FolderLock.TakeAsync(folder["l"], () => Assert.Fail("nobody holds it"), TestContext.Current.CancellationToken);
        using var cancellation = new CancellationTokenSource();
        var waiting = FolderLock.TakeAsync(folder["l"], cancellation.Cancel, cancellation.Token);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        taken.Dispose();
        FolderLock.TryTake(folder["l"])!.Dispose();
    }

    [Fact]
    public async Task A_child_that_outlives_the_holder_does_not_keep_the_lock()
    {
        var held = FolderLock.TryTake(folder["l"]);
        await using var child = ChildProcess.Start(new ChildCommand(["/bin/sleep", "1000"], folder.Root, new Dictionary<string, string>()));
        held!.Dispose();
        // Not at once: a child of another test may stand between its fork and its exec and still hold every descriptor.
        using var again = await FolderLock.TakeAsync(folder["l"], null, TestContext.Current.CancellationToken).WaitAsync(Patience, TestContext.Current.CancellationToken);
        Assert.False(child.Exited.IsCompleted);
    }

    /// <summary>Runs in a child: takes the lock, says so by a file, and holds it until killed.</summary>
    internal static int HoldProgram(string[] arguments)
    {
        using var held = FolderLock.TryTake(arguments[0]);
        if (held is null)
            return 1;
        File.WriteAllText(arguments[1], "held");
        Thread.Sleep(Timeout.Infinite);
        return 0;
    }

    [System.Runtime.InteropServices.DllImport("libc")]
    private static extern int dup(int descriptor);
}
