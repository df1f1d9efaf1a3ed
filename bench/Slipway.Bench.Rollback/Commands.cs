using System.Diagnostics;
using System.Text;
using System.Text.Json.Nodes;

namespace Slipway.Bench.Rollback;

/// <summary>The command line, in a project and a home of its own.</summary>
internal sealed class Commands(string slipway, string project, string home)
{
    public Dictionary<string, string> Variables { get; } = [];

    /// <exception cref="InvalidOperationException">It ended with another code than 0.</exception>
    public string Run(params string[] arguments)
    {
        using var process = Start(arguments);
        var errors = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0 ? output : throw new InvalidOperationException($"slipway {string.Join(' ', arguments)} ended with {process.ExitCode}: {output}{errors.Result}");
    }

    /// <summary>Starts a verb that serves, and gives the document that it prints.</summary>
    public (Process Process, JsonNode Document) Serve(params string[] arguments)
    {
        var process = Start([.. arguments, "--json", "--quiet"]);
        process.ErrorDataReceived += (_, line) => Console.Error.WriteLine(line.Data);
        process.BeginErrorReadLine();
        var document = new StringBuilder();
        while (process.StandardOutput.ReadLine() is { } line)
        {
            document.AppendLine(line);
            if (line == "}")
                return (process, JsonNode.Parse(document.ToString())!);
        }

        throw new InvalidOperationException($"slipway {string.Join(' ', arguments)} ended before it served: {document}");
    }

    private Process Start(params string[] arguments)
    {
        var start = new ProcessStartInfo(slipway, arguments) { WorkingDirectory = project, RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["HOME"] = home;
        start.Environment.Remove("XDG_CONFIG_HOME");
        foreach (var (name, value) in Variables)
            start.Environment[name] = value;
        return Process.Start(start)!;
    }
}
