using System.CommandLine;
using Slipway.Documents.Specs;
using Slipway.Primitives.Faults;

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

    /// <exception cref="SlipwayException">The folder has no name (exit 2).</exception>
    public Shell Shell(ParseResult parsed) => Value(parsed, folder) is { Length: 0 }
        ? throw new SlipwayException(ExitCode.UnusableInput, new Fault("bad-argument", "--directory is '', allowed is the path of a folder", Help: "leave it out to work in the folder that you are in"))
        : ShellIn(Value(parsed, folder) ?? ".", parsed);

    /// <summary>For what is told before a folder is known.</summary>
    public Shell ShellHere(ParseResult parsed) => ShellIn(".", parsed);

    private Shell ShellIn(string named, ParseResult parsed) => new(
        Path.GetFullPath(named),
        Value(parsed, file) ?? SpecParser.DefaultFile,
        Value(parsed, json),
        Value(parsed, quiet),
        Value(parsed, verbose));

    /// <summary>One that was misread has none, and its fault is told before anything is done.</summary>
    private static T? Value<T>(ParseResult parsed, Option<T> option) => parsed.GetResult(option)?.Errors.Any() == true ? default : parsed.GetValue(option);
}
