using System.Data.Common;
using System.Diagnostics;
using Slipway.Primitives.Faults;

namespace Slipway.Server.Storage;

/// <summary>The server's one store of records: an SQLite file, or PostgreSQL. Thread-safe.</summary>
/// <remarks>
/// Changes come one after another over all servers of a database: SQLite has one writer, PostgreSQL's take an advisory lock. So a change
/// may read, decide and write without a race, and the ledger's order is the order of changes. A change that throws leaves nothing.
/// What is handed in may run twice, when a connection turns out to be dead before anything was committed: it must touch nothing else.
/// </remarks>
internal sealed class Database : IAsyncDisposable
{
    /// <summary>The second time on a fresh connection; a database that is gone then is told as such.</summary>
    private const int Attempts = 2;

    private readonly IDialect dialect;
    private readonly SemaphoreSlim writer = new(1, 1);
    private readonly AsyncLocal<bool> changing = new();
    private readonly CancellationTokenSource closing = new();
    private Task listening = Task.CompletedTask;

    private Database(IDialect dialect) => this.dialect = dialect;

    /// <summary>
    /// Raised after every committed change, of this process and of other servers; also when it is not known whether there was one. Handlers
    /// read again what they watch; they must be quick, and must not throw.
    /// </summary>
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
            database.listening = await database.dialect.ListenAsync(() => database.Changed?.Invoke(), database.closing.Token);
            return database;
        }
        catch
        {
            await database.DisposeAsync();
            throw;
        }
    }

    /// <summary>Reads what is consistent at one moment.</summary>
    /// <exception cref="SlipwayException">Not reachable, damaged (exit 3).</exception>
    public async Task<T> ReadAsync<T>(Func<Session, Task<T>> read, CancellationToken cancellation)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                await using var connection = await dialect.OpenAsync(cancellation);
                await using var transaction = await dialect.BeginReadAsync(connection, cancellation);
                return await read(new Session(connection, transaction, dialect, cancellation));
            }
            catch (DbException e) when (attempt < Attempts && dialect.IsConnectionLost(e))
            {
                dialect.DropConnections();
            }
            catch (DbException e) when (dialect.Explain(e) is { } explained)
            {
                throw explained;
            }
        }
    }

    /// <summary>Makes one change: all of it, or nothing of it.</summary>
    /// <exception cref="SlipwayException">
    /// No space, read-only, not reachable (exit 3), and nothing was changed; or <c>outcome-unknown</c>, where the connection broke while committing.
    /// </exception>
    public async Task<T> ChangeAsync<T>(Func<Session, Task<T>> change, CancellationToken cancellation)
    {
        if (changing.Value)
            throw new UnreachableException("a change inside a change would wait for itself");
        await writer.WaitAsync(cancellation);
        var mayHaveChanged = false;
        try
        {
            for (var attempt = 1; ; attempt++)
            {
                try
                {
                    await using var connection = await dialect.OpenAsync(cancellation);
                    await using var transaction = await dialect.BeginChangeAsync(connection, cancellation);
                    changing.Value = true;
                    var result = await change(new Session(connection, transaction, dialect, cancellation));
                    // From here on it is done or not done as a whole; a caller that goes away must not make it look undone.
                    mayHaveChanged = true;
                    await transaction.CommitAsync(CancellationToken.None);
                    return result;
                }
                catch (DbException e) when (!mayHaveChanged && attempt < Attempts && dialect.IsConnectionLost(e))
                {
                    dialect.DropConnections();
                }
                catch (DbException e) when (mayHaveChanged && dialect.IsConnectionLost(e))
                {
                    throw new SlipwayException(ExitCode.NotThere, new Fault("outcome-unknown", "the connection to the database broke while a change was committed: it was made whole, or not at all", Help: "look whether it was made before you repeat it"), e);
                }
                catch (DbException e) when (dialect.Explain(e) is { } explained)
                {
                    throw explained;
                }
            }
        }
        finally
        {
            changing.Value = false;
            writer.Release();
            if (mayHaveChanged)
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

    /// <summary>After a committed change that erased something: no copy of it stays behind in the database's own files. Backups are their keeper's.</summary>
    public async Task ScrubAsync(string table, CancellationToken cancellation)
    {
        await writer.WaitAsync(cancellation);
        try
        {
            await using var connection = await dialect.OpenAsync(cancellation);
            await dialect.ScrubAsync(connection, table, cancellation);
        }
        catch (DbException e) when (dialect.Explain(e) is { } explained)
        {
            throw explained;
        }
        finally
        {
            writer.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await closing.CancelAsync();
        await listening;
        await dialect.DisposeAsync();
        closing.Dispose();
        writer.Dispose();
    }
}
