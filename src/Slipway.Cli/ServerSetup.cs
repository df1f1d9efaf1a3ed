using System.CommandLine;
using System.Text.Json.Nodes;

namespace Slipway.Cli;

/// <summary>What the verbs that run a server have in common.</summary>
internal static class ServerSetup
{
    /// <summary>Where a server keeps what it has, when nothing is said.</summary>
    public const string DefaultFolder = ".slipway-server";

    public static Option<string?> LedgerKeyOption() => new("--ledger-key") { Description = "Private key that signs the ledger; servers of one database have the same; default: ledger.key in the folder, made with the ledger", HelpName = "FILE" };

    public static Option<string?> LedgerMirrorOption() => new("--ledger-mirror") { Description = "Copy the ledger into this folder after every change, best where this machine may add and not change", HelpName = "DIR" };

    /// <summary>Says where what is, once, and the first administrator's token where there is one.</summary>
    public static void Announce(Shell shell, string? adminToken, params (string Name, Uri Url)[] listeners)
    {
        if (shell.Json)
        {
            var document = new JsonObject { ["urls"] = new JsonObject(listeners.Select(listener => KeyValuePair.Create(listener.Name, (JsonNode?)listener.Url.ToString()))) };
            if (adminToken is not null)
                document["adminToken"] = adminToken;
            shell.WriteJson(document);
            return;
        }

        foreach (var (name, url) in listeners)
            shell.Out.WriteLine($"{name,-12}{url}");
        if (adminToken is not null)
            shell.Out.WriteLine($"{"token",-12}{adminToken}  (an administrator's; it is shown this once, and `slipway login {listeners[0].Url}` takes it)");
        shell.Out.Flush();
    }
}
