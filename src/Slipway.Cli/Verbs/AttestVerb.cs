using System.CommandLine;
using Slipway.Documents.Predicates;
using Slipway.Primitives.Faults;
using Slipway.Primitives.Files;
using Slipway.Trust.Attestations;

namespace Slipway.Cli.Verbs;

/// <summary><c>slipway attest REF --type URI --predicate FILE</c>.</summary>
internal static class AttestVerb
{
    public static Command Build(GlobalOptions global)
    {
        var reference = new Argument<string>("ref") { Description = "A digest or tag of this project, or oci:DIR:TAG" };
        var type = new Option<string>("--type") { Description = "The predicate's type, such as https://example.org/review/v1", HelpName = "URI", Required = true };
        var predicate = new Option<string>("--predicate") { Description = "The predicate, a JSON object", HelpName = "FILE", Required = true };
        var attach = new AttachOptions();
        var verb = new Command("attest", "Signs a statement of your own about a bundle, and attaches it.\nExample: slipway attest flight-delay --type https://example.org/review/v1 --predicate review.json") { reference, type, predicate };
        attach.AddTo(verb);
        verb.SetAction((parsed, cancellation) =>
        {
            var shell = global.Shell(parsed);
            var (kind, file) = (parsed.GetRequiredValue(type), parsed.GetRequiredValue(predicate));
            var content = PredicateRules.Read(kind, Bytes(shell.PathOf(file)), file);
            return attach.AttachAsync(shell, parsed, parsed.GetRequiredValue(reference), bundle => Statement.About(bundle, parsed.GetRequiredValue(reference), kind, content), cancellation);
        });
        return verb;
    }

    private static byte[] Bytes(string path) =>
        FileStamp.Of(path) is { Kind: FileKind.File, Size: <= PredicateRules.MaxBytes }
            ? File.ReadAllBytes(path)
            : throw new SlipwayException(ExitCode.UnusableInput, new Fault("predicate-missing", $"is no file of at most {PredicateRules.MaxBytes} bytes", path, Help: "--predicate names a file with a JSON object"));
}
