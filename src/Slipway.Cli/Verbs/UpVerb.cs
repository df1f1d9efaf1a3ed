using System.CommandLine;
using Slipway.Documents.Access;
using Slipway.Documents.Rollouts;
using Slipway.Gateway;
using Slipway.Gateway.Control;
using Slipway.Server;
using Slipway.Server.Api;
using Slipway.Trust.Signing;

namespace Slipway.Cli.Verbs;

/// <summary><c>slipway up</c>.</summary>
internal static class UpVerb
{
    /// <summary>In the order in which they are shown.</summary>
    private static readonly string[] channels = [ReleasePlan.Production, ReleasePlan.Staging];

    public static Command Build(GlobalOptions global)
    {
        var (server, gateways) = (new ServerSetup("Keeps everything"), new GatewaySetup());
        var production = ListenOptions.Port("--production-port", " that predictions of production are answered on", 8080);
        var staging = ListenOptions.Port("--staging-port", " that predictions of staging are answered on", 8081);
        var verb = new Command("up", "Runs a server and a gateway of each channel on this machine; Ctrl-C ends them in good order.\nExample: slipway up");
        server.AddTo(verb);
        verb.Options.Add(production);
        verb.Options.Add(staging);
        gateways.AddTo(verb);
        verb.SetAction(async (parsed, cancellation) =>
        {
            var shell = global.Shell(parsed);
            var options = server.Read(parsed, shell);
            foreach (var port in new[] { options.Port, parsed.GetValue(production), parsed.GetValue(staging) })
                ListenOptions.RequireFree(options.Address, port);
            return await UpAsync(
                shell,
                options,
                gateways.OwnKeys(parsed, gateways.Trusted(parsed, shell)),
                (plane, channel) => gateways.Read(
                    parsed, shell, channel, null, Path.Combine(options.Folder, "gateways", channel), Loopback(plane.Url), plane.LocalGatewayToken, options.Address, parsed.GetValue(channel == ReleasePlan.Production ? production : staging)),
                cancellation);
        });
        return verb;
    }

    private static async Task<int> UpAsync(
        Shell shell, ServerOptions options, KeyRing own, Func<ControlPlane, string, GatewayOptions> optionsOf, CancellationToken cancellation)
    {
        var (gateways, announced) = (new List<GatewayHost>(), false);
        await using var server = await ControlPlane.StartAsync(options, cancellation);
        try
        {
            foreach (var channel in channels)
                gateways.Add(await GatewayHost.StartAsync(optionsOf(server, channel), cancellation));
            if (!own.IsEmpty && server.FirstAdminToken is { } token)
                await TrustAsync(shell, Loopback(server.Url), token, own, cancellation);
            ServerSetup.Announce(shell, server.FirstAdminToken, [("api", server.Url), .. channels.Zip(gateways, (channel, gateway) => (channel, gateway.Url))]);
            announced = true;
            await Shell.UntilStoppedAsync(cancellation, [.. gateways.Select(gateway => gateway.Ended)]);
            shell.Note("finishing the requests in flight");
            return 0;
        }
        finally
        {
            if (!announced && server.FirstAdminToken is not null)
                shell.Warn("an administrator's token was made, and nobody has seen it: start again with --new-admin-token");
            await Task.WhenAll(gateways.Select(gateway => gateway.DisposeAsync().AsTask()));
        }
    }

    /// <summary>While the server believes nobody, it believes whoever starts it: else nothing could be pushed. Keys named with <c>--key</c>, or in a policy, are somebody's, and an administrator says whose.</summary>
    private static async Task TrustAsync(Shell shell, Uri url, string token, KeyRing keys, CancellationToken cancellation)
    {
        using var client = ServerClient.With(url, token);
        if (await client.GetAsync("/api/v1/trusted-keys", AccessJson.Default.ImmutableArrayTrustedKey, cancellation) is { IsEmpty: false })
            return;
        var admin = await client.GetAsync("/api/v1/whoami", AccessJson.Default.Identity, cancellation);
        foreach (var key in keys.Keys)
        {
            await client.PostAsync(
                "/api/v1/trusted-keys",
                new NewTrustedKey($"key {key.KeyId[..12]} of {Environment.UserName}", key.ToPem(), [KeyRole.Builder, KeyRole.Evaluator], admin.Id, "It is a key of whoever started the server first.", AllowUnprotected: true),
                AccessJson.Default.NewTrustedKey,
                AccessJson.Default.TrustedKey,
                cancellation);
            if (key.IsUnprotected)
                shell.Warn($"key {key.KeyId[..12]} was made without a passphrase: good for this machine, and nothing to build for production with");
            shell.Note($"the server trusts key {key.KeyId[..12]} to say how bundles came to be (`slipway access` shows and revokes)");
        }
    }

    /// <summary>From this machine, where the server listens on every address.</summary>
    private static Uri Loopback(Uri url) => url.Host is "0.0.0.0" or "[::]" ? new UriBuilder(url) { Host = "localhost" }.Uri : url;
}
