using System.Text;

namespace Slipway.Runtime.Sandbox;

/// <summary>A command's output as a file: bounded, with secrets masked, its progress lines told.</summary>
/// <remarks>The beginning is written as it comes; of what is beyond <see cref="Head"/> the last <see cref="Tail"/> bytes are kept and written at the end.</remarks>
public sealed class CommandLog : IDisposable
{
    /// <summary>Bytes: what people read of a log, many times over.</summary>
    public const int Head = 8 << 20, Tail = 1 << 20;

    /// <summary>Longest line of progress, bytes.</summary>
    private const int LongestProgress = 64;

    private static readonly byte[] mask = "***"u8.ToArray();

    private readonly byte[][] secrets;
    private readonly Action<Progress> tell;
    private readonly Lock writing = new();
    private readonly List<byte> line = [], silent = [];
    private byte[] held = [];
    private FileStream? file;
    private byte[]? ring;
    private long written, beyond;

    /// <param name="path">Created or appended to.</param>
    /// <param name="secrets">Texts that are replaced by ***, in all their <see cref="SecretForms"/>.</param>
    /// <param name="tell">Told each line that says <c>progress 40/100</c> or <c>progress 40 %</c>.</param>
    public CommandLog(string path, IEnumerable<string> secrets, Action<Progress> tell)
    {
        (this.tell, Path) = (tell, path);
        this.secrets = [.. secrets.SelectMany(Texts).Distinct().Select(Encoding.UTF8.GetBytes).SelectMany(Forms).OrderByDescending(secret => secret.Length)];
        file = new FileStream(path, FileMode.Append, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
    }

    public string Path { get; }

    /// <summary>Takes what the command wrote; from any thread. After <see cref="Dispose"/> it is dropped.</summary>
    public void Write(ReadOnlySpan<byte> bytes)
    {
        lock (writing)
        {
            if (file is null)
                return;
            FindProgress(bytes, line);
            if (secrets.Length == 0)
                Put(bytes);
            else
                Put(Masked(bytes, isLast: false));
        }
    }

    public void Dispose()
    {
        lock (writing)
        {
            if (file is null)
                return;
            Put(Masked([], isLast: true));
            if (ring is not null && beyond <= Tail)
            {
                Append(ring.AsSpan(0, (int)beyond));
            }
            else if (ring is not null)
            {
                Append(Encoding.UTF8.GetBytes($"\n[{beyond - Tail} bytes are left out here]\n"));
                Append(ring.AsSpan((int)(beyond % Tail)));
                Append(ring.AsSpan(0, (int)(beyond % Tail)));
            }

            file.Dispose();
            file = null;
        }
    }

    private void Put(ReadOnlySpan<byte> bytes)
    {
        var first = (int)Math.Min(bytes.Length, Math.Max(0, Head - written));
        Append(bytes[..first]);
        written += first;
        for (var rest = bytes[first..]; !rest.IsEmpty;)
        {
            ring ??= new byte[Tail];
            var at = (int)(beyond % Tail);
            var fits = Math.Min(rest.Length, Tail - at);
            rest[..fits].CopyTo(ring.AsSpan(at));
            beyond += fits;
            rest = rest[fits..];
        }
    }

    private void Append(ReadOnlySpan<byte> bytes)
    {
        try
        {
            if (!bytes.IsEmpty)
                file!.Write(bytes);
        }
        catch (IOException)
        {
            // The disk is full: the command is still to be drained, or it would wait for ever; its end tells of the disk.
        }
    }

    /// <summary>All but an end that may be the beginning of a secret; that is held back until more is known.</summary>
    private byte[] Masked(ReadOnlySpan<byte> bytes, bool isLast)
    {
        var all = (ReadOnlySpan<byte>)(byte[])[.. held, .. bytes];
        var result = new List<byte>(all.Length);
        while (true)
        {
            var (at, length) = First(all);
            var open = isLast ? 0 : Open(all);
            if (at < 0 || at >= all.Length - open)
            {
                result.AddRange(all[..^open]);
                held = all[^open..].ToArray();
                return [.. result];
            }

            result.AddRange(all[..at]);
            result.AddRange(mask);
            all = all[(at + length)..];
        }
    }

    private (int At, int Length) First(ReadOnlySpan<byte> bytes)
    {
        var (first, length) = (-1, 0);
        foreach (var secret in secrets)
        {
            var at = bytes.IndexOf(secret);
            if (at >= 0 && (first < 0 || at < first))
                (first, length) = (at, secret.Length);
        }

        return (first, length);
    }

    private int Open(ReadOnlySpan<byte> bytes)
    {
        for (var length = secrets.Length == 0 ? 0 : Math.Min(bytes.Length, secrets[0].Length - 1); length > 0; length--)
        {
            foreach (var secret in secrets)
            {
                if (length < secret.Length && bytes[^length..].SequenceEqual(secret.AsSpan(0, length)))
                    return length;
            }
        }

        return 0;
    }

    /// <summary>Looks for progress in what is not part of the log.</summary>
    public void FindProgress(ReadOnlySpan<byte> bytes) => FindProgress(bytes, silent);

    private void FindProgress(ReadOnlySpan<byte> bytes, List<byte> line)
    {
        while (!bytes.IsEmpty)
        {
            var end = bytes.IndexOfAny((byte)'\n', (byte)'\r');
            var part = end < 0 ? bytes : bytes[..end];
            if (line.Count <= LongestProgress)
                line.AddRange(part[..Math.Min(part.Length, LongestProgress + 1)]);
            if (end < 0)
                return;
            if (line.Count <= LongestProgress && Progress.Parse(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(line)) is { } progress)
                tell(progress);
            line.Clear();
            bytes = bytes[(end + 1)..];
        }
    }

    /// <summary>The whole base64 text too: of a short secret it is all there is to look for, and what chance makes of it costs a log some characters.</summary>
    private static IEnumerable<byte[]> Forms(byte[] text) => text.Length >= 4 ? SecretForms.Of(text).Append(Encoding.ASCII.GetBytes(Convert.ToBase64String(text))) : SecretForms.Of(text);

    private static IEnumerable<string> Texts(string secret) =>
        // An empty one would match everywhere. Lines of a longer secret, such as a key file's, are often written one by one.
        new[] { secret, secret.Trim() }.Concat(secret.Split('\n', StringSplitOptions.TrimEntries).Where(part => part.Length >= 8)).Where(text => text.Length > 0);
}

/// <summary>How far a command says it is.</summary>
/// <param name="Done">0 and above; at most <paramref name="Total"/>.</param>
/// <param name="Total">Above 0.</param>
public readonly record struct Progress(double Done, double Total)
{
    /// <summary>0 to 1.</summary>
    public double Share => Done / Total;

    /// <param name="line"><c>progress 40/100</c>, <c>progress 40 %</c> or <c>progress 0.4</c>.</param>
    /// <returns>Null when it is no such line.</returns>
    public static Progress? Parse(ReadOnlySpan<byte> line)
    {
        const string word = "progress ";
        Span<char> characters = stackalloc char[128];
        if (line.Length > characters.Length || !Encoding.UTF8.TryGetChars(line, characters, out var length))
            return null;
        ReadOnlySpan<char> text = characters[..length];
        text = text.Trim();
        if (!text.StartsWith(word, StringComparison.Ordinal))
            return null;
        text = text[word.Length..].Trim();
        if (text.IndexOf('/') is > 0 and var slash)
            return Number(text[..slash]) is { } done && Number(text[(slash + 1)..]) is > 0 and var total && done <= total ? new Progress(done, total) : null;
        var isPercent = text.EndsWith("%");
        return Number(text.TrimEnd("% ")) is { } share && share <= (isPercent ? 100 : 1) ? new Progress(share, isPercent ? 100 : 1) : null;
    }

    private static double? Number(ReadOnlySpan<char> text) =>
        double.TryParse(text.Trim(), System.Globalization.NumberStyles.AllowDecimalPoint, System.Globalization.CultureInfo.InvariantCulture, out var value) ? value : null;
}
