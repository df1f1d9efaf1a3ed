using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Slipway.Documents.Ledger;

namespace Slipway.Cli.Verbs;

/// <summary><c>slipway audit erase</c>.</summary>
internal static class AuditErase
{
    public static Command Build(GlobalOptions global)
    {
        var index = new Argument<long>("index") { Description = "An entry of the action, as `audit list` numbers it" };
        var reason = new Option<string>("--reason") { Description = "Why; it must not repeat what is erased", HelpName = "TEXT", Required = true };
        var server = ServerClient.ServerOption();
        var verb = new Command("erase", "Erases an action's names, reason and evidence; the entry itself stays, and the ledger still verifies. For administrators.\nExample: slipway audit erase 12 --reason 'asked to by the person named'") { index, reason, server };
        verb.SetAction(async (parsed, cancellation) =>
        {
            var shell = global.Shell(parsed);
            using var client = ServerClient.Open(parsed.GetValue(server));
            var answer = await client.PostAsync(
                string.Create(CultureInfo.InvariantCulture, $"{ServerLedger.Root}entries/{parsed.GetRequiredValue(index)}/erase"),
                new LedgerErasureRequest(parsed.GetRequiredValue(reason)),
                LedgerJson.Default.LedgerErasureRequest,
                LedgerJson.Default.LedgerErasureAnswer,
                cancellation);
            if (shell.Json)
                shell.WriteJson(JsonSerializer.SerializeToNode(answer, LedgerJson.Default.LedgerErasureAnswer)!);
            else
                shell.Out.WriteLine($"erased    {string.Join(", ", answer.Erased.Select(erased => $"#{erased}"))}; entry #{answer.Entry} says so");
            return 0;
        });
        return verb;
    }
}
