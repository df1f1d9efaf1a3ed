using System.Data;
using System.Data.Common;
using System.Globalization;
using System.Security.Cryptography;
using Npgsql;
using Slipway.Primitives.Faults;

namespace Slipway.Server.Storage;

/// <summary>PostgreSQL, shared by several servers.</summary>
internal sealed class PostgresDialect : IDialect
{
    /// <summary>Of the advisory lock that changes take: "slipway" in ASCII.</summary>
    private const long ChangeLock = 0x736C6970776179;

    /// <summary>Changes take milliseconds: who waits this long for the lock waits for something that hangs.</summary>
    private const int LockSeconds = 30;

    /// <summary>A server that stops in the middle of a change (paused, cut off) loses it, and the lock, after that.</summary>
    private const int IdleSeconds = 60;

    /// <summary>Notices a connection that is dead without a word, while listening.</summary>
    private const int KeepAliveSeconds = 30;

    private const string Channel = "slipway_changes";

    private static readonly TimeSpan ListenAgainAfter = TimeSpan.FromSeconds(1);

    private readonly NpgsqlDataSource source;

    /// <summary>Tells this process's changes from others' among the notifications.</summary>
    private readonly string self = RandomNumberGenerator.GetHexString(16);

    /// <summary>Host, port and database, for messages.</summary>
    private readonly string where;

    private PostgresDialect(NpgsqlDataSource source, string where) => (this.source, this.where) = (source, where);

    public string BytesType => "BYTEA";

    public string Now => "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)";

    /// <exception cref="SlipwayException">No connection string (exit 2); it is never repeated in a message, since it may hold a password.</exception>
    public static PostgresDialect Parse(string connection)
    {
        try
        {
            var settings = new NpgsqlConnectionStringBuilder(connection);
            if (string.IsNullOrEmpty(settings.Host))
                throw new FormatException("no host");
            if (settings.KeepAlive == 0)
                settings.KeepAlive = KeepAliveSeconds;
            return new PostgresDialect(NpgsqlDataSource.Create(settings), $"{settings.Host}:{settings.Port}, database {settings.Database ?? settings.Username}");
        }
        catch (Exception e) when (e is ArgumentException or FormatException)
        {
            throw new SlipwayException(ExitCode.UnusableInput, new Fault("bad-database", "the database's connection string is malformed", Help: "such as 'Host=db.example.org;Database=slipway;Username=slipway'; the password from PGPASSWORD or a passfile"));
        }
    }

    public async ValueTask<DbConnection> OpenAsync(CancellationToken cancellation)
    {
        try
        {
            return await source.OpenConnectionAsync(cancellation);
        }
        catch (System.Net.Sockets.SocketException e)
        {
            // A host name that leads nowhere comes as it is.
            throw new NpgsqlException("the host is not found", e);
        }
    }

    public async ValueTask<DbTransaction> BeginReadAsync(DbConnection connection, CancellationToken cancellation) =>
        await connection.BeginTransactionAsync(IsolationLevel.RepeatableRead, cancellation);

    public async ValueTask<DbTransaction> BeginChangeAsync(DbConnection connection, CancellationToken cancellation)
    {
        // Read committed: what a change reads after it has the lock is what the change before it wrote.
        var transaction = await connection.BeginTransactionAsync(IsolationLevel.ReadCommitted, cancellation);
        try
        {
            await using var command = connection.CreateCommand();
            command.Transaction = transaction;
            command.CommandTimeout = LockSeconds + IdleSeconds;
            // The notification goes out when the change is committed, and not at all when it is not.
            command.CommandText = string.Create(
                CultureInfo.InvariantCulture,
                $"SET LOCAL lock_timeout = '{LockSeconds}s'; SET LOCAL idle_in_transaction_session_timeout = '{IdleSeconds}s'; SELECT pg_advisory_xact_lock({ChangeLock}); SELECT pg_notify('{Channel}', '{self}')");
            await command.ExecuteNonQueryAsync(cancellation);
            return transaction;
        }
        catch
        {
            await transaction.DisposeAsync();
            throw;
        }
    }

    public async Task<Task> ListenAsync(Action changed, CancellationToken cancellation) =>
        KeepListeningAsync(await SubscribeAsync(changed, cancellation), changed, cancellation);

    /// <summary>The row as it was before stands in the table until it is vacuumed. What is in the server's write-ahead archive is its keeper's.</summary>
    public async Task ScrubAsync(DbConnection connection, string table, CancellationToken cancellation)
    {
        await using var command = connection.CreateCommand();
        command.CommandText = $"VACUUM {table}";
        await command.ExecuteNonQueryAsync(cancellation);
    }

    /// <remarks>57P01 to 57P03: shut down, crashed, starting. A timeout is none: the next try would wait as long.</remarks>
    public bool IsConnectionLost(DbException failure) => failure switch
    {
        PostgresException { SqlState: ['0', '8', ..] or ['5', '7', 'P', '0', '1' or '2' or '3'] } => true,
        PostgresException => false,
        NpgsqlException { InnerException: not TimeoutException } => true,
        _ => false,
    };

    public void DropConnections() => source.Clear();

    /// <remarks>
    /// Source: PostgreSQL's appendix A, error codes: 08 connection, 22021 and 22P05 characters that it cannot hold, 25006 read-only, 28 authorization,
    /// 3D no such database, 42501 privilege, 53 resources, 55P03 lock, 57 operator intervention.
    /// </remarks>
    public SlipwayException? Explain(DbException failure) => failure switch
    {
        PostgresException { SqlState: "22021" or "22P05" } => new(ExitCode.UnusableInput, new Fault("bad-text", "a text holds a character that cannot be stored, such as U+0000")),
        PostgresException { SqlState: "25006" } => Missing("database-read-only", "PostgreSQL is read-only, as a standby is"),
        PostgresException { SqlState: "55P03" } => Missing("database-busy", $"another server has held the lock of changes for {LockSeconds} s"),
        PostgresException { SqlState: ['5', '3', ..] } => Missing("no-space", "PostgreSQL is out of a resource, such as disk space or connections"),
        PostgresException { SqlState: ['0', '8', ..] or ['5', '7', ..] or "25P03" } => Missing("database-unreachable", "PostgreSQL ended the connection"),
        PostgresException { SqlState: ['2', '8', ..] or ['3', 'D', ..] or "42501" } refused => Missing("database-refused", $"PostgreSQL refuses: {refused.MessageText}"),
        PostgresException => null,
        NpgsqlException => Missing("database-unreachable", "PostgreSQL does not answer"),
        _ => null,
    };

    public ValueTask DisposeAsync() => source.DisposeAsync();

    private async Task<NpgsqlConnection> SubscribeAsync(Action changed, CancellationToken cancellation)
    {
        var connection = await source.OpenConnectionAsync(cancellation);
        try
        {
            connection.Notification += (_, notice) =>
            {
                if (notice.Payload != self)
                    changed();
            };
            await using var command = new NpgsqlCommand($"LISTEN {Channel}", connection);
            await command.ExecuteNonQueryAsync(cancellation);
            return connection;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    private async Task KeepListeningAsync(NpgsqlConnection? connection, Action changed, CancellationToken cancellation)
    {
        try
        {
            while (true)
            {
                try
                {
                    if (connection is null)
                    {
                        await Task.Delay(ListenAgainAfter, cancellation);
                        connection = await SubscribeAsync(changed, cancellation);
                        // What happened while nobody listened is not told again.
                        changed();
                    }

                    await connection.WaitAsync(cancellation);
                }
                catch (Exception e) when (e is DbException or IOException or System.Net.Sockets.SocketException)
                {
                    if (connection is not null)
                        await connection.DisposeAsync();
                    connection = null;
                }
            }
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            if (connection is not null)
                await connection.DisposeAsync();
        }
    }

    private SlipwayException Missing(string code, string message) => new(ExitCode.NotThere, new Fault(
        code, $"{message} ({where})", Help: "nothing was half written, and a server that runs goes on when the database is back; one that starts wants it there, as --database names it"));
}
