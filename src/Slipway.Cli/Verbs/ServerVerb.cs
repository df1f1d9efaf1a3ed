using System.CommandLine;
using Slipway.Server;

namespace Slipway.Cli.Verbs;

/// <summary><c>slipway server</c>.</summary>
internal static class ServerVerb
{
    public static Command Build(GlobalOptions global)
    {
        var setup = new ServerSetup("Keeps bundles, and without --database all else too");
        var database = new Option<string?>("--database") { Description = "PostgreSQL's connection string, without the password (PGPASSWORD); default: SQLite in the folder", HelpName = "STRING" };
        var ledgerKey = new Option<string?>("--ledger-key") { Description = "Private key that signs the ledger; servers of one database have the same; default: ledger.key in the folder, made with the ledger", HelpName = "FILE" };
        var verb = new Command("server", "Keeps the registry, releases and the ledger, for gateways that run elsewhere.\nExample: slipway server --database 'Host=db.example.org;Database=slipway;Username=slipway'") { database, ledgerKey };
        setup.AddTo(verb);
        verb.SetAction(async (parsed, cancellation) =>
        {
            var shell = global.Shell(parsed);
            var options = setup.Read(parsed, shell) with { Database = parsed.GetValue(database), LedgerKey = shell.PathOf(parsed.GetValue(ledgerKey)) };
            await using var server = await ControlPlane.StartAsync(options, cancellation);
            ServerSetup.Announce(shell, server.FirstAdminToken, ("api", server.Url));
            await Shell.UntilStoppedAsync(cancellation);
            shell.Note("finishing the requests in flight");
            return 0;
        });
        return verb;
    }
}
