using System.IO.Enumeration;

namespace Slipway.Pipeline.Execution.Plan;

/// <summary>Patterns over the project's files: <c>*</c> and <c>?</c> within a name, <c>**</c> for any number of folders.</summary>
/// <remarks>As in a shell, a wildcard matches no name that begins with a dot. Links to folders are not entered by <c>**</c>.</remarks>
internal static class Glob
{
    public static bool IsPattern(string path) => path.AsSpan().IndexOfAny('*', '?') >= 0;

    /// <summary>Whether the pattern can match the file <paramref name="path"/>, or anything below it when it is a folder. Looks at no file.</summary>
    public static bool Reaches(string pattern, string path, bool isFolder)
    {
        return Reaches(pattern.Split('/', StringSplitOptions.RemoveEmptyEntries), path.Split('/'));

        bool Reaches(ReadOnlySpan<string> patterns, ReadOnlySpan<string> names)
        {
            if (patterns.IsEmpty || names.IsEmpty)
                return names.IsEmpty && (isFolder || patterns.IsEmpty);
            return patterns[0] == "**"
                ? Reaches(patterns[1..], names) || Reaches(patterns, names[1..]) || (patterns.Length == 1 && names.Length == 1)
                : Matches(patterns[0])(names[0]) && Reaches(patterns[1..], names[1..]);
        }
    }

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
                var names = IsPattern(rest[0]) ? Names(folder).Where(Matches(rest[0])) : [rest[0]];
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

    private static Func<string, bool> Matches(string pattern) =>
        name => FileSystemName.MatchesSimpleExpression(pattern.Replace("\\", "\\\\"), name, ignoreCase: false);

    private static IEnumerable<string> Names(string folder) =>
        Directory.Exists(folder)
            ? Directory.EnumerateFileSystemEntries(folder).Select(path => Path.GetFileName(path)).Where(name => !name.StartsWith('.'))
            : [];
}
