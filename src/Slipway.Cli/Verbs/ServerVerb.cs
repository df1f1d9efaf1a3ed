using System.CommandLine;
using Slipway.Server;
using Slipway.Server.Api;

namespace Slipway.Cli.Verbs;

/// <summary><c>slipway server</c>.</summary>
internal static class ServerVerb
{
    public static Command Build(GlobalOptions global)
    {
        var folder = new Option<string>("--folder") { Description = "Keeps bundles, and without --database all else too", HelpName = "DIR", DefaultValueFactory = _ => ServerSetup.DefaultFolder };
        var database = new Option<string?>("--database") { Description = "PostgreSQL's connection string, without the password (PGPASSWORD); default: SQLite in the folder", HelpName = "STRING" };
        var (address, port) = (ListenOptions.Address(), ListenOptions.Port("--port", " of API and pages", 4040));
        var again = new Option<bool>("--new-admin-token") { Description = "Make a new token for an administrator, for who lost them all" };
        var (ledgerKey, mirror) = (ServerSetup.LedgerKeyOption(), ServerSetup.LedgerMirrorOption());
        var (oidc, names) = (ServerSetup.OidcOption(), ServerSetup.HostNameOption());
        var verb = new Command("server", "Keeps the registry, releases and the ledger, for gateways that run elsewhere.\nExample: slipway server --database 'Host=db.example.org;Database=slipway;Username=slipway'") { folder, database, address, port, ledgerKey, mirror, oidc, names, again };
        verb.SetAction(async (parsed, cancellation) =>
        {
            var shell = global.Shell(parsed);
            var place = Path.Combine(shell.Folder, parsed.GetRequiredValue(folder));
            var options = new ServerOptions
            {
                Folder = place,
                Database = parsed.GetValue(database),
                Address = ListenOptions.Parse(parsed.GetRequiredValue(address)),
                Port = parsed.GetValue(port),
                LedgerKey = shell.PathOf(parsed.GetValue(ledgerKey)),
                LedgerMirror = shell.PathOf(parsed.GetValue(mirror)),
                NewAdminToken = parsed.GetValue(again),
                Log = shell.Note,
            }.With(shell, parsed.GetValue(oidc), parsed.GetValue(names));
            await using var server = await ControlPlane.StartAsync(options, cancellation);
            ServerSetup.Announce(shell, server.FirstAdminToken, ("api", server.Url));
            await Shell.UntilStoppedAsync(cancellation);
            shell.Note("finishing the requests in flight");
            return 0;
        });
        return verb;
    }
}
