using System.CommandLine;
using System.Text.Json.Nodes;
using Slipway.Documents.Statements;
using Slipway.Primitives.Faults;

namespace Slipway.Cli.Verbs;

/// <summary><c>slipway sign REF</c>: the statement that <c>cosign sign</c> makes.</summary>
internal static class SignVerb
{
    public static Command Build(GlobalOptions global)
    {
        var reference = new Argument<string>("ref") { Description = "A digest or tag of this project, or oci:DIR:TAG" };
        var annotations = new Option<string[]>("--annotation") { Description = "What the signature shall say besides, such as stage=release; may be repeated", HelpName = "NAME=VALUE" };
        var attach = new AttachOptions();
        var verb = new Command("sign", "Signs a bundle, as cosign does, and attaches the signature.\nExample: slipway sign flight-delay --key release") { reference, annotations };
        attach.AddTo(verb);
        verb.SetAction((parsed, cancellation) =>
            attach.AttachAsync(global.Shell(parsed), parsed, parsed.GetRequiredValue(reference), bundle => CosignSignature.About(bundle, Read(parsed.GetValue(annotations) ?? [])), cancellation));
        return verb;
    }

    private static JsonObject Read(string[] annotations)
    {
        var read = new JsonObject();
        foreach (var annotation in annotations)
        {
            if (annotation.IndexOf('=') is not (> 0 and var equals))
                throw new SlipwayException(ExitCode.UnusableInput, new Fault("bad-argument", $"--annotation is '{annotation}', expected NAME=VALUE"));
            if (!read.TryAdd(annotation[..equals], annotation[(equals + 1)..]))
                throw new SlipwayException(ExitCode.UnusableInput, new Fault("bad-argument", $"--annotation gives '{annotation[..equals]}' twice"));
        }

        return read;
    }
}
