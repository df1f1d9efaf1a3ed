using System.CommandLine;
using System.Text.Json.Nodes;
using Slipway.Documents.Evaluations;
using Slipway.Documents.Gates;
using Slipway.Gateway.Protocol;
using Slipway.Primitives.Faults;
using Slipway.Runtime.ModelHosts;
using Slipway.Runtime.Sandbox;

namespace Slipway.Cli.Verbs;

/// <summary><c>slipway serve REF</c>.</summary>
internal static class ServeVerb
{
    public static Command Build(GlobalOptions global)
    {
        var reference = new Argument<string>("ref") { Description = "A digest or tag of this project, or oci:DIR:TAG" };
        var trust = new TrustOptions();
        var (address, port) = (ListenOptions.Address(), ListenOptions.Port("--port", "", 8080));
        var verb = new Command("serve", "Verifies a bundle and answers predictions by the Open Inference Protocol v2.\nExample: slipway serve flight-delay --port 8080") { reference, address, port };
        trust.AddTo(verb);
        verb.SetAction((parsed, cancellation) =>
        {
            var shell = global.Shell(parsed);
            return ServeAsync(shell, parsed.GetRequiredValue(reference), trust.Read(parsed, shell), parsed.GetRequiredValue(address), parsed.GetValue(port), cancellation);
        });
        return verb;
    }

    private static async Task<int> ServeAsync(Shell shell, string reference, BundleTrust trust, string address, int port, CancellationToken cancellation)
    {
        var listen = ListenOptions.Parse(address);
        var opened = BundleAccess.Open(shell, reference, trust, cancellation);
        foreach (var note in opened.Notes)
            shell.Note("note: " + note);
        if (opened.Bundle is not { } bundle)
            throw new SlipwayException(ExitCode.BadVerdict, opened.Problems);
        switch (GateVerdict.Find(bundle))
        {
            case null:
                shell.Warn($"no trusted key has attested a gate verdict on {opened.Digest}");
                break;
            case { Report.Verdict: not Verdict.Pass } judged:
                shell.Warn($"the gates' verdict on {opened.Digest} is {judged.Report.Verdict.Word()}");
                break;
        }

        ScratchFolder.Sweep(TimeProvider.System, shell.Note);
        using var scratch = ScratchFolder.Make();
        var model = HostedModel.Unpack(bundle, Path.Combine(scratch.Path, "bundle"), cancellation);
        var options = new HostOptions { StateFolder = Path.Combine(shell.Project.State, "hosts"), Log = line => shell.Note(line) };
        await using var host = await ModelHost.StartAsync(model, options, cancellation);
        await using var server = await InferenceServer.StartAsync(new InferenceOptions { Address = listen, Port = port }, host, cancellation);
        await host.WaitUntilReadyAsync(cancellation);
        Announce(shell, server, model);
        await Shell.UntilStoppedAsync(cancellation);
        shell.Note("finishing the requests in flight");
        await server.StopAsync();
        return 0;
    }

    private static void Announce(Shell shell, InferenceServer server, HostedModel model)
    {
        if (shell.Json)
            shell.WriteJson(new JsonObject { ["url"] = server.Url.ToString(), ["model"] = model.Name, ["bundle"] = new JsonObject { ["digest"] = model.Bundle.ToString() } });
        else
            shell.Out.WriteLine($"serving {model.Name} {model.Bundle} on {server.Url}  (Open Inference Protocol: POST v2/models/{model.Name}/infer)");
        shell.Out.Flush();
    }
}
