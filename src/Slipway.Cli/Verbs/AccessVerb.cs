using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;
using Slipway.Documents.Access;
using Slipway.Primitives.Faults;

namespace Slipway.Cli.Verbs;

/// <summary><c>slipway access</c>: who may do what on a server.</summary>
internal static class AccessVerb
{
    public static Command Build(GlobalOptions global) => new("access", "Who may do what on the server: people, programs, roles, tokens and trusted keys.\nExample: slipway access grant alice author flight-delay --reason 'she joined the team'")
    {
        WhoAmI(global),
        List(global),
        new Command("principal", "People and programs.\nExample: slipway access principal add alice --role viewer --reason 'she joined'") { AccessPrincipal.Add(global), AccessPrincipal.Change(global) },
        AccessPrincipal.Grant(global),
        AccessPrincipal.Revoke(global),
        new Command("token", "API tokens.\nExample: slipway access token new --label laptop --reason 'for my laptop'") { AccessToken.Make(global), AccessToken.New(global), AccessToken.List(global), AccessToken.Revoke(global) },
        new Command("key", "Keys whose signatures the server believes.\nExample: slipway access key add ci.key.pub --role builder --reason 'the key of our builds'") { AccessKey.Add(global), AccessKey.List(global), AccessKey.Revoke(global) },
    };

    private static Command WhoAmI(GlobalOptions global)
    {
        var server = ServerClient.ServerOption();
        var verb = new Command("whoami", "Tells who you are to the server, and what you may do.\nExample: slipway access whoami") { server };
        verb.SetAction(async (parsed, cancellation) =>
        {
            var shell = global.Shell(parsed);
            using var client = ServerClient.Open(parsed.GetValue(server));
            var identity = await client.GetAsync("/api/v1/whoami", AccessJson.Default.Identity, cancellation);
            if (shell.Json)
                shell.WriteJson(JsonSerializer.SerializeToNode(identity, AccessJson.Default.Identity)!);
            else
                AccessText.Tell(shell, identity);
            return (int)ExitCode.Done;
        });
        return verb;
    }

    private static Command List(GlobalOptions global)
    {
        var server = ServerClient.ServerOption();
        var verb = new Command("principals", "Lists people and programs, with their roles.\nExample: slipway access principals") { server };
        verb.SetAction(async (parsed, cancellation) =>
        {
            var shell = global.Shell(parsed);
            using var client = ServerClient.Open(parsed.GetValue(server));
            var all = await client.GetAsync("/api/v1/principals", AccessJson.Default.ImmutableArrayPrincipal, cancellation);
            if (shell.Json)
                shell.WriteJson(new JsonObject { ["principals"] = JsonSerializer.SerializeToNode(all, AccessJson.Default.ImmutableArrayPrincipal) });
            foreach (var principal in shell.Json ? [] : all)
                AccessText.Tell(shell, principal);
            return (int)ExitCode.Done;
        });
        return verb;
    }
}
