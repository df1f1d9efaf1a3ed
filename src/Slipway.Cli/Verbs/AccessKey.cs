using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;
using Slipway.Documents.Access;
using Slipway.Primitives.Faults;
using Slipway.Trust.Signing;

namespace Slipway.Cli.Verbs;

/// <summary><c>slipway access key add|list|revoke</c>.</summary>
internal static class AccessKey
{
    public static Command Add(GlobalOptions global)
    {
        var file = new Argument<string>("file") { Description = "The public key (FILE.pub)" };
        var roles = new Option<string[]>("--role") { Description = "builder: how a bundle came to be, and its gates; evaluator: its gates alone; may be repeated", HelpName = "ROLE", Required = true };
        roles.AcceptOnlyFromAmong("builder", "evaluator");
        var name = new Option<string?>("--name") { Description = "What people call it; default: the file's name", HelpName = "NAME" };
        var owner = new Option<string?>("--owner") { Description = "Whose key it is: they approve nothing that it signed", HelpName = "PRINCIPAL" };
        var unprotected = new Option<bool>("--allow-unprotected") { Description = "Take a builder's key that was made without a passphrase" };
        var (reason, server) = (ServerClient.ReasonOption(), ServerClient.ServerOption());
        var verb = new Command("add", "Lets the server believe what a key signs.\nExample: slipway access key add ~/alice.pub --role builder --owner alice --reason 'she seals on her machine'") { file, roles, name, owner, unprotected, reason, server };
        verb.SetAction(async (parsed, cancellation) =>
        {
            var shell = global.Shell(parsed);
            var path = Path.GetFullPath(parsed.GetRequiredValue(file), shell.Folder);
            var key = VerificationKey.Load(path);
            using var client = ServerClient.Open(parsed.GetValue(server));
            var whose = parsed.GetValue(owner) is { } principal ? (await AccessNames.PrincipalAsync(client, principal, cancellation)).Id : null;
            var wanted = new NewTrustedKey(
                parsed.GetValue(name) ?? Path.GetFileNameWithoutExtension(path), key.ToPem(), [.. parsed.GetRequiredValue(roles).Select(role => Enum.Parse<KeyRole>(role, ignoreCase: true))], whose, parsed.GetRequiredValue(reason), parsed.GetValue(unprotected));
            return Tell(shell, await client.PostAsync("/api/v1/trusted-keys", wanted, AccessJson.Default.NewTrustedKey, AccessJson.Default.TrustedKey, cancellation), parsed.GetValue(owner));
        });
        return verb;
    }

    public static Command List(GlobalOptions global)
    {
        var server = ServerClient.ServerOption();
        var verb = new Command("list", "Lists the keys that the server believes, and those that it did before they were revoked.\nExample: slipway access key list") { server };
        verb.SetAction(async (parsed, cancellation) =>
        {
            var shell = global.Shell(parsed);
            using var client = ServerClient.Open(parsed.GetValue(server));
            var keys = await client.GetAsync("/api/v1/trusted-keys", AccessJson.Default.ImmutableArrayTrustedKey, cancellation);
            if (shell.Json)
                shell.WriteJson(new JsonObject { ["keys"] = JsonSerializer.SerializeToNode(keys, AccessJson.Default.ImmutableArrayTrustedKey) });
            foreach (var key in shell.Json ? [] : keys)
                AccessText.Tell(shell, key, key.Owner);
            return (int)ExitCode.Done;
        });
        return verb;
    }

    public static Command Revoke(GlobalOptions global)
    {
        var key = new Argument<string>("key") { Description = "Its name, or how its id begins" };
        var (reason, server) = (ServerClient.ReasonOption(), ServerClient.ServerOption());
        var verb = new Command("revoke", "Believes a key no longer, for ever. What it signed stays listed, and is shown as such.\nExample: slipway access key revoke 3f2a9c41d7e8 --reason 'laptop stolen'") { key, reason, server };
        verb.SetAction(async (parsed, cancellation) =>
        {
            using var client = ServerClient.Open(parsed.GetValue(server));
            var known = await AccessNames.KeyAsync(client, parsed.GetRequiredValue(key), cancellation);
            var revoked = await client.PostAsync($"/api/v1/trusted-keys/{known.Id}/revoke", new ReasonOnly(parsed.GetRequiredValue(reason)), AccessJson.Default.ReasonOnly, AccessJson.Default.TrustedKey, cancellation);
            return Tell(global.Shell(parsed), revoked, revoked.Owner);
        });
        return verb;
    }

    private static int Tell(Shell shell, TrustedKey key, string? owner)
    {
        if (shell.Json)
            shell.WriteJson(JsonSerializer.SerializeToNode(key, AccessJson.Default.TrustedKey)!);
        else
            AccessText.Tell(shell, key, owner);
        return (int)ExitCode.Done;
    }
}
