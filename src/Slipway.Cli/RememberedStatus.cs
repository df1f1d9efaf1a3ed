using System.Globalization;
using System.Text;
using Slipway.Primitives.Files;

namespace Slipway.Cli;

/// <summary>
/// The last status in which nothing would run, with the stamps of all that it hangs on. While they are the same, so is the answer,
/// and giving it needs neither the spec's parser nor the command tree.
/// </summary>
/// <remarks>
/// Text, UTF-8: the format and the program's own stamp; how many paths; a line for each, stamp and path; then the answer as text and as JSON,
/// each preceded by its length in characters. Anything unexpected in it means that there is none.
/// </remarks>
internal static class RememberedStatus
{
    private const string Format = "slipway status 1";

    /// <summary>A larger file is not one of ours.</summary>
    private const long MaxBytes = 4 << 20;

    /// <summary>Answers <c>status</c> with nothing but <c>-C</c>, <c>--file</c> and <c>--json</c>, when the answer is known.</summary>
    public static bool TryAnswer(string[] args)
    {
        var (folder, file, json, isStatus) = (".", "slipway.yaml", false, false);
        for (var i = 0; i < args.Length; i++)
        {
            switch (args[i])
            {
                case "status" when !isStatus:
                    isStatus = true;
                    break;
                case "--json":
                    json = true;
                    break;
                case "-C" or "--directory" when i + 1 < args.Length:
                    folder = args[++i];
                    break;
                case "--file" when i + 1 < args.Length:
                    file = args[++i];
                    break;
                default:
                    return false;
            }
        }

        if (!isStatus || Load(FileFor(Path.GetFullPath(folder), file)) is not { } answer)
            return false;
        using var output = Console.OpenStandardOutput();
        output.Write(Encoding.UTF8.GetBytes(json ? answer.Json : answer.Text));
        return true;
    }

    /// <param name="paths">All that the answer hangs on.</param>
    /// <param name="began">When finding it out began, nanoseconds since 1970: what changed after that may not be in the answer.</param>
    public static void Save(string root, string specFile, IEnumerable<string> paths, long began, string text, string json)
    {
        var stamps = paths.Select(path => (path, stamp: FileStamp.Of(path))).ToList();
        if (stamps.Any(entry => entry.path.Contains('\n') || entry.stamp is { } stamp && stamp.IsRacy(began)))
            return;
        var content = new StringBuilder(Format).Append('\n').Append(Line(FileStamp.Of(Self))).Append('\n').Append(stamps.Count).Append('\n');
        foreach (var (path, stamp) in stamps)
            content.Append(Line(stamp)).Append(' ').Append(path).Append('\n');
        content.Append(text.Length).Append('\n').Append(text).Append(json.Length).Append('\n').Append(json);
        AtomicFile.Write(FileFor(root, specFile), Encoding.UTF8.GetBytes(content.ToString()));
    }

    private static string Self => typeof(RememberedStatus).Assembly.Location;

    private static string FileFor(string root, string specFile) =>
        Path.Combine(root, ".slipway", "status-" + Convert.ToHexStringLower(Encoding.UTF8.GetBytes(specFile)));

    private static (string Text, string Json)? Load(string path)
    {
        try
        {
            if (FileStamp.Of(path) is not { Kind: FileKind.File, Size: <= MaxBytes })
                return null;
            var content = File.ReadAllText(path);
            var at = 0;
            if (Next() != Format || Next() != Line(FileStamp.Of(Self)))
                return null;
            for (var left = int.Parse(Next(), CultureInfo.InvariantCulture); left > 0; left--)
            {
                var line = Next();
                var mark = line.IndexOf(' ');
                if (mark < 0 || Line(FileStamp.Of(line[(mark + 1)..])) != line[..mark])
                    return null;
            }

            return (Counted(), Counted());

            string Next()
            {
                var end = content.IndexOf('\n', at);
                var line = end < 0 ? throw new FormatException("cut") : content[at..end];
                at = end + 1;
                return line;
            }

            string Counted()
            {
                var length = int.Parse(Next(), CultureInfo.InvariantCulture);
                var text = content.Substring(at, length);
                at += length;
                return text;
            }
        }
        catch (Exception e) when (e is FormatException or OverflowException or ArgumentException or IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static string Line(FileStamp? stamp) => stamp?.ToText() ?? "-";
}
