using System.CommandLine;
using Slipway.Documents.Specs;

namespace Slipway.Cli;

/// <summary>The options that every verb takes.</summary>
internal sealed class GlobalOptions
{
    private readonly Option<string> folder = new("-C", "--directory") { Description = "Work as if started in this folder", HelpName = "DIR", Recursive = true, DefaultValueFactory = _ => "." };
    private readonly Option<string> file = new("--file") { Description = "The spec, relative to that folder", HelpName = "FILE", Recursive = true, DefaultValueFactory = _ => SpecParser.DefaultFile };
    private readonly Option<bool> json = new("--json") { Description = "Write exactly one JSON document to stdout", Recursive = true };
    private readonly Option<bool> quiet = new("-q", "--quiet") { Description = "No progress, only results and faults", Recursive = true };
    private readonly Option<bool> verbose = new("-v", "--verbose") { Description = "Say more on stderr", Recursive = true };

    public void AddTo(Command root)
    {
        foreach (var option in new Option[] { folder, file, json, quiet, verbose })
            root.Options.Add(option);
    }

    public Shell Shell(ParseResult parsed) => new(
        Path.GetFullPath(parsed.GetValue(folder) ?? "."),
        parsed.GetValue(file) ?? SpecParser.DefaultFile,
        parsed.GetValue(json),
        parsed.GetValue(quiet),
        parsed.GetValue(verbose));
}
