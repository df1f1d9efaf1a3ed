using System.Text;
using Slipway.Primitives.Faults;

namespace Slipway.Store.Archives;

/// <summary>Which paths an archive may hold. The same rules bind the writer and the reader.</summary>
internal static class ArchivePath
{
    internal static readonly UTF8Encoding StrictUtf8 = new(false, throwOnInvalidBytes: true);

    /// <exception cref="SlipwayException">The path is not allowed (exit 2).</exception>
    public static byte[] Check(string path)
    {
        if (path.StartsWith('/'))
            throw Refused("archive-absolute-path", path, "is absolute; allowed are paths below the archive's root");
        foreach (var c in path)
        {
            // A control character forges lines of logs; a backslash is a separator for other systems' tools.
            if (char.IsControl(c) || c == '\\')
                throw Refused("archive-path-character", path, $"holds the character U+{(int)c:X4}; control characters and backslashes are not allowed");
        }

        var bytes = Encode(path);
        if (bytes.Length > ArchiveLimits.MaxPathBytes)
            throw Refused("archive-name-too-long", path, $"has {bytes.Length} bytes, allowed {ArchiveLimits.MaxPathBytes}");
        foreach (var name in path.Split('/'))
        {
            if (name == "..")
                throw Refused("archive-parent-path", path, "leads through '..'; allowed are paths below the archive's root");
            if (name is "" or ".")
                throw Refused("archive-path-shape", path, "has an empty name or '.' in it; write a/b/c");
            if (Encoding.UTF8.GetByteCount(name) > ArchiveLimits.MaxNameBytes)
                throw Refused("archive-name-too-long", path, $"has a name of more than {ArchiveLimits.MaxNameBytes} bytes");
        }

        return bytes;
    }

    public static SlipwayException Refused(string code, string path, string finding) =>
        new(ExitCode.UnusableInput, new Fault(code, $"the archive path '{ForeignText.Shown(path)}' {finding}"));

    private static byte[] Encode(string path)
    {
        try
        {
            return StrictUtf8.GetBytes(path);
        }
        catch (EncoderFallbackException)
        {
            throw Refused("archive-path-character", path, "has no UTF-8 form");
        }
    }
}

/// <summary>The order of an archive's paths: ascending by byte, none twice, none below a path that is a file.</summary>
/// <remarks>
/// Ascending order puts everything that begins with a path right behind it, so the files that are a beginning of the last
/// path are all that must be remembered: memory is bounded by one path, whatever the archive's length.
/// </remarks>
internal sealed class PathOrder
{
    private readonly List<byte[]> beginnings = [];

    /// <exception cref="SlipwayException">Duplicate, out of order, or below a file (exit 2).</exception>
    public void Add(string path, byte[] bytes)
    {
        if (beginnings.Count > 0)
        {
            var order = bytes.AsSpan().SequenceCompareTo(beginnings[^1]);
            if (order == 0)
                throw ArchivePath.Refused("archive-duplicate", path, "stands twice");
            if (order < 0)
                throw ArchivePath.Refused("archive-order", path, "is out of order; paths ascend by byte");
        }

        while (beginnings.Count > 0 && !bytes.AsSpan().StartsWith(beginnings[^1]))
            beginnings.RemoveAt(beginnings.Count - 1);
        foreach (var file in beginnings)
        {
            if (bytes[file.Length] == (byte)'/')
                throw ArchivePath.Refused("archive-path-conflict", path, $"lies below '{Encoding.UTF8.GetString(file)}', which is a file");
        }

        beginnings.Add(bytes);
    }
}
