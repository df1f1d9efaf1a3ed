using System.Text.Json;

namespace Slipway.EndToEnd;

/// <summary>Signing in, and who may do what, by the command line against a server of its own.</summary>
public sealed class AccessTests : IAsyncLifetime
{
    private readonly TinyProject project = new();
    private Running server = null!;

    private string Logins => Path.Combine(project.Home, ".config/slipway/logins.json");

    private string Address => server.Url("api").ToString();

    public async ValueTask InitializeAsync() => server = await Running.StartAsync(project, "server", "--port", "0");

    public ValueTask DisposeAsync()
    {
        server.Dispose();
        project.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public void Who_logs_in_is_remembered_and_nobody_else_can_read_it()
    {
        var login = Done(project.RunWith(server.AdminToken + "\n", "login", Address, "--token-stdin"));
        Assert.Contains("admin", login.Output);
        Assert.DoesNotContain(server.AdminToken!, login.All);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Logins));
        Assert.Contains("you are   admin", Done(project.Run("access", "whoami")).Output);
    }

    [Theory]
    [InlineData("slw_0000000000000000000000000000000000000000000000000000000000000000", 3, "not known here")]
    [InlineData("two words", 2, "no token")]
    [InlineData("", 2, "no token")]
    public void What_proves_nothing_is_not_kept(string token, int code, string says)
    {
        var refused = project.RunWith(token, "login", Address, "--token-stdin");
        Assert.Equal(code, refused.Code);
        Assert.Contains(says, refused.Errors);
        Assert.False(File.Exists(Logins));
    }

    [Fact]
    public void Where_nobody_can_type_a_login_says_how_else()
    {
        var refused = project.Run("login", Address);
        Assert.Equal(3, refused.Code);
        Assert.Contains("--token-stdin", refused.Errors);
    }

    [Fact]
    public void A_team_is_set_up_and_changed()
    {
        Done(project.RunWith(server.AdminToken!, "login", Address, "--token-stdin"));
        Done(project.Run("access", "principal", "add", "alice", "--group", "ml", "--role", "viewer", "--reason", "she joined"));
        Done(project.Run("access", "principal", "add", "ci", "--service", "--role", "author:tiny", "--reason", "builds push"));
        Assert.Contains("viewer of all models, approver of tiny; groups ml", Done(project.Run("access", "grant", "alice", "approver", "tiny", "--reason", "she reviews")).Output);
        Assert.Contains("groups ml, release", Done(project.Run("access", "principal", "change", "alice", "--join", "release", "--reason", "x")).Output);
        var list = Done(project.Run("access", "principals")).Output;
        Assert.Contains("ci (service): author of tiny", list);

        var token = Done(project.Run("access", "token", "new", "ci", "--scope", "author:tiny", "--days", "7", "--reason", "the build"));
        Assert.Matches("^slw_[0-9a-f]{64}\n$", token.Output);
        project.Variables["SLIPWAY_TOKEN"] = token.Output.Trim();
        Assert.Contains("author of tiny", Done(project.Run("access", "whoami")).Output);
        var refused = project.Run("access", "principals");
        Assert.Equal(3, refused.Code);
        Assert.Contains("ci may not administer here", refused.Errors);
        project.Variables.Clear();

        var id = JsonDocument.Parse(Done(project.Run("access", "token", "list", "--all", "--json")).Output).RootElement.GetProperty("tokens").EnumerateArray().Single(found => found.GetProperty("label").GetString() == "token").GetProperty("id").GetString()!;
        Assert.Contains("ci, token: until", Done(project.Run("access", "token", "list", "--all")).Output);
        Assert.Contains(id, Done(project.Run("access", "token", "revoke", id, "--reason", "done with")).Output);
        Assert.Contains("revoked before", Done(project.Run("access", "token", "revoke", id, "--reason", "again")).Output);

        project.MakeKey();
        var file = Path.Combine(project.Home, ".config/slipway/keys/default.key.pub");
        Assert.Contains("builder, of alice", Done(project.Run("access", "key", "add", file, "--name", "alice's", "--role", "builder", "--owner", "alice", "--reason", "she seals")).Output);
        Assert.Contains("revoked", Done(project.Run("access", "key", "revoke", "alice's", "--reason", "laptop lost")).Output);
        Assert.Contains("laptop lost", Done(project.Run("access", "key", "list")).Output);
        Assert.Contains("disabled", Done(project.Run("access", "principal", "change", "alice", "--disable", "--reason", "left")).Output);
    }

    [Theory]
    [InlineData("grant bob author --reason x", 2, "no principal 'bob'")]
    [InlineData("grant admin autor --reason x", 2, "did you mean author?")]
    [InlineData("grant admin author", 2, "--reason")]
    [InlineData("revoke admin admin --reason x", 1, "the last administrator")]
    [InlineData("token new --days 1000 --reason x", 2, "allowed are 1 to 366")]
    [InlineData("key revoke 12345678 --reason x", 2, "no trusted key")]
    [InlineData("principal change admin --disable --enable --reason x", 2, "exclude each other")]
    public void What_cannot_be_says_what_can(string line, int code, string says)
    {
        project.Variables["SLIPWAY_TOKEN"] = server.AdminToken!;
        project.Variables["SLIPWAY_SERVER"] = Address;
        var refused = project.Run(["access", .. line.Split(' ')]);
        Assert.True(refused.Code == code, refused.All);
        Assert.Contains(says, refused.Errors);
    }

    private static Ended Done(Ended ended)
    {
        Assert.True(ended.Code == 0, ended.All);
        return ended;
    }
}
