using System.Collections.Immutable;
using System.Diagnostics;
using Slipway.Documents.Reading;
using Slipway.Primitives.Faults;

namespace Slipway.Documents.Specs;

/// <summary>Reads <c>slipway.yaml</c>: all faults at once, each with file, line and column.</summary>
public static class SpecParser
{
    /// <summary>The spec's name when nobody gives another.</summary>
    public const string DefaultFile = "slipway.yaml";

    /// <param name="projectRoot">Absolute path of the project's folder.</param>
    /// <param name="file">The spec's path, relative to <paramref name="projectRoot"/>.</param>
    /// <exception cref="SlipwayException">The spec is missing or unusable (exit 2), or may not be read (exit 3).</exception>
    public static Spec Load(string projectRoot, string file = DefaultFile)
    {
        var help = file == DefaultFile && File.Exists(Path.Combine(projectRoot, "slipway.yml"))
            ? "There is a slipway.yml: rename it, or give --file slipway.yml."
            : "Go to the project's folder, name it with -C DIR, or name the spec with --file.";
        return Parse(file, UserFile.Read(projectRoot, file, "spec", help), projectRoot);
    }

    /// <param name="file">What faults call it.</param>
    /// <param name="content">UTF-8, at most 1 MiB.</param>
    /// <param name="projectRoot">Where <c>params: FILE</c> is looked for; a spec that names one cannot be read without.</param>
    /// <exception cref="SlipwayException">The spec is unusable (exit 2).</exception>
    public static Spec Parse(string file, ReadOnlyMemory<byte> content, string? projectRoot = null) =>
        Parse(file, content, projectRoot, typeof(SpecParser).Assembly.GetName().Version!);

    internal static Spec Parse(string file, ReadOnlyMemory<byte> content, string? projectRoot, Version version)
    {
        var faults = new FaultList();
        var root = YamlTree.Read(file, content.Span, "spec", faults);
        if (!SpecGrammar.Spec.TryRead(root, new Label("the spec", new Place(file, 1, 1)), faults, out var draft))
        {
            faults.ThrowIfAny();
            throw new UnreachableException("a spec was not read and no fault says why");
        }

        if (draft.Params.File is { } named)
            draft = draft with { Params = draft.Params with { Values = ParamsOf(named, projectRoot, faults) } };
        var spec = new SpecResolver(draft, faults).Resolve(file, version);
        faults.ThrowIfAny();
        return spec with { Sources = draft.Params.File is { } paramsFile ? [file, paramsFile.Value] : [file] };
    }

    private static ImmutableArray<Param>? ParamsOf(Placed<string> file, string? projectRoot, FaultList faults)
    {
        if (projectRoot is null)
        {
            faults.Add(file.At, "params-missing", $"params is the file {Node.Quote(file.Value)}, and there is no project folder here to read it from", "Write the params into the spec.");
            return null;
        }

        try
        {
            var root = YamlTree.Read(file.Value, UserFile.Read(projectRoot, file.Value, "params", "Write the file, or write the params into the spec."), "params", faults);
            return new ParamGrammar().TryRead(root, new Label("the params file", new Place(file.Value, 1, 1)), faults, out var values) ? values : null;
        }
        catch (SlipwayException e) when (e.Exit == ExitCode.UnusableInput)
        {
            foreach (var fault in e.Faults)
            {
                // What the tree's reader threw is in the list already; what the file's reader threw gets the place that names the file.
                if (fault.Line is null)
                    faults.Add(fault with { File = file.At.File, Line = file.At.Line, Column = file.At.Column, Message = $"params is the file {Node.Quote(file.Value)}: {fault.Message}" });
            }

            return null;
        }
    }
}
