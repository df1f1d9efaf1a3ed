using System.Buffers;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Slipway.Primitives.Bytes;

namespace Slipway.Store.Content;

/// <summary>Writes a tree's canonical JSON file by file, so that nobody need hold the tree or its document.</summary>
/// <param name="output">Takes one piece after the other.</param>
internal sealed class FileTreeWriter(Action<ReadOnlySpan<byte>> output)
{
    /// <summary>Bytes gathered before they are written.</summary>
    private const int PieceBytes = 64 * 1024;

    /// <summary>2^53−1: JSON's numbers hold no larger integer digit for digit.</summary>
    private const long MaximumSize = (1L << 53) - 1;

    private readonly ArrayBufferWriter<byte> piece = new(PieceBytes + 1024);
    private bool isBegun;

    private static ReadOnlySpan<byte> Begin => "{\"files\":["u8;

    private static ReadOnlySpan<byte> End => "]}"u8;

    /// <param name="file">Behind the one before it in byte order.</param>
    /// <exception cref="JsonException">Its size or path has no canonical form.</exception>
    public void Add(FileTreeEntry file)
    {
        piece.Write(isBegun ? ","u8 : Begin);
        isBegun = true;
        Write(file, piece);
        if (piece.WrittenCount >= PieceBytes)
            HandOn();
    }

    public void Finish()
    {
        if (!isBegun)
            piece.Write(Begin);
        piece.Write(End);
        HandOn();
    }

    /// <summary>Whether this is how the tree is written, byte for byte.</summary>
    public static bool IsCanonical(FileTree tree, ReadOnlySpan<byte> json)
    {
        if (!json.StartsWith(Begin))
            return false;
        json = json[Begin.Length..];
        var one = new ArrayBufferWriter<byte>(1024);
        for (var i = 0; i < tree.Files.Length; i++)
        {
            one.ResetWrittenCount();
            if (i > 0)
                one.Write(","u8);
            Write(tree.Files[i], one);
            if (!json.StartsWith(one.WrittenSpan))
                return false;
            json = json[one.WrittenCount..];
        }

        return json.SequenceEqual(End);
    }

    // Keys in their order.
    private static void Write(FileTreeEntry file, ArrayBufferWriter<byte> to)
    {
        if (file.Size is < -MaximumSize or > MaximumSize)
            throw new JsonException($"{file.Path} has {file.Size} bytes, allowed {MaximumSize}");
        to.Write("{\"digest\":\""u8);
        Encoding.ASCII.GetBytes(file.Digest.ToString(), to);
        to.Write(file.Executable ? "\",\"executable\":true,\"path\":"u8 : "\",\"executable\":false,\"path\":"u8);
        CanonicalJson.WriteString(file.Path, to);
        to.Write(",\"size\":"u8);
        var size = to.GetSpan(20);
        file.Size.TryFormat(size, out var digits, provider: CultureInfo.InvariantCulture);
        to.Advance(digits);
        to.Write("}"u8);
    }

    private void HandOn()
    {
        output(piece.WrittenSpan);
        piece.ResetWrittenCount();
    }
}

/// <summary>The digest and size of a tree whose files come one by one, and are not held. Not thread-safe.</summary>
public sealed class FileTreeSum : IDisposable
{
    private readonly IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly FileTreeWriter writer;

    public FileTreeSum() => writer = new FileTreeWriter(hash.AppendData);

    /// <summary>Bytes of the files so far.</summary>
    public long Size { get; private set; }

    /// <summary>Files so far.</summary>
    public int Count { get; private set; }

    /// <param name="file">Behind the one before it in byte order.</param>
    public void Add(FileTreeEntry file)
    {
        writer.Add(file);
        Size += file.Size;
        Count++;
    }

    /// <summary>The tree's digest, as <see cref="FileTree.Digest"/>; ends the sum.</summary>
    public Digest Finish()
    {
        writer.Finish();
        return new Digest(hash.GetHashAndReset());
    }

    public void Dispose() => hash.Dispose();
}
