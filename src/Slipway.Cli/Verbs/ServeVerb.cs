using System.CommandLine;
using System.Text.Json.Nodes;
using Slipway.Documents.Evaluations;
using Slipway.Documents.Gates;
using Slipway.Gateway.Protocol;
using Slipway.Primitives.Faults;
using Slipway.Runtime.ModelHosts;

namespace Slipway.Cli.Verbs;

/// <summary><c>slipway serve REF</c>.</summary>
internal static class ServeVerb
{
    public static Command Build(GlobalOptions global)
    {
        var reference = new Argument<string>("ref") { Description = "A digest or tag of this project, or oci:DIR:TAG" };
        var keys = BundleAccess.KeyOption();
        var address = new Option<string>("--address") { Description = "Address to listen on; anything but loopback is open to the network", DefaultValueFactory = _ => "127.0.0.1" };
        var port = new Option<int>("--port") { Description = "Port; 0 takes a free one", DefaultValueFactory = _ => 8080 };
        port.Validators.Add(result =>
        {
            if (result.Tokens.Count > 0 && (!int.TryParse(result.Tokens[0].Value, out var number) || number is < 0 or > 65535))
                result.AddError($"--port is {result.Tokens[0].Value}, allowed 0 to 65535");
        });
        var verb = new Command("serve", "Verifies a bundle and answers predictions by the Open Inference Protocol v2.\nExample: slipway serve flight-delay --port 8080") { reference, keys, address, port };
        verb.SetAction((parsed, cancellation) => ServeAsync(
            global.Shell(parsed), parsed.GetRequiredValue(reference), parsed.GetValue(keys) ?? [], parsed.GetRequiredValue(address), parsed.GetValue(port), cancellation));
        return verb;
    }

    private static async Task<int> ServeAsync(Shell shell, string reference, string[] keys, string address, int port, CancellationToken cancellation)
    {
        if (!System.Net.IPAddress.TryParse(address, out var listen))
            throw new SlipwayException(ExitCode.UnusableInput, new Fault("bad-address", $"--address is '{address}', allowed is an IP address such as 127.0.0.1 or ::1"));
        var opened = BundleAccess.Open(shell, reference, keys, cancellation);
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
                shell.Warn($"the gates' verdict on {opened.Digest} is {judged.Report.Verdict.Name()}");
                break;
        }

        var scratch = Directory.CreateTempSubdirectory("slipway-serve-");
        try
        {
            var model = HostedModel.Unpack(bundle, Path.Combine(scratch.FullName, "bundle"), cancellation);
            var options = new HostOptions { StateFolder = Path.Combine(shell.Project.State, "hosts"), Log = line => shell.Note(line) };
            await using var host = await ModelHost.StartAsync(model, options, cancellation);
            await using var server = await InferenceServer.StartAsync(new InferenceOptions { Address = listen, Port = port }, host, cancellation);
            await host.WaitUntilReadyAsync(cancellation);
            Announce(shell, server, model);
            await Task.Delay(Timeout.Infinite, cancellation).ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
            shell.Note("finishing the requests in flight");
            await server.StopAsync();
            return 0;
        }
        finally
        {
            scratch.Delete(recursive: true);
        }
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
