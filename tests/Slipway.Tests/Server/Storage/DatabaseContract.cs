using Slipway.Server.Storage;

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
        await store.Database.ChangeAsync(session => session.ExecuteAsync("INSERT INTO notes (id, text) VALUES (@id, @text)", new { id = 1L, text = "héllo" }), Cancellation);
        Assert.Equal("héllo", await TextAsync(store.Database, 1));
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
    }

    private static async Task<TestDatabase> OpenAsync(DatabaseKind kind)
    {
        var store = await TestDatabase.OpenAsync(kind);
        await store.Database.ChangeAsync(session => session.MigrateAsync("CREATE TABLE notes (id BIGINT PRIMARY KEY, text TEXT NOT NULL)"), Cancellation);
        return store;
    }

    private static Task<string?> TextAsync(Database database, long id) =>
        database.ReadAsync(session => session.FindAsync<string>("SELECT text FROM notes WHERE id = @id", new { id }), Cancellation);
}
