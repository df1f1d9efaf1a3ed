using Microsoft.Data.Sqlite;
using Slipway.Primitives.Faults;
using Slipway.Server.Storage;
using Slipway.Tests.Primitives;
using Slipway.Tests.Store.Archives;

namespace Slipway.Tests.Server.Storage;

/// <summary>What happens to SQLite's file.</summary>
public sealed class SqliteFileTests : IDisposable
{
    private readonly TestFolder folder = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_commit_is_flushed()
    {
        await using var database = await OpenAsync();
        // 2 is FULL: with a write-ahead log, NORMAL would lose the last commits with the power.
        Assert.Equal((2, "wal"), await database.ReadAsync(
            async session => (await session.FindAsync<long>("PRAGMA synchronous"), await session.FindAsync<string>("PRAGMA journal_mode")), Cancellation));
    }

    [Fact]
    public async Task A_change_waits_for_another_process()
    {
        await using var database = await OpenAsync();
        await using var other = new SqliteConnection($"Data Source={folder["server.db"]};Pooling=false");
        await other.OpenAsync(Cancellation);
        var held = other.BeginTransaction(deferred: false);
        var change = Task.Run(() => FillAsync(database, 1, 1), Cancellation);
        Assert.Equal(0, await CountAsync(database));
        Assert.False(change.IsCompleted);
        await held.DisposeAsync();
        await change;
        Assert.Equal(1, await CountAsync(database));
    }

    [Fact]
    public async Task A_full_disk_is_told_leaves_nothing_half_written_and_heals()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "mounting a small tmpfs needs root");
        Assert.SkipUnless(Tool.Run("mount", "-t", "tmpfs", "-o", "size=2m", "none", folder.Root).Code == 0, "this machine does not let us mount a tmpfs");
        try
        {
            await using var database = await OpenAsync();
            await FillAsync(database, 1, 10);
            folder.Write("ballast", new byte[1024 * 1024]);
            var full = await Assert.ThrowsAsync<SlipwayException>(() => FillAsync(database, 11, 100_000));
            Assert.Equal((ExitCode.NotThere, "no-space"), (full.Exit, full.Faults[0].Code));
            Assert.Equal(10, await CountAsync(database));
            File.Delete(folder["ballast"]);
            await FillAsync(database, 11, 10);
            Assert.Equal(20, await CountAsync(database));
            Assert.Equal("ok", await database.ReadAsync(session => session.FindAsync<string>("PRAGMA integrity_check"), Cancellation));
        }
        finally
        {
            Tool.Run("umount", folder.Root);
        }
    }

    [Fact]
    public async Task A_folder_that_is_read_only_is_told()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "mounting read-only needs root");
        await (await OpenAsync()).DisposeAsync();
        Assert.SkipUnless(
            Tool.Run("mount", "--bind", folder.Root, folder.Root).Code == 0 && Tool.Run("mount", "-o", "remount,ro,bind", folder.Root).Code == 0, "this machine does not let us mount");
        try
        {
            var refused = await Assert.ThrowsAsync<SlipwayException>(OpenAsync);
            // SQLite cannot make its log beside the file, and says that it cannot open it.
            Assert.Equal((ExitCode.NotThere, "database-unreachable"), (refused.Exit, refused.Faults[0].Code));
            Assert.Contains("writable", refused.Faults[0].Help);
        }
        finally
        {
            Tool.Run("umount", folder.Root);
        }
    }

    [Fact]
    public async Task What_is_no_database_is_told_and_left_alone()
    {
        var file = folder.Write("server.db", new string('x', 5000));
        var refused = await Assert.ThrowsAsync<SlipwayException>(OpenAsync);
        Assert.Equal((ExitCode.NotThere, "database-damaged"), (refused.Exit, refused.Faults[0].Code));
        Assert.Equal(5000, new FileInfo(file).Length);
    }

    [Fact]
    public async Task A_folder_that_is_not_there_is_told()
    {
        var refused = await Assert.ThrowsAsync<SlipwayException>(() => Database.OpenAsync(null, folder["no/server.db"], Cancellation));
        Assert.Equal((ExitCode.NotThere, "database-unreachable"), (refused.Exit, refused.Faults[0].Code));
    }

    public void Dispose() => folder.Dispose();

    private async Task<Database> OpenAsync()
    {
        var database = await Database.OpenAsync(null, folder["server.db"], Cancellation);
        await database.ChangeAsync(session => session.ExecuteAsync("CREATE TABLE IF NOT EXISTS notes (id BIGINT PRIMARY KEY, text TEXT)"), Cancellation);
        return database;
    }

    private static Task FillAsync(Database database, int from, int count) => database.ChangeAsync(
        async session =>
        {
            for (var id = from; id < from + count; id++)
                await session.ExecuteAsync("INSERT INTO notes (id, text) VALUES (@id, @text)", new { id, text = new string('x', 100) });
        },
        Cancellation);

    private static Task<long> CountAsync(Database database) => database.ReadAsync(session => session.FindAsync<long>("SELECT COUNT(*) FROM notes"), Cancellation);
}
