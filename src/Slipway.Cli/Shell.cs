using System.Diagnostics.CodeAnalysis;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Slipway.Documents.Runs;
using Slipway.Documents.Specs;
using Slipway.Primitives.Faults;

namespace Slipway.Cli;

/// <summary>What a verb sees of its surroundings: folder, output form, and the two streams. Results go to stdout, all else to stderr.</summary>
/// <param name="Folder">Absolute path of the project's folder.</param>
/// <param name="SpecFile">The spec's name relative to it.</param>
internal sealed record Shell(string Folder, string SpecFile, bool Json, bool Quiet, bool Verbose)
{
    private static readonly JsonSerializerOptions Readable = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public ProjectFolder Project => new(Folder, SpecFile);

    /// <summary>Reads and checks the spec.</summary>
    /// <exception cref="SlipwayException">Missing or unusable (exit 2).</exception>
    public Spec LoadSpec() => SpecParser.Load(Folder, SpecFile);

    /// <summary>A path that was given on the command line, from the folder that the verb works in.</summary>
    [return: NotNullIfNotNull(nameof(given))]
    public string? PathOf(string? given) => given is null ? null : Path.GetFullPath(given, Folder);

    public PrintableWriter Out { get; init; } = new(Console.Out);

    public PrintableWriter Err { get; } = new(Console.Error);

    /// <summary>Whether a person watches stderr, so that a line may be redrawn.</summary>
    public bool Live { get; } = !Console.IsErrorRedirected && Environment.GetEnvironmentVariable("TERM") is not (null or "dumb");

    /// <summary>Whether a result is coloured.</summary>
    public bool Colour { get; init; } = OutTakesColour;

    /// <summary>Whether stdout takes colour: a terminal, without <c>NO_COLOR</c> (no-color.org).</summary>
    public static bool OutTakesColour => !Console.IsOutputRedirected && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR")) && Environment.GetEnvironmentVariable("TERM") is not (null or "dumb");

    /// <summary>Whether what is drawn on stderr takes colour.</summary>
    public bool LiveColour => Live && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR"));

    /// <summary>Writes the one document of <c>--json</c>.</summary>
    public void WriteJson(JsonNode document)
    {
        Out.WriteLine(Render(document));
        Out.Flush();
    }

    /// <summary>A remark on stderr, not on <c>-q</c>.</summary>
    public void Note(string text)
    {
        if (!Quiet)
            Err.WriteLine(text);
    }

    /// <summary>A warning on stderr, on <c>-q</c> as well.</summary>
    public void Warn(string text) => Err.WriteLine("warning: " + text);

    /// <summary>For a verb that serves: waits for Ctrl-C or SIGTERM.</summary>
    /// <param name="ended">What it serves by: none of them ends before, but by a bug, which is thrown.</param>
    public static async Task UntilStoppedAsync(CancellationToken stop, params Task[] ended)
    {
        var stopped = Task.Delay(Timeout.Infinite, stop);
        if (await Task.WhenAny([stopped, .. ended]) is var first && first != stopped)
        {
            await first;
            throw new System.Diagnostics.UnreachableException("a part that serves ended by itself");
        }
    }

    /// <summary>Tells every fault, and gives the exit code.</summary>
    public int Report(SlipwayException failure)
    {
        if (Json)
        {
            WriteJson(new JsonObject { ["faults"] = new JsonArray([.. failure.Faults.Select(Render)]) });
            return (int)failure.Exit;
        }

        foreach (var fault in failure.Faults)
        {
            Err.WriteLine("error: " + fault);
            if (fault.Help is { } help)
                Err.WriteLine("  → " + help);
        }

        return (int)failure.Exit;
    }

    /// <summary>Says that this is our mistake and how to report it.</summary>
    public int ReportBug(Exception e)
    {
        const string help = "please report it with the text above and the output of slipway --version; nothing that was finished is lost";
        if (Json)
            WriteJson(new JsonObject { ["faults"] = new JsonArray(Render(new Fault("bug", $"{e.GetType().Name}: {e.Message}", Help: help))) });
        Err.WriteLine($"slipway has a bug: {e}");
        Err.WriteLine("  → " + help);
        return (int)ExitCode.Bug;
    }

    /// <summary>A document as people can read it too.</summary>
    public static string Render(JsonNode document) => document.ToJsonString(Readable);

    internal static JsonNode Render(Fault fault) => new JsonObject
    {
        ["code"] = fault.Code,
        ["file"] = fault.File,
        ["line"] = fault.Line,
        ["column"] = fault.Column,
        ["message"] = fault.Message,
        ["help"] = fault.Help,
    };
}
