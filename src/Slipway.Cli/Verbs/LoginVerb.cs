using System.CommandLine;
using System.Text.Json;
using Slipway.Documents.Access;
using Slipway.Primitives.Faults;

namespace Slipway.Cli.Verbs;

/// <summary><c>slipway login URL</c>.</summary>
internal static class LoginVerb
{
    public static Command Build(GlobalOptions global)
    {
        var url = new Argument<string>("url") { Description = "The server's address, such as https://slipway.example.org" };
        var fromInput = new Option<bool>("--token-stdin") { Description = "Read the token from standard input, and ask nobody" };
        var verb = new Command("login", "Keeps a token for a server, and makes that server the one that other verbs call.\nThe token is one of `slipway access token new`, or one of your identity provider's.\nExample: slipway login https://slipway.example.org") { url, fromInput };
        verb.SetAction((parsed, cancellation) => LoginAsync(global.Shell(parsed), ServerLogins.ParseUrl(parsed.GetRequiredValue(url)), parsed.GetValue(fromInput), cancellation));
        return verb;
    }

    private static async Task<int> LoginAsync(Shell shell, Uri url, bool fromInput, CancellationToken cancellation)
    {
        if (url.Scheme == "http" && !url.IsLoopback)
            shell.Warn($"{url.Host} is called without TLS: whoever is on the way can read the token");
        if (!fromInput && !Prompt.IsAnswered)
            throw new SlipwayException(ExitCode.NotThere, new Fault("token-missing", "a login needs a token, and nobody is here to type one", Help: "say --token-stdin, and give it on standard input"));
        var token = (fromInput ? await Console.In.ReadLineAsync(cancellation) ?? "" : Prompt.Secret($"Token for {url.Authority}: ")).Trim();
        if (token.Length == 0 || !token.All(c => c is > ' ' and <= '~'))
            throw new SlipwayException(ExitCode.UnusableInput, new Fault("bad-token", "what was given is no token: it is empty, or holds spaces or other characters that no token has"));
        using var server = ServerClient.With(url, token);
        var identity = await server.GetAsync("/api/v1/whoami", AccessJson.Default.Identity, cancellation);
        await ServerLogins.SaveAsync(url, token, cancellation);
        if (shell.Json)
            shell.WriteJson(JsonSerializer.SerializeToNode(identity, AccessJson.Default.Identity)!);
        else
            AccessText.Tell(shell, identity);
        return (int)ExitCode.Done;
    }
}
