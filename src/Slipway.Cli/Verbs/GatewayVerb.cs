using System.CommandLine;
using System.Text.Json.Nodes;
using Slipway.Gateway;

namespace Slipway.Cli.Verbs;

/// <summary><c>slipway gateway</c>.</summary>
internal static class GatewayVerb
{
    public static Command Build(GlobalOptions global)
    {
        var server = ServerClient.ServerOption();
        var channel = new Option<string>("--channel") { Description = "The channel whose models it serves: staging or production", HelpName = "CHANNEL", DefaultValueFactory = _ => "production" };
        var (address, port) = (ListenOptions.Address(), ListenOptions.Port("--port", " that predictions are answered on", 8080));
        var name = new Option<string?>("--name") { Description = "Its name, the same at every start; default: this machine's and the channel", HelpName = "NAME" };
        var folder = new Option<string>("--folder") { Description = "Keeps bundles and the last known good state", HelpName = "DIR", DefaultValueFactory = _ => ".slipway-gateway" };
        var verb = new Command("gateway", "Answers predictions of a channel's models, as a server orders; its token is in SLIPWAY_TOKEN.\nExample: slipway gateway --server https://slipway.example.org --channel production --key team.pub") { server, channel, address, port, name, folder };
        var setup = new GatewaySetup();
        setup.AddTo(verb);
        verb.SetAction(async (parsed, cancellation) =>
        {
            var shell = global.Shell(parsed);
            var (url, token) = ServerClient.Resolve(parsed.GetValue(server));
            var served = parsed.GetRequiredValue(channel);
            var options = setup.Read(
                parsed, shell, served, parsed.GetValue(name), shell.PathOf(parsed.GetRequiredValue(folder))!, url, token ?? "", ListenOptions.Parse(parsed.GetRequiredValue(address)), parsed.GetValue(port));
            if (url is { Scheme: "http", IsLoopback: false })
                shell.Warn($"the gateway's token goes to {url} for all to read: put the server behind https");
            await using var gateway = await GatewayHost.StartAsync(options, cancellation);
            Announce(shell, served, gateway.Url, url);
            await Shell.UntilStoppedAsync(cancellation, gateway.Ended);
            shell.Note("finishing the requests in flight");
            return 0;
        });
        return verb;
    }

    private static void Announce(Shell shell, string channel, Uri url, Uri server)
    {
        if (shell.Json)
            shell.WriteJson(new JsonObject { ["urls"] = new JsonObject { [channel] = url.ToString() }, ["server"] = server.ToString() });
        else
            shell.Out.WriteLine($"{channel,-12}{url}  (follows {server})");
        shell.Out.Flush();
    }
}
