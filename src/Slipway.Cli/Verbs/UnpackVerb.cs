using System.CommandLine;
using System.Text.Json.Nodes;
using Slipway.Documents.Bundles;
using Slipway.Primitives.Faults;

namespace Slipway.Cli.Verbs;

/// <summary><c>slipway unpack REF DIR</c>: a verified bundle's files, all of them or none.</summary>
internal static class UnpackVerb
{
    public static Command Build(GlobalOptions global)
    {
        var reference = new Argument<string>("ref") { Description = "A digest or tag of this project, or oci:DIR:TAG" };
        var folder = new Argument<string>("dir") { Description = "A new folder, or an empty one" };
        var trust = new TrustOptions();
        var verb = new Command("unpack", "Verifies a bundle and writes its files into a folder: model, code, documents.\nExample: slipway unpack flight-delay ./flight-delay") { reference, folder };
        trust.AddTo(verb);
        verb.SetAction((parsed, cancellation) =>
        {
            var shell = global.Shell(parsed);
            return Task.FromResult(Unpack(shell, parsed.GetRequiredValue(reference), parsed.GetRequiredValue(folder), trust.Read(parsed, shell), cancellation));
        });
        return verb;
    }

    private static int Unpack(Shell shell, string reference, string folder, BundleTrust trust, CancellationToken cancellation)
    {
        var target = shell.PathOf(folder);
        var (bundle, _) = BundleAccess.Open(shell, reference, trust, cancellation).Require(shell);
        bundle.Unpack(target, cancellation);
        if (shell.Json)
        {
            shell.WriteJson(new JsonObject
            {
                ["bundle"] = new JsonObject { ["digest"] = bundle.Digest.ToString() },
                ["folder"] = target,
                ["model"] = Path.Combine(target, BundlePaths.ModelOf(bundle)),
                ["layers"] = new JsonArray([.. bundle.Layers.Select(layer => (JsonNode)layer.Path)]),
            });
        }
        else
        {
            shell.Out.WriteLine($"unpacked  {bundle.Digest}");
            foreach (var layer in bundle.Layers)
                shell.Out.WriteLine($"          {Path.Combine(folder, layer.Path)}");
        }

        return (int)ExitCode.Done;
    }
}
