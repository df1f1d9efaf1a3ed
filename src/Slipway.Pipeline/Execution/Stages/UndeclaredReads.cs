using System.Text.RegularExpressions;
using Slipway.Documents.Specs;
using Slipway.Runtime.Sandbox;

namespace Slipway.Pipeline.Execution.Stages;

/// <summary>Finds, in the last words of a command that failed, a file of the project that it looked for and was not given.</summary>
/// <remarks>A stage's folder holds what it declares and nothing else, so that such a look-up fails inside the command, and nearly every program names the file.</remarks>
internal static partial class UndeclaredReads
{
    /// <summary>What stands around a path in messages.</summary>
    private static readonly char[] around = [' ', '\t', '\'', '"', '`', '‘', '’', '“', '”', '(', ')', '[', ']', '<', '>', '{', '}', ',', ';', ':', '='];

    /// <summary>The first path that the lines name, that is a file or folder of the project, and that the stage was not given.</summary>
    /// <param name="lines">The end of the command's output; only lines that tell of something missing count.</param>
    /// <param name="root">The project's folder.</param>
    /// <param name="folder">The stage's own folder, below which it saw its inputs.</param>
    /// <param name="own">Declared paths of its outputs: what it did not make itself is nothing to declare.</param>
    /// <param name="inputs">As the stage declares them: beside one of them a program looks for its modules.</param>
    /// <returns>Relative to the project; null when there is none.</returns>
    public static string? Find(IEnumerable<string> lines, string root, StageFolder folder, IEnumerable<string> own, IEnumerable<string> inputs) =>
        First(lines.Where(LogTail.MissesFile).SelectMany(line => Words(line).Concat(Modules(line, inputs))), root, folder, own);

    /// <summary>The same, of paths that the command is known to have looked for.</summary>
    public static string? First(IEnumerable<string> paths, string root, StageFolder folder, IEnumerable<string> own) =>
        paths.Select(path => Relative(path, root, folder.Seen.Root))
            .FirstOrDefault(path => path is not null && Path.Exists(Path.Combine(root, path)) && !Path.Exists(Path.Combine(folder.Root, path)) && !own.Any(place => Covers(place, path)));

    /// <summary>As it is written under <c>in:</c>: the dataset or output that the path is, or the path.</summary>
    /// <param name="root">The project's folder.</param>
    public static string InputFor(string path, Spec spec, string root)
    {
        foreach (var dataset in spec.Data.Values)
        {
            if (Covers(dataset.Path, path))
                return dataset.Name;
        }

        foreach (var stage in spec.Stages)
        {
            foreach (var (output, place) in stage.Outputs)
            {
                if (Covers(place, path))
                    return $"{stage.Name}.{output}";
            }
        }

        // A plain word would be a dataset's name.
        return Directory.Exists(Path.Combine(root, path)) ? path + "/" : path.AsSpan().ContainsAny('.', '/') ? path : "./" + path;
    }

    private static IEnumerable<string> Words(string line) => line.Split(around, StringSplitOptions.RemoveEmptyEntries).Select(word => word.TrimEnd('.'));

    /// <summary>Where Python would have found the module that a line misses: it lists folders, so that no failed look-up names the file.</summary>
    private static IEnumerable<string> Modules(string line, IEnumerable<string> inputs)
    {
        if (Module().Match(line) is not { Success: true } match)
            yield break;
        var parts = match.Groups[1].Value.Split('.');
        var folders = inputs.Select(input => input.EndsWith('/') ? input.TrimEnd('/') : Path.GetDirectoryName(input) ?? "").Append("").Distinct(StringComparer.Ordinal).ToList();
        for (var length = 1; length <= parts.Length; length++)
        {
            foreach (var module in folders.Select(above => Path.Combine([above, .. parts[..length]])))
            {
                yield return module + ".py";
                yield return module;
            }
        }
    }

    [GeneratedRegex(@"No module named '?([A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*)")]
    private static partial Regex Module();

    private static bool Covers(string declared, string path) => declared.TrimEnd('/') == path || (declared.EndsWith('/') && path.StartsWith(declared, StringComparison.Ordinal));

    /// <returns>Null for what cannot be a path inside the project.</returns>
    private static string? Relative(string word, string root, string stageRoot)
    {
        var path = word.StartsWith(stageRoot + "/", StringComparison.Ordinal) ? word[(stageRoot.Length + 1)..]
            : word.StartsWith(root + "/", StringComparison.Ordinal) ? word[(root.Length + 1)..]
            : word.StartsWith("./", StringComparison.Ordinal) ? word[2..]
            : word;
        path = path.TrimEnd('/');
        return path.Length == 0 || path.StartsWith('/') || path.Split('/').Any(part => part is "" or "." or ".." || Plan.ProjectFiles.IsIgnored(part)) ? null : path;
    }
}
