using System.Data;
using System.Data.Common;
using Microsoft.Data.Sqlite;
using Slipway.Primitives.Faults;

namespace Slipway.Server.Storage;

/// <summary>One file on a local disk, with its write-ahead log beside it. Every commit is flushed.</summary>
internal sealed class SqliteDialect(string file) : IDialect
{
    /// <summary>How long a change waits for another process's.</summary>
    private const int BusySeconds = 30;

    private readonly string connectionString = new SqliteConnectionStringBuilder { DataSource = file, DefaultTimeout = BusySeconds, ForeignKeys = true }.ToString();

    public string BytesType => "BLOB";

    public string Now => "CAST(unixepoch('subsec') * 1000 AS INTEGER)";

    public async ValueTask<DbConnection> OpenAsync(CancellationToken cancellation)
    {
        var connection = new SqliteConnection(connectionString);
        try
        {
            await connection.OpenAsync(cancellation);
            await using var setup = connection.CreateCommand();
            // What is erased is overwritten, and does not stay behind in free pages.
            setup.CommandText = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON;";
            await setup.ExecuteNonQueryAsync(cancellation);
            return connection;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    public ValueTask<DbTransaction> BeginReadAsync(DbConnection connection, CancellationToken cancellation) =>
        ValueTask.FromResult<DbTransaction>(((SqliteConnection)connection).BeginTransaction(IsolationLevel.Serializable, deferred: true));

    public ValueTask<DbTransaction> BeginChangeAsync(DbConnection connection, CancellationToken cancellation) =>
        ValueTask.FromResult<DbTransaction>(((SqliteConnection)connection).BeginTransaction(IsolationLevel.Serializable, deferred: false));

    /// <summary>What was erased still stands in the write-ahead log, until that is emptied into the file.</summary>
    public async Task ScrubAsync(DbConnection connection, string table, CancellationToken cancellation)
    {
        await using var command = connection.CreateCommand();
        command.CommandText = "PRAGMA wal_checkpoint(TRUNCATE)";
        await command.ExecuteNonQueryAsync(cancellation);
    }

    /// <summary>One server has a file to itself: there is nobody to listen to.</summary>
    public Task<Task> ListenAsync(Action changed, CancellationToken cancellation) => Task.FromResult(Task.CompletedTask);

    public bool IsConnectionLost(DbException failure) => false;

    public void DropConnections() => SqliteConnection.ClearPool(new SqliteConnection(connectionString));

    /// <remarks>Source: sqlite.org/rescode.html.</remarks>
    public SlipwayException? Explain(DbException failure) => failure is not SqliteException { SqliteErrorCode: var code } ? null : code switch
    {
        5 or 6 => Missing("database-busy", $"another process has held {file} for {BusySeconds} s", "stop the other server of this folder, or use PostgreSQL"),
        8 => Missing("database-read-only", $"{file} may not be written", "make the folder writable for this user"),
        10 => Missing("database-io", $"{file} cannot be read or written: {failure.Message}", "check the disk"),
        11 or 26 => Missing("database-damaged", $"{file} is no SQLite database, or is damaged", "restore it from a backup; `slipway audit verify` checks the ledger in it"),
        13 => Missing("no-space", $"there is no space left for {file}", "free some space; nothing was half written"),
        14 => Missing("database-unreachable", $"{file} cannot be opened", "the folder must be there, and writable for this user"),
        _ => null,
    };

    public ValueTask DisposeAsync()
    {
        DropConnections();
        return ValueTask.CompletedTask;
    }

    private SlipwayException Missing(string code, string message, string help) => new(ExitCode.NotThere, new Fault(code, message, file, Help: help));
}
