using Slipway.Documents.Specs;
using Slipway.Pipeline.Execution;
using Slipway.Trust.Signing;

namespace Slipway.Cli;

/// <summary>A verb with nothing that changes its answer but the folder and the spec.</summary>
/// <param name="Folder">Absolute.</param>
internal sealed record PlainQuestion(string Verb, string Folder, string SpecFile, bool Json)
{
    public const string Status = "status", Run = "run";

    private const string OwnPrefix = "SLIPWAY_";

    /// <summary>What has no say in what is known already: nothing is signed, sent or executed for that.</summary>
    private static readonly string[] harmless = [SignCommand.PassphraseVariable, ServerClient.UrlVariable, ServerClient.TokenVariable];

    /// <param name="args">As typed, or as the command tree split them.</param>
    /// <returns>Null where anything else is asked, here or by a variable.</returns>
    public static PlainQuestion? Of(IReadOnlyList<string> args)
    {
        string? verb = null;
        var (folder, file, json) = (".", SpecParser.DefaultFile, false);
        var seen = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < args.Count; i++)
        {
            var next = i + 1 < args.Count ? args[i + 1] : null;
            // What is said twice the command tree refuses.
            if (!seen.Add(args[i]))
                return null;
            switch (args[i])
            {
                case Status or Run when verb is null:
                    verb = args[i];
                    break;
                case "--json":
                    json = true;
                    break;
                case "-q" or "--quiet":
                    break;
                case "--jobs" or "-j" when verb == Run && int.TryParse(next, out var number) && number is >= 1 and <= RunOptions.MostJobs:
                    i++;
                    break;
                case "-C" or "--directory" when next is { Length: > 0 } && folder == ".":
                    folder = args[++i];
                    break;
                case "--file" when next is not null:
                    file = args[++i];
                    break;
                default:
                    return null;
            }
        }

        return verb is null || Environment.GetEnvironmentVariables().Keys.Cast<string>().Any(name => name.StartsWith(OwnPrefix, StringComparison.Ordinal) && !harmless.Contains(name))
            ? null
            : new PlainQuestion(verb, Path.GetFullPath(folder), file, json);
    }
}
