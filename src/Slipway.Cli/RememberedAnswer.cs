using System.Buffers.Binary;
using System.Text;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;
using Slipway.Primitives.Files;

namespace Slipway.Cli;

/// <summary>
/// The last status in which nothing would run, and the last run in which every stage was known, with the stamps of all that they hang on. While these are the
/// same, so is the answer, and giving it needs neither the spec's parser nor the command tree.
/// </summary>
/// <remarks>
/// The format and the program's own stamp; how many paths; for each its stamp, and the path with a zero behind it; then the project's folder, the folder of keys that was
/// used, what goes to stderr, the answer as text, in colour and as JSON, each preceded by its length in bytes, and the exit code. Little-endian. Anything unexpected in it means
/// that there is none.
/// </remarks>
internal static class RememberedAnswer
{
    private const int StampBytes = 48;

    /// <summary>A larger file is not one of ours, and not worth the reading.</summary>
    private const long MaxBytes = 32 << 20;

    private static ReadOnlySpan<byte> Format => "slipway answer 2\n"u8;

    /// <summary>Writes the answer to plain questions, when it is known.</summary>
    /// <returns>The exit code; null when it is to be found out.</returns>
    public static int? TryGive(string[] args)
    {
        if (PlainQuestion.Of(args) is not { } question || Load(question) is not { } answer)
            return null;
        var said = question.Json ? answer.Json : Shell.OutTakesColour ? answer.Coloured : answer.Text;
        if (said.Length == 0)
            return null;
        using (var errors = Console.OpenStandardError())
            errors.Write(answer.Errors);
        using var output = Console.OpenStandardOutput();
        output.Write(said);
        return answer.Exit;
    }

    /// <param name="paths">All that the answer hangs on.</param>
    /// <param name="began">When finding it out began, nanoseconds since 1970: what changed after that may not be in the answer.</param>
    /// <remarks>Nothing is kept where that cannot be: the next answer takes as long as this one.</remarks>
    public static void Save(PlainQuestion question, IEnumerable<string> paths, long began, Answer answer)
    {
        try
        {
            Keep(question, paths, began, answer);
        }
        catch (Exception e) when (e is SlipwayException or IOException or UnauthorizedAccessException)
        {
            // A project that cannot be written can still be looked at.
        }
    }

    private static void Keep(PlainQuestion question, IEnumerable<string> paths, long began, Answer answer)
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

            foreach (var part in new[] { Encoding.UTF8.GetBytes(question.Folder), Encoding.UTF8.GetBytes(KeyFolder.Path), answer.Errors, answer.Text, answer.Coloured, answer.Json })
            {
                writer.Write(part.Length);
                writer.Write(part);
            }

            writer.Write(answer.Exit);
        }

        if (content.Length <= MaxBytes)
            AtomicFile.Write(FileFor(question), content.ToArray());
    }

    /// <summary>Nanoseconds since 1970.</summary>
    public static long Now(TimeProvider clock) => (clock.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks * 100;

    private static string Self => typeof(RememberedAnswer).Assembly.Location;

    private static string FileFor(PlainQuestion question) =>
        Path.Combine(question.Folder, ".slipway", $"{question.Verb}-{Digest.Of(Encoding.UTF8.GetBytes(question.SpecFile)).Hex}");

    private static Answer? Load(PlainQuestion question)
    {
        try
        {
            var path = FileFor(question);
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

            // The paths of a copied project are the original's.
            if (!Is(question.Folder, Counted(ref rest)) || !Is(KeyFolder.Path, Counted(ref rest)))
                return null;
            var answer = new Answer(Counted(ref rest), Counted(ref rest), Counted(ref rest), Counted(ref rest), Number(ref rest));
            return rest.IsEmpty ? answer : null;
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

    private static bool Is(string text, byte[] said) => said.AsSpan().SequenceEqual(Encoding.UTF8.GetBytes(text));

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
}

/// <summary>What a verb says, in UTF-8.</summary>
/// <param name="Coloured">For a terminal.</param>
/// <param name="Json">Empty where that is to be found out each time.</param>
internal sealed record Answer(byte[] Errors, byte[] Text, byte[] Coloured, byte[] Json, int Exit);
