using System.Data.Common;
using Slipway.Primitives.Faults;

namespace Slipway.Server.Storage;

/// <summary>The server's one store of records: an SQLite file, or PostgreSQL. Thread-safe.</summary>
/// <remarks>
/// Changes come one after another over all servers of a database: SQLite has one writer, PostgreSQL's take an advisory lock. So a change
/// may read, decide and write without a race, and the ledger's order is the order of changes. A change that throws leaves nothing.
/// </remarks>
internal sealed class Database : IAsyncDisposable
{
    private readonly IDialect dialect;
    private readonly SemaphoreSlim writer = new(1, 1);

    private Database(IDialect dialect) => this.dialect = dialect;

    /// <summary>Raised after every committed change of this process.</summary>
    public event Action? Changed;

    /// <summary>Opens the store and brings its schema up to date.</summary>
    /// <param name="connection">PostgreSQL's connection string (<c>Host=…</c>), or null for SQLite.</param>
    /// <param name="file">SQLite's file; its folder is there.</param>
    /// <exception cref="SlipwayException">It cannot be reached or written, or a newer program made its schema (exit 3).</exception>
    public static async Task<Database> OpenAsync(string? connection, string file, CancellationToken cancellation)
    {
        var database = new Database(connection is null ? new SqliteDialect(file) : PostgresDialect.Parse(connection));
        try
        {
            await database.ChangeAsync(session => Migrations.ApplyAsync(session), cancellation);
            return database;
        }
        catch
        {
            await database.DisposeAsync();
            throw;
        }
    }

    /// <summary>Reads what is consistent at one moment.</summary>
    public async Task<T> ReadAsync<T>(Func<Session, Task<T>> read, CancellationToken cancellation)
    {
        try
        {
            await using var connection = await dialect.OpenAsync(cancellation);
            await using var transaction = await dialect.BeginReadAsync(connection, cancellation);
            return await read(new Session(connection, transaction, dialect, cancellation));
        }
        catch (DbException e) when (dialect.Explain(e) is { } explained)
        {
            throw explained;
        }
    }

    /// <summary>Makes one change: all of it, or nothing of it.</summary>
    /// <exception cref="SlipwayException">No space, read-only, not reachable (exit 3). After a lost connection the change may or may not have been made.</exception>
    public async Task<T> ChangeAsync<T>(Func<Session, Task<T>> change, CancellationToken cancellation)
    {
        await writer.WaitAsync(cancellation);
        try
        {
            await using var connection = await dialect.OpenAsync(cancellation);
            await using var transaction = await dialect.BeginChangeAsync(connection, cancellation);
            var result = await change(new Session(connection, transaction, dialect, cancellation));
            // From here on it is done or not done as a whole; a caller that goes away must not make it look undone.
            await transaction.CommitAsync(CancellationToken.None);
            return result;
        }
        catch (DbException e) when (dialect.Explain(e) is { } explained)
        {
            throw explained;
        }
        finally
        {
            writer.Release();
            Changed?.Invoke();
        }
    }

    public Task ChangeAsync(Func<Session, Task> change, CancellationToken cancellation) =>
        ChangeAsync(
            async session =>
            {
                await change(session);
                return true;
            },
            cancellation);

    public async ValueTask DisposeAsync()
    {
        await dialect.DisposeAsync();
        writer.Dispose();
    }
}
