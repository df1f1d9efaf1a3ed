using System.Collections.Immutable;
using System.IO.Compression;
using System.Text;

namespace Slipway.Cli;

/// <summary>The first line of a table of text: its columns' names, and what parts them.</summary>
/// <remarks>Told from that line alone: a row that does not fit it is then an error of that row, and not another way to read the table.</remarks>
internal sealed record CsvHeader(char Delimiter, ImmutableArray<string> Columns)
{
    /// <summary>Where several are as frequent, the first.</summary>
    private const string Delimiters = ",;\t|";

    /// <summary>Bytes of a header, at most.</summary>
    private const int Longest = 64 * 1024;

    /// <exception cref="InvalidDataException">Its end in <c>.gz</c> is not true.</exception>
    public static CsvHeader Read(string path)
    {
        using Stream file = path.EndsWith(".gz", StringComparison.OrdinalIgnoreCase) ? new GZipStream(File.OpenRead(path), CompressionMode.Decompress) : File.OpenRead(path);
        var bytes = new byte[Longest];
        var text = Encoding.UTF8.GetString(bytes.AsSpan(0, file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false))).TrimStart('\ufeff');
        var counts = new int[Delimiters.Length];
        var (isQuoted, end) = (false, 0);
        for (; end < text.Length && (isQuoted || text[end] is not ('\n' or '\r')); end++)
        {
            isQuoted ^= text[end] == '"';
            if (!isQuoted && Delimiters.IndexOf(text[end], StringComparison.Ordinal) is >= 0 and var known)
                counts[known]++;
        }

        var delimiter = Delimiters[Array.IndexOf(counts, counts.Max())];
        return new CsvHeader(delimiter, [.. Cells(text[..end], delimiter)]);
    }

    private static IEnumerable<string> Cells(string line, char delimiter)
    {
        var (cell, isQuoted) = (new StringBuilder(), false);
        for (var i = 0; i < line.Length; i++)
        {
            if (line[i] == '"' && isQuoted && i + 1 < line.Length && line[i + 1] == '"')
                cell.Append(line[i++]);
            else if (line[i] == '"')
                isQuoted = !isQuoted;
            else if (line[i] == delimiter && !isQuoted)
                yield return Taken();
            else
                cell.Append(line[i]);
        }

        yield return Taken();

        string Taken()
        {
            var taken = cell.ToString();
            cell.Clear();
            return taken;
        }
    }
}
