using System.CommandLine;
using System.Text.Json.Nodes;
using Slipway.Documents.Access;
using Slipway.Primitives.Faults;
using Slipway.Server.Api;

namespace Slipway.Cli;

/// <summary>What the verbs that run a server have in common.</summary>
internal static class ServerSetup
{
    /// <summary>Where a server keeps what it has, when nothing is said.</summary>
    public const string DefaultFolder = ".slipway-server";

    public static Option<string?> LedgerKeyOption() => new("--ledger-key") { Description = "Private key that signs the ledger; servers of one database have the same; default: ledger.key in the folder, made with the ledger", HelpName = "FILE" };

    public static Option<string?> LedgerMirrorOption() => new("--ledger-mirror") { Description = "Copy the ledger into this folder after every change, best where this machine may add and not change", HelpName = "DIR" };

    public static Option<string[]> OidcOption() => new("--oidc") { Description = "Describes an identity provider whose tokens are taken; see docs/guide/access.md; may be repeated", HelpName = "FILE" };

    public static Option<string[]> HostNameOption() => new("--host-name") { Description = "A name that a proxy on this machine passes on as the host; may be repeated", HelpName = "NAME" };

    /// <summary>The options with what these two say.</summary>
    /// <exception cref="SlipwayException">A file that describes no identity provider (exit 2), or is not there (exit 3).</exception>
    public static ServerOptions With(this ServerOptions options, Shell shell, string[]? oidc, string[]? hostNames) =>
        options with { Oidc = [.. (oidc ?? []).Select(file => OidcTrust.Load(Path.Combine(shell.Folder, file)))], HostNames = [.. hostNames ?? []] };

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
