using System.Diagnostics;
using Slipway.Primitives.Faults;
using Slipway.Primitives.Processes;
using Slipway.Server.Storage;
using Slipway.Tests.Primitives;

namespace Slipway.Tests.Server.Storage;

/// <summary>What both stores promise: every test here runs on SQLite and on the real PostgreSQL.</summary>
public sealed class DatabaseContract
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public static TheoryData<DatabaseKind> Kinds => TestDatabase.Kinds;

    [Theory, MemberData(nameof(Kinds))]
    public async Task What_a_change_wrote_is_read(DatabaseKind kind)
    {
        await using var store = await OpenAsync(kind);
        await WriteAsync(store.Database, 1, "héllo 🛝");
        Assert.Equal("héllo 🛝", await TextAsync(store.Database, 1));
        Assert.Null(await TextAsync(store.Database, 2));
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task Bytes_and_the_largest_numbers_come_back_as_they_were(DatabaseKind kind)
    {
        await using var store = await OpenAsync(kind);
        byte[] bytes = [.. Enumerable.Range(0, 256).Select(n => (byte)n)];
        await store.Database.ChangeAsync(
            async session =>
            {
                await session.MigrateAsync("CREATE TABLE things (id BIGINT PRIMARY KEY, content {bytes} NOT NULL)");
                await session.ExecuteAsync("INSERT INTO things (id, content) VALUES (@id, @bytes)", new { id = long.MaxValue, bytes });
            },
            Cancellation);
        Assert.Equal(bytes, await store.Database.ReadAsync(session => session.FindAsync<byte[]>("SELECT content FROM things WHERE id = @id", new { id = long.MaxValue }), Cancellation));
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task A_change_that_throws_leaves_nothing(DatabaseKind kind)
    {
        await using var store = await OpenAsync(kind);
        var thrown = await Assert.ThrowsAsync<InvalidOperationException>(() => store.Database.ChangeAsync(
            async session =>
            {
                await session.ExecuteAsync("INSERT INTO notes (id, text) VALUES (1, 'half')");
                throw new InvalidOperationException("halfway");
            },
            Cancellation));
        Assert.Equal("halfway", thrown.Message);
        Assert.Null(await TextAsync(store.Database, 1));
        await WriteAsync(store.Database, 1, "whole");
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task A_change_that_is_called_off_leaves_nothing_and_keeps_nobody_waiting(DatabaseKind kind)
    {
        await using var store = await OpenAsync(kind);
        using var calledOff = new CancellationTokenSource();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => store.Database.ChangeAsync(
            async session =>
            {
                await session.ExecuteAsync("INSERT INTO notes (id, text) VALUES (1, 'half')");
                await calledOff.CancelAsync();
                await session.ExecuteAsync("INSERT INTO notes (id, text) VALUES (2, 'never')");
            },
            calledOff.Token));
        Assert.Null(await TextAsync(store.Database, 1));
        await WriteAsync(await store.OpenAgainAsync(), 1, "whole");
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task Changes_of_two_servers_come_one_after_another(DatabaseKind kind)
    {
        await using var store = await OpenAsync(kind);
        var other = await store.OpenAgainAsync();
        await WriteAsync(store.Database, 1, "0");
        await Task.WhenAll(Enumerable.Range(0, 60).Select(n => Task.Run(() => (n % 2 == 0 ? store.Database : other).ChangeAsync(
            async session =>
            {
                var count = int.Parse((await session.FindAsync<string>("SELECT text FROM notes WHERE id = 1"))!);
                await Task.Yield();
                await session.ExecuteAsync("UPDATE notes SET text = @text WHERE id = 1", new { text = $"{count + 1}" });
            },
            Cancellation))));
        Assert.Equal("60", await TextAsync(store.Database, 1));
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task A_reader_sees_one_moment_while_changes_go_on(DatabaseKind kind)
    {
        await using var store = await OpenAsync(kind);
        await WriteAsync(store.Database, 1, "before");
        var seen = await store.Database.ReadAsync(
            async session =>
            {
                var first = await session.FindAsync<string>("SELECT text FROM notes WHERE id = 1");
                await store.Database.ChangeAsync(other => other.ExecuteAsync("UPDATE notes SET text = 'after' WHERE id = 1"), Cancellation);
                return (first, await session.FindAsync<string>("SELECT text FROM notes WHERE id = 1"));
            },
            Cancellation);
        Assert.Equal(("before", "before"), seen);
        Assert.Equal("after", await TextAsync(store.Database, 1));
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task A_change_inside_a_change_is_a_mistake_and_no_deadlock(DatabaseKind kind)
    {
        await using var store = await OpenAsync(kind);
        await Assert.ThrowsAsync<UnreachableException>(() => store.Database.ChangeAsync(_ => WriteAsync(store.Database, 1, "inner"), Cancellation));
        await WriteAsync(store.Database, 1, "outer");
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task Who_watches_is_told_of_committed_changes_alone(DatabaseKind kind)
    {
        await using var store = await OpenAsync(kind);
        var told = 0;
        string? seen = null;
        store.Database.Changed += () =>
        {
            told++;
            seen ??= TextAsync(store.Database, 1).GetAwaiter().GetResult();
        };
        await Assert.ThrowsAsync<InvalidOperationException>(() => store.Database.ChangeAsync(_ => throw new InvalidOperationException(), Cancellation));
        Assert.Equal(0, told);
        await WriteAsync(store.Database, 1, "there");
        Assert.Equal((1, "there"), (told, seen));
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task Two_processes_that_open_an_empty_store_at_once_both_find_the_schema(DatabaseKind kind)
    {
        await using var store = await TestDatabase.PrepareAsync(kind);
        var log = Path.Combine(store.Folder, "log");
        var processes = Enumerable.Range(0, 4).Select(n => ChildProgram.Command("open-database", [store.Connection ?? "", store.File], $"{log}{n}")).Select(ChildProcess.Start).ToArray();
        foreach (var (process, n) in processes.Select((process, n) => (process, n)))
        {
            await using (process)
                Assert.True((await process.Exited).Succeeded, File.ReadAllText($"{log}{n}"));
        }

        var database = await store.OpenAgainAsync();
        var numbers = await database.ReadAsync(session => session.QueryAsync<long>("SELECT number FROM migrations ORDER BY number"), Cancellation);
        Assert.Equal(numbers.Distinct(), numbers);
        Assert.NotEmpty(numbers);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task A_newer_schema_is_left_alone(DatabaseKind kind)
    {
        await using var store = await OpenAsync(kind);
        await store.Database.ChangeAsync(session => session.ExecuteAsync("INSERT INTO migrations (number, name) VALUES (9999, 'of the future')"), Cancellation);
        var refused = await Assert.ThrowsAsync<SlipwayException>(store.OpenAgainAsync);
        Assert.Equal((ExitCode.NotThere, "schema-newer"), (refused.Exit, refused.Faults[0].Code));
    }

    /// <summary>Opens a store and ends.</summary>
    public static int OpenProgram(string[] arguments)
    {
        Database.OpenAsync(arguments[0].Length == 0 ? null : arguments[0], arguments[1], CancellationToken.None).GetAwaiter().GetResult().DisposeAsync().AsTask().GetAwaiter().GetResult();
        return 0;
    }

    private static async Task<TestDatabase> OpenAsync(DatabaseKind kind)
    {
        var store = await TestDatabase.OpenAsync(kind);
        await store.Database.ChangeAsync(session => session.MigrateAsync("CREATE TABLE notes (id BIGINT PRIMARY KEY, text TEXT NOT NULL)"), Cancellation);
        return store;
    }

    private static Task WriteAsync(Database database, long id, string text) =>
        database.ChangeAsync(session => session.ExecuteAsync("INSERT INTO notes (id, text) VALUES (@id, @text)", new { id, text }), Cancellation);

    private static Task<string?> TextAsync(Database database, long id) =>
        database.ReadAsync(session => session.FindAsync<string>("SELECT text FROM notes WHERE id = @id", new { id }), Cancellation);
}
