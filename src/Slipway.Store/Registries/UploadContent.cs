using System.Net;
using Slipway.Primitives.Faults;
using Slipway.Store.Oci;

namespace Slipway.Store.Registries;

/// <summary>A stretch of a blob as a request's body: read and hashed ahead of what is sent, in two buffers.</summary>
/// <remarks>The content's last byte is sent only when the digest of all of it is right: what is damaged here never becomes whole elsewhere.</remarks>
internal sealed class UploadContent : HttpContent
{
    /// <summary>Bytes of one buffer: enough to keep the connection and the disk busy at once.</summary>
    private const int BufferBytes = 1 << 20;

    private readonly OciDescriptor blob;
    private readonly Func<long, CancellationToken, Task<Stream>> open;
    private readonly RunningDigest digest;
    private readonly long from, count;
    private readonly Action<long> sent;

    /// <param name="open">Opens the content at a position.</param>
    /// <param name="from">Position of the first byte.</param>
    /// <param name="count">Bytes of this body.</param>
    /// <param name="sent">Told the bytes of each piece that was taken.</param>
    public UploadContent(OciDescriptor blob, Func<long, CancellationToken, Task<Stream>> open, RunningDigest digest, long from, long count, Action<long> sent)
    {
        (this.blob, this.open, this.digest, this.from, this.count, this.sent) = (blob, open, digest, from, count, sent);
        Headers.ContentType = new("application/octet-stream");
        Headers.ContentLength = count;
    }

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        // What was counted in the digest and did not arrive is read again; what was not counted yet is not skipped.
        await using var source = await open(from, cancellationToken);
        var (current, next) = (new byte[BufferBytes], new byte[BufferBytes]);
        var position = from;
        var filled = await FillAsync(source, current, position, cancellationToken);
        while (filled > 0)
        {
            var (at, after) = (position + filled, next);
            var reading = at < from + count ? Task.Run(() => FillAsync(source, after, at, cancellationToken), cancellationToken) : Task.FromResult(0);
            try
            {
                await stream.WriteAsync(current.AsMemory(0, filled), cancellationToken);
            }
            catch
            {
                await reading.ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
                throw;
            }

            sent(filled);
            (position, current, next) = (at, next, current);
            filled = await reading;
        }
    }

    protected override bool TryComputeLength(out long length)
    {
        length = count;
        return true;
    }

    private async Task<int> FillAsync(Stream source, byte[] buffer, long position, CancellationToken cancellation)
    {
        var wanted = (int)Math.Min(buffer.Length, from + count - position);
        var read = await source.ReadAtLeastAsync(buffer.AsMemory(0, wanted), wanted, throwOnEndOfStream: false, cancellation);
        if (read == wanted)
            digest.Add(position, buffer.AsSpan(0, read));
        if (read < wanted || digest.Count == blob.Size && !digest.Is(blob.Digest))
            throw new SlipwayException(ExitCode.BadVerdict, new Fault(
                "blob-edited", $"blob {blob.Digest} is not what its digest says: it was not sent",
                Help: "`slipway verify` tells what else is wrong with the bundle"));
        return read;
    }
}
