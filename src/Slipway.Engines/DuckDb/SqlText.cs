using System.Globalization;

namespace Slipway.Engines.DuckDb;

/// <summary>The only place where names and values become SQL text.</summary>
public static class SqlText
{
    /// <summary><c>"a ""b"""</c>: any name, exactly as written.</summary>
    /// <exception cref="ArgumentException">Empty, or holds a NUL, which would end the statement early.</exception>
    public static string Identifier(string name) =>
        name.Length > 0 ? $"\"{Whole(name).Replace("\"", "\"\"")}\"" : throw new ArgumentException("an SQL name has at least one character", nameof(name));

    /// <summary><c>'it''s'</c>.</summary>
    /// <exception cref="ArgumentException">Holds a NUL.</exception>
    public static string Literal(string value) => $"'{Whole(value).Replace("'", "''")}'";

    public static string Literal(long value) => value.ToString(CultureInfo.InvariantCulture);

    /// <summary>Every double, infinities and NaN included, as a DOUBLE.</summary>
    public static string Literal(double value) => $"'{value.ToString("R", CultureInfo.InvariantCulture)}'::DOUBLE";

    public static string Literal(bool value) => value ? "true" : "false";

    /// <summary><c>['a', 'b']</c>.</summary>
    public static string List(IEnumerable<string> values) => $"[{string.Join(", ", values.Select(Literal))}]";

    /// <summary>A list of files for a reading function, each standing for itself alone.</summary>
    public static string Files(IEnumerable<string> paths) => List(paths.Select(Plain));

    /// <summary>DuckDB takes * ? and [ in a path for a glob, and there is no escape but a class of one character.</summary>
    internal static string Plain(string path) => path.Replace("[", "[[]").Replace("*", "[*]").Replace("?", "[?]");

    private static string Whole(string text) =>
        text.Contains('\0') ? throw new ArgumentException("a NUL cannot stand in SQL text", nameof(text)) : text;
}
