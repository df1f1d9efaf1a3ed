using System.IO.Enumeration;

namespace Slipway.Documents.Specs;

/// <summary>Patterns of paths: <c>*</c> and <c>?</c> within a name, <c>**</c> for any number of folders. Looks at no file.</summary>
/// <remarks>As in a shell, a wildcard matches no name that begins with a dot; who lists files sees to that.</remarks>
public static class Glob
{
    public static bool IsPattern(string path) => path.AsSpan().IndexOfAny('*', '?') >= 0;

    /// <summary>Whether the pattern can match the file <paramref name="path"/>, or anything below it when it is a folder.</summary>
    public static bool Reaches(string pattern, string path, bool isFolder)
    {
        return Reaches(pattern.Split('/', StringSplitOptions.RemoveEmptyEntries), path.Split('/'));

        bool Reaches(ReadOnlySpan<string> patterns, ReadOnlySpan<string> names)
        {
            if (patterns.IsEmpty || names.IsEmpty)
                return names.IsEmpty && (isFolder || patterns.IsEmpty);
            return patterns[0] == "**"
                ? Reaches(patterns[1..], names) || Reaches(patterns, names[1..]) || (patterns.Length == 1 && names.Length == 1)
                : Matches(patterns[0], names[0]) && Reaches(patterns[1..], names[1..]);
        }
    }

    /// <summary>Whether one part of a pattern, other than <c>**</c>, matches a name.</summary>
    /// <remarks>In the framework's matcher a backslash escapes; here it is a character as any other.</remarks>
    public static bool Matches(string part, string name) =>
        FileSystemName.MatchesSimpleExpression(part.Replace("\\", "\\\\"), name, ignoreCase: false);
}
