using System.Diagnostics;
using Npgsql;
using Slipway.Primitives.Faults;
using Slipway.Server.Storage;
using Slipway.Tests.Primitives;

namespace Slipway.Tests.Server.Storage;

/// <summary>PostgreSQL goes away and comes back: what it had not committed did not happen, and nobody need start the server again.</summary>
public sealed class PostgresOutageTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_restart_between_two_calls_is_not_noticed()
    {
        await using var cluster = await PostgresCluster.StartAsync();
        await using var store = await OpenAsync(cluster);
        // Several connections are kept, and all of them will be dead.
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => CountAsync(store.Database)));
        await cluster.StopServerAsync();
        await cluster.StartServerAsync();
        Assert.Equal(0, await CountAsync(store.Database));
        await cluster.StopServerAsync();
        await cluster.StartServerAsync();
        await WriteAsync(store.Database, 1);
        Assert.Equal(1, await CountAsync(store.Database));
    }

    [Fact]
    public async Task A_server_without_its_database_lives_and_is_not_ready()
    {
        await using var cluster = await PostgresCluster.StartAsync();
        await using var server = await TestServer.StartAsync(DatabaseKind.Postgres, own: cluster);
        Assert.Equal((204, 204), (await AskAsync("live"), await AskAsync("ready")));
        await cluster.StopServerAsync();
        Assert.Equal((204, 503), (await AskAsync("live"), await AskAsync("ready")));
        await cluster.StartServerAsync();
        Assert.Equal(204, await AskAsync("ready"));

        async Task<int> AskAsync(string what)
        {
            using var anyone = new HttpClient { BaseAddress = server.Plane.Url };
            using var response = await anyone.GetAsync($"/health/{what}", Cancellation);
            Assert.DoesNotContain("Host", await response.Content.ReadAsStringAsync(Cancellation));
            return (int)response.StatusCode;
        }
    }

    [Fact]
    public async Task While_it_is_away_calls_say_so_and_then_go_on()
    {
        await using var cluster = await PostgresCluster.StartAsync();
        await using var store = await OpenAsync(cluster);
        await cluster.StopServerAsync();
        foreach (var call in new Func<Task>[] { () => CountAsync(store.Database), () => WriteAsync(store.Database, 1), store.OpenAgainAsync })
        {
            var away = await Assert.ThrowsAsync<SlipwayException>(call);
            Assert.Equal((ExitCode.NotThere, "database-unreachable"), (away.Exit, away.Faults[0].Code));
        }

        await cluster.StartServerAsync();
        await WriteAsync(store.Database, 2);
        Assert.Equal(1, await CountAsync(store.Database));
    }

    [Fact]
    public async Task A_connection_that_breaks_inside_a_change_makes_it_run_again_as_a_whole()
    {
        await using var store = await OpenAsync(await PostgresCluster.Shared);
        var runs = 0;
        await store.Database.ChangeAsync(
            async session =>
            {
                await session.ExecuteAsync("INSERT INTO notes (id) VALUES (@id)", new { id = 1 });
                if (++runs == 1)
                    await session.ExecuteAsync("SELECT pg_terminate_backend(pg_backend_pid())");
            },
            Cancellation);
        Assert.Equal((2, 1L), (runs, await CountAsync(store.Database)));
    }

    [Fact]
    public async Task A_connection_that_breaks_again_and_again_is_told()
    {
        await using var store = await OpenAsync(await PostgresCluster.Shared);
        var runs = 0;
        var told = await Assert.ThrowsAsync<SlipwayException>(() => store.Database.ChangeAsync(
            session =>
            {
                runs++;
                return session.ExecuteAsync("SELECT pg_terminate_backend(pg_backend_pid())");
            },
            Cancellation));
        Assert.Equal((2, "database-unreachable"), (runs, told.Faults[0].Code));
    }

    [Fact]
    public async Task A_connection_that_breaks_in_the_commit_leaves_the_outcome_unknown_and_is_not_tried_again()
    {
        await using var store = await OpenAsync(await PostgresCluster.Shared);
        await store.Database.ChangeAsync(
            session => session.ExecuteAsync(
                """
                CREATE FUNCTION break() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); PERFORM pg_sleep(60); RETURN NULL; END';
                CREATE CONSTRAINT TRIGGER at_commit AFTER INSERT ON notes DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION break();
                """),
            Cancellation);
        var (runs, told) = (0, 0);
        store.Database.Changed += () => told++;
        var unknown = await Assert.ThrowsAsync<SlipwayException>(() => store.Database.ChangeAsync(
            session =>
            {
                runs++;
                return session.ExecuteAsync("INSERT INTO notes (id) VALUES (1)");
            },
            Cancellation));
        Assert.Equal((1, "outcome-unknown"), (runs, unknown.Faults[0].Code));
        Assert.True(told > 0, "who watches looks again, since there may have been a change");
    }

    [Fact]
    public async Task A_change_by_another_server_is_told_here_after_a_lost_connection_too()
    {
        await using var store = await OpenAsync(await PostgresCluster.Shared);
        var other = await store.OpenAgainAsync();
        var told = 0;
        store.Database.Changed += () => Interlocked.Increment(ref told);
        await WriteAsync(other, 1);
        await Eventually.True(() => Volatile.Read(ref told) >= 1, Patience);
        await store.Database.ReadAsync(
            session => session.ExecuteAsync("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"), Cancellation);
        // Once when it listens again, and then for a change.
        Volatile.Write(ref told, 0);
        await WriteUntilToldAsync(other, () => Volatile.Read(ref told) > 1);
    }

    [Theory]
    [InlineData("Host=no-such-host.invalid;Username=slipway", ExitCode.NotThere, "database-unreachable")]
    [InlineData("Host=127.0.0.1;Port=1;Username=slipway", ExitCode.NotThere, "database-unreachable")]
    [InlineData("Username=slipway;Password=hush", ExitCode.UnusableInput, "bad-database")]
    [InlineData("Hostt=db;Password=hush", ExitCode.UnusableInput, "bad-database")]
    [InlineData("hush", ExitCode.UnusableInput, "bad-database")]
    public async Task A_database_that_is_not_there_is_told_without_the_password(string connection, ExitCode exit, string code)
    {
        var refused = await Assert.ThrowsAsync<SlipwayException>(() => Database.OpenAsync(connection, "", Cancellation));
        Assert.Equal((exit, code), (refused.Exit, refused.Faults[0].Code));
        Assert.DoesNotContain("hush", refused.ToString());
    }

    [Fact]
    public async Task An_unknown_database_and_a_role_without_rights_are_told()
    {
        var cluster = await PostgresCluster.Shared;
        await using var store = await OpenAsync(cluster);
        var settings = new NpgsqlConnectionStringBuilder(store.Connection) { Database = "no_such", Pooling = false };
        Assert.Equal("database-refused", (await Assert.ThrowsAsync<SlipwayException>(() => Database.OpenAsync(settings.ConnectionString, "", Cancellation))).Faults[0].Code);
        await store.Database.ChangeAsync(session => session.ExecuteAsync("DROP ROLE IF EXISTS weak; CREATE ROLE weak LOGIN"), Cancellation);
        settings = new NpgsqlConnectionStringBuilder(store.Connection) { Username = "weak", Pooling = false };
        Assert.Equal("database-refused", (await Assert.ThrowsAsync<SlipwayException>(() => Database.OpenAsync(settings.ConnectionString, "", Cancellation))).Faults[0].Code);
    }

    private static async Task WriteUntilToldAsync(Database database, Func<bool> told)
    {
        for (var clock = Stopwatch.StartNew(); !told(); await Task.Delay(20, Cancellation))
        {
            Assert.True(clock.Elapsed < Patience, "nobody was told");
            await database.ChangeAsync(session => session.ExecuteAsync("DELETE FROM notes"), Cancellation);
        }
    }

    private static async Task<TestDatabase> OpenAsync(PostgresCluster cluster)
    {
        var store = await TestDatabase.PrepareAsync(DatabaseKind.Postgres, cluster);
        await (await store.OpenAgainAsync()).ChangeAsync(session => session.ExecuteAsync("CREATE TABLE notes (id BIGINT PRIMARY KEY)"), Cancellation);
        return store;
    }

    private static Task WriteAsync(Database database, long id) =>
        database.ChangeAsync(session => session.ExecuteAsync("INSERT INTO notes (id) VALUES (@id)", new { id }), Cancellation);

    private static Task<long> CountAsync(Database database) => database.ReadAsync(session => session.FindAsync<long>("SELECT COUNT(*) FROM notes"), Cancellation);
}
