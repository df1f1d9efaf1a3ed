using System.Text.Json.Nodes;
using Slipway.Tests.Server.Storage;

namespace Slipway.EndToEnd;

/// <summary>A server on PostgreSQL and a gateway, as processes of their own.</summary>
public sealed class PostgresTests(SealedProject original) : IClassFixture<SealedProject>, IDisposable
{
    private readonly string root = Directory.CreateTempSubdirectory("slipway-postgres-").FullName;

    private TinyProject Project => original.Project;

    public void Dispose()
    {
        Project.Variables.Clear();
        Directory.Delete(root, recursive: true);
    }

    [Fact]
    public async Task A_bundle_goes_to_production_and_a_server_that_is_started_again_knows_all_of_it()
    {
        var database = await (await PostgresCluster.Shared).CreateDatabaseAsync();
        using var server = await StartServerAsync(database, "0");
        using var team = new Team(server.Url("api"), server.AdminToken!);
        await team.TrustKeyOfAsync(Project);
        Project.Variables["SLIPWAY_SERVER"] = team.Url.ToString();
        var (author, approver, edge) = (await team.MakeAsync("bob", "person", "author"), await team.MakeAsync("ann", "person", "approver"), await team.MakeAsync("edge", "service", "gateway"));
        As(author, "push", "tiny", "--reason", "the first one", "--plan-from", Project.SpecOfSwitching(root));
        As(author, "promote", "tiny@1", "--to", "production", "--reason", "for all to use");
        As(approver, "approve", "tiny.1", "--reason", "it was looked at");

        Project.Variables["SLIPWAY_TOKEN"] = edge;
        using var gateway = await Running.StartAsync(Project, "gateway", "--server", team.Url.ToString(), "--channel", "production", "--port", "0", "--folder", Path.Combine(root, "gateway"));
        using var client = new HttpClient { BaseAddress = gateway.Url("production") };
        As(team.Token, "release", "tiny@1", "--reason", "for all to use", "--wait");
        await Team.UntilReadyAsync(client);
        Assert.Equal("1", await Team.PredictAsync(client));
        server.Stop();

        using var again = await StartServerAsync(database, team.Url.Port.ToString());
        Assert.Null(again.AdminToken);
        Assert.False(File.Exists(Path.Combine(root, "server/server.db")));
        await gateway.UntilLogAsync("answers again");
        Assert.Contains("production: version 1", As(team.Token, "models", "tiny").Output);
        Assert.Contains("promoted        version none → 1, live: 1", As(team.Token, "history", "tiny").Output);
        As(author, "promote", "tiny@1", "--to", "staging", "--reason", "there too");
        As(team.Token, "audit", "verify");
        Assert.Equal("1", await Team.PredictAsync(client));

        again.Kill();
        using var last = await StartServerAsync(database, team.Url.Port.ToString());
        As(team.Token, "audit", "verify");
        Assert.Contains("tiny.2  tiny@1 to staging", As(team.Token, "models", "tiny").Output);
        gateway.Stop();
        last.Stop();
    }

    [Fact]
    public void A_database_that_is_misspelt_or_not_there_is_told_without_its_password()
    {
        var misspelt = Project.Run("server", "--folder", Path.Combine(root, "server"), "--port", "0", "--database", "Hots=db;Password=secret-1");
        Assert.True(misspelt.Code == 2, misspelt.All);
        Assert.Contains("the database's connection string is malformed", misspelt.Errors);
        var away = Project.Run("server", "--folder", Path.Combine(root, "server"), "--port", "0", "--database", $"Host={root};Username=nobody;Password=secret-1;Timeout=2");
        Assert.True(away.Code == 3, away.All);
        Assert.DoesNotContain("secret-1", misspelt.All + away.All);
    }

    private Task<Running> StartServerAsync(string database, string port) =>
        Running.StartAsync(Project, "server", "--folder", Path.Combine(root, "server"), "--port", port, "--database", database);

    private Ended As(string token, params string[] arguments)
    {
        Project.Variables["SLIPWAY_TOKEN"] = token;
        var ended = Project.Run(arguments);
        Assert.True(ended.Code == 0, ended.All);
        return ended;
    }
}
