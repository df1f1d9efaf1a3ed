using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;
using Slipway.Documents.Access;
using Slipway.Primitives.Faults;

namespace Slipway.Cli.Verbs;

/// <summary><c>slipway access token new|list|revoke</c>.</summary>
internal static class AccessToken
{
    /// <summary>Needs no server: what a token is, it is before anybody knows it.</summary>
    public static Command Make(GlobalOptions global)
    {
        var verb = new Command("make", "Makes a token here, which proves nothing until an administrator enrols it by its hash, and which nobody else has ever held.\nExample: slipway access token make");
        verb.SetAction(parsed =>
        {
            var shell = global.Shell(parsed);
            var made = TokenSecret.Create();
            if (shell.Json)
            {
                shell.WriteJson(new JsonObject { ["secret"] = made.Text, ["hash"] = made.Hash });
                return (int)ExitCode.Done;
            }

            shell.Out.WriteLine(made.Text);
            shell.Note($"it is shown this once; give an administrator its hash alone, for `slipway access token new NAME --hash {made.Hash} --reason TEXT`");
            return (int)ExitCode.Done;
        });
        return verb;
    }

    public static Command New(GlobalOptions global)
    {
        var principal = new Argument<string?>("principal") { Description = "Whom it is for, which an administrator may say; default: yourself", Arity = ArgumentArity.ZeroOrOne };
        var label = new Option<string>("--label") { Description = "What it is for, so that you know it again", HelpName = "TEXT", DefaultValueFactory = _ => "token" };
        var days = new Option<int>("--days") { Description = $"Until it expires, 1 to {NewToken.MostDays}", HelpName = "N", DefaultValueFactory = _ => NewToken.DefaultDays };
        var scope = new Option<string[]>("--scope") { Description = "Only this of what its principal may; may be repeated", HelpName = "ROLE[:MODEL]" };
        var hash = new Option<string?>("--hash") { Description = "Enrols one that its holder made with `access token make`", HelpName = "HEX" };
        var (reason, server) = (ServerClient.ReasonOption(), ServerClient.ServerOption());
        var verb = new Command("new", "Makes a token, and shows it once.\nExample: slipway access token new ci --scope author:flight-delay --days 30 --reason 'for the build'") { principal, label, days, scope, hash, reason, server };
        verb.SetAction(async (parsed, cancellation) =>
        {
            var shell = global.Shell(parsed);
            using var client = ServerClient.Open(parsed.GetValue(server));
            var owner = parsed.GetValue(principal) is { } name ? (await AccessNames.PrincipalAsync(client, name, cancellation)).Id : null;
            var wanted = new NewToken(owner, parsed.GetRequiredValue(label), AccessNames.Roles(parsed.GetValue(scope)), parsed.GetValue(days), parsed.GetRequiredValue(reason)) { Hash = parsed.GetValue(hash) };
            var issued = await client.PostAsync("/api/v1/tokens", wanted, AccessJson.Default.NewToken, AccessJson.Default.IssuedToken, cancellation);
            if (shell.Json)
            {
                shell.WriteJson(JsonSerializer.SerializeToNode(issued, AccessJson.Default.IssuedToken)!);
                return (int)ExitCode.Done;
            }

            if (wanted.Hash is not null)
            {
                shell.Out.WriteLine($"{issued.Token.Id} is enrolled, and valid until {AccessText.Day(issued.Token.ExpiresAt)}");
                return (int)ExitCode.Done;
            }

            // The token alone on stdout, so that it can go into a secret store without being shown.
            shell.Out.WriteLine(issued.Secret);
            shell.Note($"{issued.Token.Id} is valid until {AccessText.Day(issued.Token.ExpiresAt)}; it is shown this once");
            return (int)ExitCode.Done;
        });
        return verb;
    }

    public static Command List(GlobalOptions global)
    {
        var all = new Option<bool>("--all") { Description = "Everybody's, for an administrator" };
        var server = ServerClient.ServerOption();
        var verb = new Command("list", "Lists your tokens: what each is for, until when, and when it was last used.\nExample: slipway access token list") { all, server };
        verb.SetAction(async (parsed, cancellation) =>
        {
            var shell = global.Shell(parsed);
            using var client = ServerClient.Open(parsed.GetValue(server));
            var everybody = parsed.GetValue(all);
            var tokens = await client.GetAsync(everybody ? "/api/v1/all-tokens" : "/api/v1/tokens", AccessJson.Default.ImmutableArrayApiToken, cancellation);
            if (shell.Json)
            {
                shell.WriteJson(new JsonObject { ["tokens"] = JsonSerializer.SerializeToNode(tokens, AccessJson.Default.ImmutableArrayApiToken) });
                return (int)ExitCode.Done;
            }

            var names = everybody ? (await client.GetAsync("/api/v1/principals", AccessJson.Default.ImmutableArrayPrincipal, cancellation)).ToDictionary(principal => principal.Id, principal => principal.Name + ", ") : [];
            foreach (var token in tokens)
                AccessText.Tell(shell, token, names.GetValueOrDefault(token.Principal, ""));
            return (int)ExitCode.Done;
        });
        return verb;
    }

    public static Command Revoke(GlobalOptions global)
    {
        var id = new Argument<string>("token") { Description = "Its id, such as tok-5d1e…; not the token itself" };
        var family = new Option<bool>("--and-made-with-it") { Description = "Also those that were made with it: for one that was stolen" };
        var (reason, server) = (ServerClient.ReasonOption(), ServerClient.ServerOption());
        var verb = new Command("revoke", "Revokes a token from this moment on.\nExample: slipway access token revoke tok-5d1e0f3a9b7c2d48 --reason 'laptop lost'") { id, family, reason, server };
        verb.SetAction(async (parsed, cancellation) =>
        {
            var shell = global.Shell(parsed);
            using var client = ServerClient.Open(parsed.GetValue(server));
            var path = $"/api/v1/tokens/{Uri.EscapeDataString(parsed.GetRequiredValue(id))}/revoke";
            var answer = await client.PostAsync(path, new RevokeToken(parsed.GetValue(family), parsed.GetRequiredValue(reason)), AccessJson.Default.RevokeToken, AccessJson.Default.RevokedTokens, cancellation);
            if (shell.Json)
            {
                shell.WriteJson(JsonSerializer.SerializeToNode(answer, AccessJson.Default.RevokedTokens)!);
                return (int)ExitCode.Done;
            }

            shell.Out.WriteLine(answer.Revoked.IsEmpty ? "it was revoked before" : $"revoked: {string.Join(", ", answer.Revoked)}");
            if (!answer.MadeWithIt.IsEmpty)
                shell.Warn($"in force, and made with it: {string.Join(", ", answer.MadeWithIt)}; if it was stolen, say the same with --and-made-with-it");
            return (int)ExitCode.Done;
        });
        return verb;
    }
}
