using System.Data.Common;
using Dapper;

namespace Slipway.Server.Storage;

/// <summary>One transaction. SQL is the common part of SQLite and PostgreSQL: parameters as <c>@name</c>, times and truth as BIGINT, documents as TEXT.</summary>
internal sealed class Session(DbConnection connection, DbTransaction transaction, IDialect dialect, CancellationToken cancellation)
{
    public CancellationToken Cancellation => cancellation;

    public async Task<IReadOnlyList<T>> QueryAsync<T>(string sql, object? parameters = null) =>
        [.. await connection.QueryAsync<T>(Command(sql, parameters))];

    /// <returns>The one row, or the default when there is none.</returns>
    public Task<T?> FindAsync<T>(string sql, object? parameters = null) => connection.QuerySingleOrDefaultAsync<T?>(Command(sql, parameters));

    /// <returns>How many rows were changed.</returns>
    public Task<int> ExecuteAsync(string sql, object? parameters = null) => connection.ExecuteAsync(Command(sql, parameters));

    /// <summary>The database's clock, Unix milliseconds: the same for all servers. It may step.</summary>
    public Task<long> NowAsync() => connection.ExecuteScalarAsync<long>(Command($"SELECT {dialect.Now}", null));

    /// <summary>Runs statements of a migration, whose <c>{bytes}</c> is the dialect's type of byte strings.</summary>
    public Task MigrateAsync(string sql) => connection.ExecuteAsync(Command(sql.Replace("{bytes}", dialect.BytesType, StringComparison.Ordinal), null));

    private CommandDefinition Command(string sql, object? parameters) => new(sql, parameters, transaction, cancellationToken: cancellation);
}
