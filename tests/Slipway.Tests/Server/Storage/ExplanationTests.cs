using System.Data.Common;
using Microsoft.Data.Sqlite;
using Npgsql;
using Slipway.Primitives.Faults;
using Slipway.Server.Storage;

namespace Slipway.Tests.Server.Storage;

/// <summary>What the stores' own failures are told as, where a test cannot bring them about in seconds.</summary>
public sealed class ExplanationTests
{
    [Theory]
    [InlineData(5, "database-busy")]
    [InlineData(6, "database-busy")]
    [InlineData(8, "database-read-only")]
    [InlineData(10, "database-io")]
    [InlineData(11, "database-damaged")]
    [InlineData(13, "no-space")]
    [InlineData(14, "database-unreachable")]
    [InlineData(19, null)]
    public async Task Sqlite_says_so_in_numbers(int number, string? code)
    {
        await using var dialect = new SqliteDialect("server.db");
        Check(dialect, new SqliteException("", number), code);
    }

    [Theory]
    [InlineData("53100", "no-space")]
    [InlineData("53300", "no-space")]
    [InlineData("55P03", "database-busy")]
    [InlineData("25006", "database-read-only")]
    [InlineData("25P03", "database-unreachable")]
    [InlineData("57P01", "database-unreachable")]
    [InlineData("08006", "database-unreachable")]
    [InlineData("42501", "database-refused")]
    [InlineData("23505", null)]
    [InlineData("42P01", null)]
    public async Task Postgres_says_so_in_codes(string state, string? code)
    {
        await using var dialect = PostgresDialect.Parse("Host=localhost");
        Check(dialect, new PostgresException("", "ERROR", "ERROR", state), code);
    }

    /// <summary>A mistake of ours is not told as something that a person could mend.</summary>
    private static void Check(IDialect dialect, DbException failure, string? code)
    {
        var explained = dialect.Explain(failure);
        Assert.Equal(code, explained?.Faults[0].Code);
        Assert.True(explained is null or { Exit: ExitCode.NotThere });
    }
}
