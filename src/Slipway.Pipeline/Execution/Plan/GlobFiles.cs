using Slipway.Documents.Specs;

namespace Slipway.Pipeline.Execution.Plan;

/// <summary>The project's files that a <see cref="Glob"/> stands for. Links to folders are not entered by <c>**</c>.</summary>
internal static class GlobFiles
{
    /// <summary>Matching files relative to <paramref name="root"/>, each once, unsorted; folders do not match.</summary>
    public static IEnumerable<string> Match(string root, string pattern)
    {
        var found = new HashSet<string>(StringComparer.Ordinal);
        Walk("", pattern.Split('/', StringSplitOptions.RemoveEmptyEntries));
        return found;

        void Walk(string prefix, ReadOnlySpan<string> rest)
        {
            var folder = Path.Combine(root, prefix);
            if (rest[0] == "**")
            {
                if (rest.Length > 1)
                    Walk(prefix, rest[1..]);
                foreach (var name in Names(folder))
                {
                    var path = new DirectoryInfo(Path.Combine(folder, name));
                    if (path is { Exists: true, LinkTarget: null })
                        Walk(prefix + name + "/", rest);
                    else if (rest.Length == 1 && !path.Exists)
                        found.Add(prefix + name);
                }
            }
            else
            {
                var part = rest[0];
                var names = Glob.IsPattern(part) ? Names(folder).Where(name => Glob.Matches(part, name)) : [part];
                foreach (var name in names)
                {
                    var path = Path.Combine(folder, name);
                    if (rest.Length > 1 && Directory.Exists(path))
                        Walk(prefix + name + "/", rest[1..]);
                    else if (rest.Length == 1 && File.Exists(path))
                        found.Add(prefix + name);
                }
            }
        }
    }

    private static IEnumerable<string> Names(string folder) =>
        Directory.Exists(folder)
            ? Directory.EnumerateFileSystemEntries(folder).Select(path => Path.GetFileName(path)).Where(name => !name.StartsWith('.'))
            : [];
}
