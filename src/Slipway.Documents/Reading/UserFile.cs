using System.Text;
using Slipway.Primitives.Faults;
using Slipway.Primitives.Files;

namespace Slipway.Documents.Reading;

/// <summary>A text file that a person wrote: read whole, bounded, strict UTF-8.</summary>
internal static class UserFile
{
    /// <summary>The largest file that is read, in bytes. Real ones have a few KiB; a larger one is a data file named by mistake.</summary>
    public const int MostBytes = 1 << 20;

    private static readonly UTF8Encoding StrictUtf8 = new(false, throwOnInvalidBytes: true);

    /// <param name="path">As the user named it: relative to <paramref name="projectRoot"/>, or absolute.</param>
    /// <param name="kind">What it is, for codes and messages: <c>spec</c>, <c>expectations</c>.</param>
    /// <exception cref="SlipwayException">Missing, a folder or too large (exit 2); not readable (exit 3).</exception>
    public static byte[] Read(string projectRoot, string path, string kind, string help)
    {
        var full = Path.Combine(projectRoot, path);
        try
        {
            // Opening a pipe waits for somebody to write into it, perhaps for ever.
            if (FileStamp.Of(full) is { Kind: not (FileKind.File or FileKind.Folder) and var other })
                throw Unusable($"{kind}-missing", $"this is no regular file ({other.ToString().ToLowerInvariant()}), expected a {kind} file");
            using var file = new FileStream(full, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
            if (file.Length > MostBytes)
                throw Unusable($"{kind}-too-large", $"the {kind} file has {file.Length} bytes, allowed at most {MostBytes}");
            var content = new byte[file.Length];
            file.ReadExactly(content);
            return content;
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw Unusable($"{kind}-missing", $"there is no such {kind} file in {projectRoot}");
        }
        catch (UnauthorizedAccessException) when (Directory.Exists(full))
        {
            throw Unusable($"{kind}-missing", $"this is a folder, expected a {kind} file");
        }
        catch (UnauthorizedAccessException e)
        {
            throw new SlipwayException(ExitCode.NotThere, new Fault($"{kind}-unreadable", $"the {kind} file may not be read by this user", path, Help: "Give yourself the right to read it."), e);
        }
        catch (IOException e)
        {
            throw new SlipwayException(ExitCode.NotThere, new Fault($"{kind}-unreadable", $"the {kind} file cannot be read: {e.Message}", path), e);
        }

        SlipwayException Unusable(string code, string message) => new(ExitCode.UnusableInput, new Fault(code, message, path, Help: help));
    }

    /// <summary>The text without its byte order mark; null, with faults added, when it holds anything that no text file holds.</summary>
    /// <remarks>A NUL ends a YAML stream early for some readers, so that the rest would be ignored; such characters are refused first.</remarks>
    public static string? Text(string file, ReadOnlySpan<byte> content, FaultList faults)
    {
        if (content.StartsWith("\uFEFF"u8))
            content = content[3..];
        string text;
        try
        {
            text = StrictUtf8.GetString(content);
        }
        catch (DecoderFallbackException e)
        {
            var before = content[..Math.Clamp(e.Index, 0, content.Length)];
            faults.Add(At(file, Encoding.UTF8.GetString(before)), "not-utf8", "a byte here is not UTF-8, the only encoding that is read", "Save the file as UTF-8.");
            return null;
        }

        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] is '\t' or '\n' or '\r' || !(char.IsControl(text[i]) || text[i] is '\u2028' or '\u2029' or '\uFFFE' or '\uFFFF'))
                continue;
            faults.Add(At(file, text[..i]), "control-character", $"the character U+{(int)text[i]:X4} stands here, allowed are printable characters, tabs and line ends", "Remove it, or write it as an escape in double quotes.");
            return null;
        }

        return text;
    }

    private static Place At(string file, string before)
    {
        var start = before.LastIndexOf('\n') + 1;
        return new Place(file, before.Count(c => c == '\n') + 1, before.Length - start + 1);
    }
}
