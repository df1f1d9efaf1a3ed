using System.Buffers.Binary;
using System.Text;
using Slipway.Primitives.Faults;
using Slipway.Primitives.Files;

namespace Slipway.Cli;

/// <summary>
/// The last status in which nothing would run, with the stamps of all that it hangs on. While they are the same, so is the answer,
/// and giving it needs neither the spec's parser nor the command tree.
/// </summary>
/// <remarks>
/// The format and the program's own stamp; how many paths; for each its stamp, and the path with a zero behind it; then the answer as text and as JSON,
/// each preceded by its length in bytes. Little-endian. Anything unexpected in it means that there is none.
/// </remarks>
internal static class RememberedStatus
{
    private const int StampBytes = 48;

    /// <summary>A larger file is not one of ours, and not worth the reading.</summary>
    private const long MaxBytes = 32 << 20;

    private static ReadOnlySpan<byte> Format => "slipway status 2\n"u8;

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
        output.Write(json ? answer.Json : answer.Text);
        return true;
    }

    /// <param name="paths">All that the answer hangs on.</param>
    /// <param name="began">When finding it out began, nanoseconds since 1970: what changed after that may not be in the answer.</param>
    public static void Save(string root, string specFile, IEnumerable<string> paths, long began, string text, string json)
    {
        var stamps = paths.Select(path => (path, stamp: FileStamp.Of(path))).ToList();
        if (stamps.Any(entry => entry.stamp is { } stamp && stamp.IsRacy(began)))
            return;
        using var content = new MemoryStream();
        using (var writer = new BinaryWriter(content, Encoding.UTF8, leaveOpen: true))
        {
            writer.Write(Format);
            Write(writer, FileStamp.Of(Self));
            writer.Write(stamps.Count);
            foreach (var (path, stamp) in stamps)
            {
                Write(writer, stamp);
                writer.Write(Encoding.UTF8.GetBytes(path));
                writer.Write((byte)0);
            }

            foreach (var answer in new[] { text, json })
            {
                var bytes = Encoding.UTF8.GetBytes(answer);
                writer.Write(bytes.Length);
                writer.Write(bytes);
            }
        }

        if (content.Length <= MaxBytes)
            AtomicFile.Write(FileFor(root, specFile), content.ToArray());
    }

    private static string Self => typeof(RememberedStatus).Assembly.Location;

    private static string FileFor(string root, string specFile) =>
        Path.Combine(root, ".slipway", "status-" + Convert.ToHexStringLower(Encoding.UTF8.GetBytes(specFile)));

    private static Answer? Load(string path)
    {
        try
        {
            if (FileStamp.Of(path) is not { Kind: FileKind.File, Size: <= MaxBytes })
                return null;
            var content = File.ReadAllBytes(path);
            var rest = (ReadOnlySpan<byte>)content;
            if (!Take(ref rest, Format.Length).SequenceEqual(Format) || !Same(Take(ref rest, StampBytes), FileStamp.Of(Self)))
                return null;
            for (var left = Number(ref rest); left > 0; left--)
            {
                var stamp = Take(ref rest, StampBytes);
                var name = Take(ref rest, rest.IndexOf((byte)0) + 1);
                if (!Same(stamp, FileStamp.Of(name)))
                    return null;
            }

            var (text, json) = (Counted(ref rest), Counted(ref rest));
            return rest.IsEmpty ? new Answer(text, json) : null;
        }
        catch (Exception e) when (e is ArgumentException or IOException or UnauthorizedAccessException or SlipwayException)
        {
            return null;
        }
    }

    /// <exception cref="ArgumentOutOfRangeException">The file is cut off.</exception>
    private static ReadOnlySpan<byte> Take(ref ReadOnlySpan<byte> rest, int length)
    {
        var taken = rest[..length];
        rest = rest[length..];
        return taken;
    }

    private static int Number(ref ReadOnlySpan<byte> rest) => BinaryPrimitives.ReadInt32LittleEndian(Take(ref rest, sizeof(int)));

    private static byte[] Counted(ref ReadOnlySpan<byte> rest) => Take(ref rest, Number(ref rest)).ToArray();

    private static void Write(BinaryWriter writer, FileStamp? stamp)
    {
        var bytes = (Span<byte>)stackalloc byte[StampBytes];
        Pack(stamp, bytes);
        writer.Write(bytes);
    }

    private static bool Same(ReadOnlySpan<byte> was, FileStamp? stamp)
    {
        var now = (Span<byte>)stackalloc byte[StampBytes];
        Pack(stamp, now);
        return was.SequenceEqual(now);
    }

    /// <summary>All zeros where there is nothing: no kind of file is 0.</summary>
    private static void Pack(FileStamp? stamp, Span<byte> bytes)
    {
        bytes.Clear();
        if (stamp is not { } found)
            return;
        BinaryPrimitives.WriteInt32LittleEndian(bytes, (int)found.Kind);
        BinaryPrimitives.WriteInt32LittleEndian(bytes[4..], found.Executable ? 1 : 0);
        BinaryPrimitives.WriteInt64LittleEndian(bytes[8..], found.Size);
        BinaryPrimitives.WriteInt64LittleEndian(bytes[16..], found.Modified);
        BinaryPrimitives.WriteInt64LittleEndian(bytes[24..], found.Changed);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes[32..], found.Inode);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes[40..], found.Device);
    }

    /// <summary>UTF-8.</summary>
    private sealed record Answer(byte[] Text, byte[] Json);
}
