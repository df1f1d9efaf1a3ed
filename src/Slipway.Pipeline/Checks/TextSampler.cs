using System.Buffers;
using System.IO.Compression;

namespace Slipway.Pipeline.Checks;

/// <summary>Cuts a text table into its records and copies some of them, byte by byte: no value, quote or line end is written otherwise than it was.</summary>
/// <remarks>
/// A record of CSV ends at a line feed outside quotes (RFC 4180, section 2); one of JSON lines at any line feed. Empty lines are no records. Files that quote by another
/// character are told by their count, which is then not the reader's.
/// </remarks>
/// <param name="quoted">Whether line feeds may stand inside quotes: CSV.</param>
internal sealed class TextSampler(bool quoted)
{
    /// <summary>Bytes a read.</summary>
    private const int ReadSize = 1 << 17;

    /// <summary>Records of a file, the header among them.</summary>
    public long Count(string file, CancellationToken cancellation)
    {
        using var from = Open(file);
        long records = 0;
        Walk(from, (_, isFirst) => records += isFirst ? 1 : 0, cancellation);
        return records;
    }

    /// <param name="keep">Asked for each record of the file by its number, from 0, in their order.</param>
    public void Copy(string file, string target, Func<long, bool> keep, CancellationToken cancellation)
    {
        using var from = Open(file);
        using var written = new FileStream(target, FileMode.CreateNew, FileAccess.Write);
        using var to = IsCompressed(file) ? new GZipStream(written, CompressionLevel.Fastest) : (Stream)written;
        var (record, kept) = (-1L, false);
        Walk(
            from,
            (part, isFirst) =>
            {
                if (isFirst)
                    kept = keep(++record);
                if (kept)
                    to.Write(part);
            },
            cancellation);
    }

    private delegate void Part(ReadOnlySpan<byte> part, bool isFirst);

    /// <summary>Hands on each record in parts, the line feed at its end among them; a file of one endless line takes no more memory than any other.</summary>
    private void Walk(Stream from, Part each, CancellationToken cancellation)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(ReadSize);
        try
        {
            var (inQuotes, begun) = (false, false);
            while (from.Read(buffer) is > 0 and var read)
            {
                cancellation.ThrowIfCancellationRequested();
                for (var rest = buffer.AsSpan(0, read); !rest.IsEmpty;)
                {
                    var (length, ended) = Line(rest, ref inQuotes);
                    var part = rest[..length];
                    rest = rest[length..];
                    // A blank line, whose carriage return may be all that another read gave.
                    if (begun || part.ContainsAnyExcept((byte)'\r', (byte)'\n'))
                    {
                        each(part, !begun);
                        begun = !ended;
                    }
                }
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private (int Length, bool Ended) Line(ReadOnlySpan<byte> text, ref bool inQuotes)
    {
        for (var at = 0; at < text.Length;)
        {
            var next = quoted ? inQuotes ? text[at..].IndexOf((byte)'"') : text[at..].IndexOfAny((byte)'"', (byte)'\n') : text[at..].IndexOf((byte)'\n');
            if (next < 0)
                break;
            at += next + 1;
            if (text[at - 1] == '\n' && !inQuotes)
                return (at, true);
            inQuotes = !inQuotes;
        }

        return (text.Length, false);
    }

    private static Stream Open(string file)
    {
        var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0, FileOptions.SequentialScan);
        return IsCompressed(file) ? new GZipStream(stream, CompressionMode.Decompress) : stream;
    }

    private static bool IsCompressed(string file) => file.EndsWith(".gz", StringComparison.OrdinalIgnoreCase);
}
