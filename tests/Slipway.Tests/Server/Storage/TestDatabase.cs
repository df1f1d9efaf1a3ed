using Slipway.Server.Storage;
using Slipway.Tests.Primitives;

namespace Slipway.Tests.Server.Storage;

/// <summary>Which of the two stores a test runs on. Take it as a theory's argument: <c>[Theory, MemberData(nameof(TestDatabase.Kinds), MemberType = typeof(TestDatabase))]</c>.</summary>
public enum DatabaseKind
{
    Sqlite,
    Postgres,
}

/// <summary>An empty store of a test's own, with the schema applied; gone when the test ends.</summary>
internal sealed class TestDatabase : IAsyncDisposable
{
    private readonly TestFolder folder = new();
    private readonly List<Database> opened = [];
    private readonly PostgresCluster? cluster;

    private TestDatabase(PostgresCluster? cluster, string? connection) => (this.cluster, Connection) = (cluster, connection);

    public static TheoryData<DatabaseKind> Kinds => [.. Enum.GetValues<DatabaseKind>()];

    public Database Database => opened[0];

    /// <summary>What <c>ServerOptions.Database</c> takes: null for SQLite.</summary>
    public string? Connection { get; }

    /// <summary>What <c>ServerOptions.Folder</c> takes.</summary>
    public string Folder => folder.Root;

    public string File => Path.Combine(Folder, "server.db");

    /// <summary>Opens a store that nothing was written to.</summary>
    public static async Task<TestDatabase> OpenAsync(DatabaseKind kind)
    {
        var store = await PrepareAsync(kind);
        try
        {
            await store.OpenAgainAsync();
            return store;
        }
        catch
        {
            await store.DisposeAsync();
            throw;
        }
    }

    /// <summary>As <see cref="OpenAsync"/>, without the schema: for a program that opens it itself.</summary>
    public static async Task<TestDatabase> PrepareAsync(DatabaseKind kind, PostgresCluster? own = null)
    {
        var cluster = kind == DatabaseKind.Postgres ? own ?? await PostgresCluster.Shared : null;
        return new(cluster, cluster is null ? null : await cluster.CreateDatabaseAsync());
    }

    /// <summary>Opens the same store once more, as another server's process would.</summary>
    public async Task<Database> OpenAgainAsync()
    {
        var database = await Database.OpenAsync(Connection, File, TestContext.Current.CancellationToken);
        opened.Add(database);
        return database;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var database in opened)
            await database.DisposeAsync();
        if (cluster is not null)
            await cluster.DropDatabaseAsync(Connection!);
        folder.Dispose();
    }
}
