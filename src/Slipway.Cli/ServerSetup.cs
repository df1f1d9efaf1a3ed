using System.Collections.Immutable;
using System.CommandLine;
using System.Text.Json.Nodes;
using Slipway.Documents.Access;
using Slipway.Primitives.Faults;
using Slipway.Server.Api;

namespace Slipway.Cli;

/// <summary>What the verbs that run a server have in common: their options, and what they say once it runs.</summary>
internal sealed class ServerSetup
{
    private readonly Option<string> folder;
    private readonly Option<string> address = ListenOptions.Address();
    private readonly Option<int> port = ListenOptions.Port("--port", " of API and pages", 4040);
    private readonly Option<string[]> hostNames = new("--host-name") { Description = "A name that a proxy on this machine passes on; a server on loopback answers to no other but localhost", HelpName = "NAME" };
    private readonly Option<string[]> oidc = new("--oidc") { Description = "Take tokens of the identity provider that this file describes", HelpName = "FILE" };
    private readonly Option<string?> ledgerMirror = new("--ledger-mirror") { Description = "Copy the ledger into this folder after every change, best where this machine may add and not change", HelpName = "DIR" };
    private readonly Option<string[]> triggers = new("--trigger") { Description = "What plans may start to retrain: NAME=FILE, a command's absolute path, or NAME=webhook:NAME; may be repeated", HelpName = "NAME=WHAT" };
    private readonly Option<bool> newAdminToken = new("--new-admin-token") { Description = "Make a new token for an administrator, for who lost them all" };

    /// <param name="keeps">What the folder keeps.</param>
    public ServerSetup(string keeps) => folder = new Option<string>("--folder") { Description = keeps, HelpName = "DIR", DefaultValueFactory = _ => ".slipway-server" };

    public void AddTo(Command verb)
    {
        foreach (var option in new Option[] { folder, address, port, hostNames, oidc, ledgerMirror, triggers, newAdminToken })
            verb.Options.Add(option);
    }

    /// <exception cref="SlipwayException">No address, no description of an identity provider (exit 2); a file is missing (exit 3).</exception>
    public ServerOptions Read(ParseResult parsed, Shell shell) => new()
    {
        Folder = shell.PathOf(parsed.GetRequiredValue(folder))!,
        Address = ListenOptions.Parse(parsed.GetRequiredValue(address)),
        Port = parsed.GetValue(port),
        HostNames = [.. parsed.GetValue(hostNames) ?? []],
        Oidc = [.. (parsed.GetValue(oidc) ?? []).Select(file => OidcTrust.Load(shell.PathOf(file)!))],
        LedgerMirror = shell.PathOf(parsed.GetValue(ledgerMirror)),
        Triggers = Triggers(parsed.GetValue(triggers) ?? []),
        NewAdminToken = parsed.GetValue(newAdminToken),
        Log = shell.Note,
    };

    /// <exception cref="SlipwayException">No trigger, or a name twice (exit 2); no such command (exit 3).</exception>
    private static ImmutableArray<Trigger> Triggers(string[] given)
    {
        var triggers = given.Select(Trigger.Parse).ToImmutableArray();
        if (triggers.GroupBy(trigger => trigger.Name, StringComparer.Ordinal).FirstOrDefault(group => group.Count() > 1) is { Key: var twice })
            throw new SlipwayException(ExitCode.UnusableInput, new Fault("bad-trigger", $"there are several triggers of the name {twice}", Help: "give each a name of its own"));
        var (path, home) = (Environment.GetEnvironmentVariable("PATH"), Environment.GetEnvironmentVariable("HOME"));
        return [.. triggers.Select(trigger => trigger with { Path = path ?? trigger.Path, Home = home ?? trigger.Home })];
    }

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
