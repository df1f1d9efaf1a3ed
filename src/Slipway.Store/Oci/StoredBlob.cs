using System.Collections.Immutable;
using System.Security.Cryptography;
using Slipway.Primitives.Bytes;

namespace Slipway.Store.Oci;

/// <summary>Content that a layout holds.</summary>
/// <param name="Size">Bytes.</param>
public readonly record struct StoredBlob(Digest Digest, long Size)
{
    /// <summary>The same as a manifest refers to it.</summary>
    public OciDescriptor As(string mediaType, ImmutableSortedDictionary<string, string>? annotations = null) =>
        new(mediaType, Digest, Size, null, annotations);
}

/// <summary>Hashes and counts what passes through to another stream; the other stream stays open.</summary>
internal sealed class HashingStream(Stream inner, bool reading) : Stream
{
    private readonly IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

    /// <summary>Bytes so far.</summary>
    public long Count { get; private set; }

    /// <summary>The digest of all bytes so far; ends the hashing.</summary>
    public Digest Finish() => new(hash.GetHashAndReset());

    public override bool CanRead => reading;

    public override bool CanWrite => !reading;

    public override bool CanSeek => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => Count;
        set => throw new NotSupportedException();
    }

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        inner.Write(buffer);
        Add(buffer);
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        await inner.WriteAsync(buffer, cancellationToken);
        Add(buffer.Span);
    }

    public override int Read(Span<byte> buffer)
    {
        var read = inner.Read(buffer);
        Add(buffer[..read]);
        return read;
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override void Flush() => inner.Flush();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            hash.Dispose();
        base.Dispose(disposing);
    }

    private void Add(ReadOnlySpan<byte> data)
    {
        hash.AppendData(data);
        Count += data.Length;
    }
}
