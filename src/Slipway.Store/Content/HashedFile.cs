using System.Buffers;
using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Files;

namespace Slipway.Store.Content;

/// <summary>A new file whose bytes are hashed as they are written: the one way in which content comes into a store.</summary>
/// <remarks>
/// Whole pieces are hashed and written by two other threads while the next one is filled, and the disk begins early with what was
/// written: a copy takes as long as the slowest of reading, hashing and writing. What fits into one piece is done on the caller's thread.
/// Memory is two pieces. Not thread-safe; the handle stays the caller's.
/// </remarks>
/// <param name="target">Empty, and open for writing.</param>
internal sealed class HashedFile(SafeFileHandle target) : Stream
{
    /// <summary>Bytes handed over at once: long enough to be worth it, short enough for the cache.</summary>
    private const int PieceBytes = 1024 * 1024;

    /// <summary>Bytes after which the disk is told to begin: some tenths of a second of its work.</summary>
    private const long WriteBackBytes = 64L << 20;

    private readonly IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private byte[] piece = ArrayPool<byte>.Shared.Rent(PieceBytes);
    private byte[]? other;
    private Task pending = Task.CompletedTask;
    private int filled;
    private long handed, begun;

    /// <summary>Bytes so far.</summary>
    public long Count => handed + filled;

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => Count;

    public override long Position
    {
        get => Count;
        set => throw new NotSupportedException();
    }

    /// <summary>Writes all that a stream still holds, reading straight into the next piece.</summary>
    /// <param name="maxBytes">Where to stop reading; the count is then above it.</param>
    public void CopyFrom(Stream source, CancellationToken cancellation = default, long maxBytes = long.MaxValue)
    {
        while (Count <= maxBytes && source.Read(piece, filled, PieceBytes - filled) is > 0 and var read)
        {
            cancellation.ThrowIfCancellationRequested();
            filled += read;
            if (filled == PieceBytes)
            {
                pending.GetAwaiter().GetResult();
                HandOver();
            }
        }
    }

    /// <inheritdoc cref="CopyFrom"/>
    public async Task CopyFromAsync(Stream source, CancellationToken cancellation, long maxBytes)
    {
        while (Count <= maxBytes && await source.ReadAsync(piece.AsMemory(filled, PieceBytes - filled), cancellation) is > 0 and var read)
        {
            filled += read;
            if (filled == PieceBytes)
            {
                await pending;
                HandOver();
            }
        }
    }

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        while (!buffer.IsEmpty)
        {
            var length = Math.Min(buffer.Length, PieceBytes - filled);
            buffer[..length].CopyTo(piece.AsSpan(filled));
            buffer = buffer[length..];
            filled += length;
            if (filled == PieceBytes)
            {
                pending.GetAwaiter().GetResult();
                HandOver();
            }
        }
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    /// <summary>Writes what is left. Nothing is durable yet.</summary>
    /// <returns>Digest and size of all that was written.</returns>
    public (Digest Digest, long Size) Finish()
    {
        pending.GetAwaiter().GetResult();
        var size = Count;
        if (filled > 0)
        {
            hash.AppendData(piece, 0, filled);
            RandomAccess.Write(target, piece.AsSpan(0, filled), handed);
            (handed, filled) = (size, 0);
        }

        return (new Digest(hash.GetHashAndReset()), size);
    }

    public override void Flush()
    {
        // Pieces are written when they are full, and the last one when the file is finished.
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing && piece.Length > 0)
        {
            // Nobody may write any more when the caller closes or deletes the file. What failed there was told, or something failed before.
            ((IAsyncResult)pending).AsyncWaitHandle.WaitOne();
            hash.Dispose();
            ArrayPool<byte>.Shared.Return(piece);
            if (other is not null)
                ArrayPool<byte>.Shared.Return(other);
            piece = [];
        }

        base.Dispose(disposing);
    }

    /// <summary>Has the full piece hashed and written; the one before it is done.</summary>
    private void HandOver()
    {
        var (full, at, from) = (piece, handed, begun);
        (piece, other) = (other ?? ArrayPool<byte>.Shared.Rent(PieceBytes), full);
        (handed, filled) = (handed + PieceBytes, 0);
        var begins = handed - begun >= WriteBackBytes;
        if (begins)
            begun = handed;
        pending = Task.WhenAll(
            Task.Run(() => hash.AppendData(full, 0, PieceBytes)),
            Task.Run(() =>
            {
                RandomAccess.Write(target, full.AsSpan(0, PieceBytes), at);
                if (begins)
                    AtomicFile.BeginWriteBack(target, from, at + PieceBytes - from);
            }));
    }
}
