using System.Globalization;
using Npgsql;
using Slipway.Primitives.Processes;
using Slipway.Tests.Primitives;

[assembly: AssemblyFixture(typeof(Slipway.Tests.Server.Storage.PostgresCluster.AtTheEnd))]

namespace Slipway.Tests.Server.Storage;

/// <summary>
/// The real PostgreSQL on a folder and a Unix socket of its own. It refuses to run as root, so root becomes another user for it.
/// The kernel kills it with this process, however that ends.
/// </summary>
/// <remarks>Nothing is flushed: a test may stop and start it, but not the machine.</remarks>
internal sealed class PostgresCluster : IAsyncDisposable
{
    private const string Superuser = "slipway";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private static readonly Lazy<Task<PostgresCluster>> shared = new(StartAsync);

    private readonly string folder;
    private ChildProcess? server;
    private int databases;

    private PostgresCluster(string folder) => this.folder = folder;

    /// <summary>The one of this test run, started when first asked for. A test that stops the server starts its own.</summary>
    public static Task<PostgresCluster> Shared
    {
        get
        {
            SkipWhereMissing();
            return shared.Value;
        }
    }

    private static string? Programs { get; } = FindPrograms();

    private string Data => Path.Combine(folder, "data");

    private string Log => Path.Combine(folder, "log");

    /// <summary>Skips the running test where PostgreSQL is not installed.</summary>
    public static void SkipWhereMissing() => Assert.SkipWhen(Programs is null, "postgresql is not installed");

    public static async Task<PostgresCluster> StartAsync()
    {
        SkipWhereMissing();
        var cluster = new PostgresCluster($"/tmp/slipway-pg-{Environment.ProcessId}-{Guid.CreateVersion7():n}"[..40]);
        await cluster.RunAsync("mkdir", "-m", "700", cluster.folder);
        await cluster.RunAsync(
            Path.Combine(Programs!, "initdb"), "--pgdata", cluster.Data, "--auth=trust", "--username", Superuser, "--encoding=UTF8", "--no-locale", "--no-sync", "--no-instructions");
        await cluster.StartServerAsync();
        return cluster;
    }

    /// <summary>Makes an empty database, and gives the connection string to it.</summary>
    public async Task<string> CreateDatabaseAsync()
    {
        var name = string.Create(CultureInfo.InvariantCulture, $"test_{Interlocked.Increment(ref databases)}");
        await ExecuteAsync($"CREATE DATABASE {name}");
        return ConnectionTo(name);
    }

    public Task DropDatabaseAsync(string connection) =>
        ExecuteAsync($"DROP DATABASE {new NpgsqlConnectionStringBuilder(connection).Database} WITH (FORCE)");

    /// <summary>Runs a statement as the superuser, outside every test's database.</summary>
    public async Task ExecuteAsync(string sql)
    {
        await using var connection = new NpgsqlConnection(ConnectionTo("postgres"));
        await connection.OpenAsync();
        await using var command = connection.CreateCommand();
        command.CommandText = sql;
        await command.ExecuteNonQueryAsync();
    }

    public async Task StartServerAsync()
    {
        // Few buffers and no flushing: what is tested is what it answers, not the disk.
        server = ChildProcess.Start(Command(
            Path.Combine(Programs!, "postgres"), "-D", Data, "-k", folder, "-c", "listen_addresses=", "-c", "fsync=off", "-c", "full_page_writes=off",
            "-c", "shared_buffers=16MB", "-c", "max_connections=400", "-c", "autovacuum=off", "-c", "dynamic_shared_memory_type=mmap"));
        await Eventually.True(() => IsUp || server.Exited.IsCompleted, Patience);
        Assert.False(server.Exited.IsCompleted, $"PostgreSQL ended: {File.ReadAllText(Log)}");
    }

    /// <summary>Ends it as <c>pg_ctl stop -m immediate</c> does: connections are cut, nothing is finished.</summary>
    public async Task StopServerAsync()
    {
        if (server is null)
            return;
        await RunAsync(Path.Combine(Programs!, "pg_ctl"), "stop", "--pgdata", Data, "--mode", "immediate", "--silent");
        await server.Exited;
        await server.DisposeAsync();
        server = null;
    }

    public async ValueTask DisposeAsync()
    {
        await StopServerAsync();
        Directory.Delete(folder, recursive: true);
    }

    private bool IsUp
    {
        get
        {
            try
            {
                using var connection = new NpgsqlConnection(ConnectionTo("postgres"));
                connection.Open();
                return true;
            }
            catch (NpgsqlException)
            {
                return false;
            }
        }
    }

    private string ConnectionTo(string database) =>
        new NpgsqlConnectionStringBuilder { Host = folder, Username = Superuser, Database = database, Pooling = database != "postgres", MaxPoolSize = 20 }.ConnectionString;

    private async Task RunAsync(params string[] line)
    {
        var exit = await ChildProcess.RunAsync(Command(line), Patience, CancellationToken.None);
        Assert.True(exit.Succeeded, $"{line[0]} {exit}: {(File.Exists(Log) ? File.ReadAllText(Log) : "")}");
    }

    private ChildCommand Command(params string[] line)
    {
        // Becoming another user clears the parent-death signal, so setpriv sets it anew.
        string[] other = Environment.IsPrivilegedProcess ? ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", "--pdeathsig=KILL", "--"] : [];
        var log = Directory.Exists(folder) ? Log : null;
        return new([.. other, .. line], "/tmp", new Dictionary<string, string> { ["PATH"] = "/usr/bin:/bin:/usr/sbin:/sbin", ["TZ"] = "UTC", ["LC_ALL"] = "C" }, log, log);
    }

    private static string? FindPrograms() =>
        (Directory.Exists("/usr/lib/postgresql") ? Directory.GetDirectories("/usr/lib/postgresql") : [])
            .OrderByDescending(version => int.TryParse(Path.GetFileName(version), out var number) ? number : 0)
            .Select(version => Path.Combine(version, "bin"))
            .Concat((Environment.GetEnvironmentVariable("PATH") ?? "").Split(':', StringSplitOptions.RemoveEmptyEntries))
            .FirstOrDefault(bin => File.Exists(Path.Combine(bin, "initdb")) && File.Exists(Path.Combine(bin, "postgres")));

    /// <summary>Stops the shared one when all tests have run.</summary>
    public sealed class AtTheEnd : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            if (shared.IsValueCreated)
                await (await shared.Value).DisposeAsync();
        }
    }
}
