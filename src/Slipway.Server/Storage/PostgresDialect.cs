using System.Data;
using System.Data.Common;
using Npgsql;
using Slipway.Primitives.Faults;

namespace Slipway.Server.Storage;

/// <summary>PostgreSQL, shared by several servers.</summary>
internal sealed class PostgresDialect : IDialect
{
    /// <summary>Of the advisory lock that changes take: "slipway" in ASCII.</summary>
    private const long ChangeLock = 0x736C6970776179;

    private readonly NpgsqlDataSource source;

    private PostgresDialect(NpgsqlDataSource source) => this.source = source;

    public string BytesType => "BYTEA";

    public string Now => "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)";

    /// <exception cref="SlipwayException">No connection string (exit 2); it is never repeated in a message, since it may hold a password.</exception>
    public static PostgresDialect Parse(string connection)
    {
        try
        {
            return new PostgresDialect(NpgsqlDataSource.Create(connection));
        }
        catch (Exception e) when (e is ArgumentException or FormatException)
        {
            throw new SlipwayException(ExitCode.UnusableInput, new Fault("bad-database", "the database's connection string is malformed", Help: "such as 'Host=db.example.org;Database=slipway;Username=slipway'; the password from PGPASSWORD or a passfile"));
        }
    }

    public async ValueTask<DbConnection> OpenAsync(CancellationToken cancellation) => await source.OpenConnectionAsync(cancellation);

    public async ValueTask<DbTransaction> BeginReadAsync(DbConnection connection, CancellationToken cancellation) =>
        await connection.BeginTransactionAsync(IsolationLevel.RepeatableRead, cancellation);

    public async ValueTask<DbTransaction> BeginChangeAsync(DbConnection connection, CancellationToken cancellation)
    {
        var transaction = await connection.BeginTransactionAsync(IsolationLevel.ReadCommitted, cancellation);
        try
        {
            await using var command = connection.CreateCommand();
            command.Transaction = transaction;
            command.CommandText = $"SELECT pg_advisory_xact_lock({ChangeLock})";
            await command.ExecuteNonQueryAsync(cancellation);
            return transaction;
        }
        catch
        {
            await transaction.DisposeAsync();
            throw;
        }
    }

    /// <remarks>Source: PostgreSQL's appendix A, error codes: 08 connection, 28 authorization, 3D no such database, 42501 privilege, 53 resources, 57 operator intervention.</remarks>
    public SlipwayException? Explain(DbException failure) => failure switch
    {
        PostgresException { SqlState: ['5', '3', ..] } => Missing("no-space", "PostgreSQL is out of a resource, such as disk space or connections"),
        PostgresException { SqlState: ['0', '8', ..] or ['5', '7', ..] } => Missing("database-unreachable", "PostgreSQL ended the connection"),
        PostgresException { SqlState: ['2', '8', ..] or ['3', 'D', ..] or "42501" } refused => Missing("database-refused", $"PostgreSQL refuses: {refused.MessageText}"),
        PostgresException => null,
        NpgsqlException => Missing("database-unreachable", "PostgreSQL does not answer"),
        _ => null,
    };

    public ValueTask DisposeAsync() => source.DisposeAsync();

    private static SlipwayException Missing(string code, string message) =>
        new(ExitCode.NotThere, new Fault(code, message, Help: "nothing was half written; the server goes on when the database is back"));
}
