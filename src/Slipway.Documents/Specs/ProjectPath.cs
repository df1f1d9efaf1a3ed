using System.Text;
using Slipway.Documents.Reading;

namespace Slipway.Documents.Specs;

/// <summary>Paths of the project as a spec writes them: relative, with slashes, never out of the project or into Slipway's own files.</summary>
internal static class ProjectPath
{
    /// <summary>UTF-8 bytes of a path; leaves room below the kernel's 4096 for the project's own folder.</summary>
    public const int Longest = 1024;

    /// <summary>What every form has in common, for the schema.</summary>
    private const string Pattern = @"^(?![/~])(?!(?:.*/)?\.\.(?:/|$))[^\\$]+$";

    private const string OutputPattern = @"^(?![/~])(?!(?:.*/)?\.\.(?:/|$))(?:[^\\$]|\$\{params\.[^}\\$]+\})+$";

    private const string Inside = "inside the project: relative, without '..', not under .slipway, not slipway.lock";

    /// <summary>One file.</summary>
    public static Shape<string> File { get; } = Of($"the path of a file {Inside}", path => IsPath(path) && !IsGlob(path) && path[^1] != '/');

    /// <summary>A file, or a folder that ends in a slash.</summary>
    /// <remarks>A stage with a foreach names the params that it sets: <c>build/${params.leaves}/</c>.</remarks>
    public static Shape<string> Output { get; } = new MadeShape<string, string>(
        new TextShape($"the path of a file, or of a folder with a slash at its end, {Inside}", path => IsOutput(ParamReferences.Fill(path, _ => "x")), OutputPattern, "bad-path"),
        (path, _) => Normal(path));

    /// <summary>A file, a folder or a glob.</summary>
    public static Shape<string> Source { get; } = Of($"the path of a file, folder or glob {Inside}", IsPath);

    /// <summary>A name or a path, as written: a leading <c>./</c> tells a path from a name.</summary>
    public static Shape<string> Input { get; } =
        new TextShape($"a dataset, an output as stage.output, or the path of a file, folder or glob {Inside}", IsPath, Pattern, "bad-path");

    /// <summary>Without the leading <c>./</c>.</summary>
    public static string Normal(string path) => path.StartsWith("./", StringComparison.Ordinal) ? path[2..] : path;

    public static bool IsGlob(string path) => path.AsSpan().ContainsAny('*', '?', '[');

    /// <summary>Whether both are the same, or one is inside the other.</summary>
    public static bool Overlap(string a, string b)
    {
        var (x, y) = (a.TrimEnd('/'), b.TrimEnd('/'));
        return x.Length <= y.Length ? Holds(x, y) : Holds(y, x);
    }

    /// <summary>Whether a stage may write there, no reference being left in it.</summary>
    internal static bool IsOutput(string path) => IsPath(path) && !IsGlob(path);

    private static bool Holds(string outer, string inner) =>
        inner.StartsWith(outer, StringComparison.Ordinal) && (inner.Length == outer.Length || inner[outer.Length] == '/');

    private static Shape<string> Of(string allowed, Func<string, bool> accepts) =>
        new MadeShape<string, string>(new TextShape(allowed, accepts, Pattern, "bad-path"), (path, _) => Normal(path));

    private static bool IsPath(string text)
    {
        var path = Normal(text);
        if (path.Length == 0 || path[0] is '/' or '~' || Encoding.UTF8.GetByteCount(path) > Longest)
            return false;
        var body = path.AsSpan(0, path[^1] == '/' ? path.Length - 1 : path.Length);
        foreach (var range in body.Split('/'))
        {
            if (body[range] is "" or "." or "..")
                return false;
        }

        foreach (var c in path)
        {
            if (char.IsControl(c) || c is '\\' or '$')
                return false;
        }

        return !Overlap(".slipway", path) && !Overlap("slipway.lock", path);
    }
}
