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

    private static byte[] Bytes(string path) => FileStamp.Of(path) switch
    {
        { Kind: FileKind.File, Size: <= PredicateRules.MaxBytes } => File.ReadAllBytes(path),
        { Kind: FileKind.File } large => throw Unusable("predicate-too-large", $"the predicate has {large.Size} bytes, allowed at most {PredicateRules.MaxBytes}", path),
        { } other => throw Unusable("predicate-missing", $"is no regular file ({other.Kind.ToString().ToLowerInvariant()})", path),
        null => throw Unusable("predicate-missing", "there is no such file", path),
    };

    private static SlipwayException Unusable(string code, string message, string path) =>
        new(ExitCode.UnusableInput, new Fault(code, message, path, Help: "--predicate names a file with a JSON object"));
}
