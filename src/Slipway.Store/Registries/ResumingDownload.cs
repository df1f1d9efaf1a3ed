using System.Net;
using Slipway.Primitives.Faults;
using Slipway.Store.Oci;

namespace Slipway.Store.Registries;

/// <summary>A blob's bytes over HTTP; after a cut connection it goes on where it was. Ends after the blob's size and one byte, so that an endless answer shows.</summary>
/// <param name="place">For messages.</param>
/// <param name="ask">Asks for the blob from a position on, with <c>Range: bytes=N-</c> where it is above 0; an answer that has no range is skipped through.</param>
public sealed class ResumingDownload(
    string place, OciDescriptor blob, long offset, Func<long, CancellationToken, Task<HttpResponseMessage>> ask, RegistryOptions options, TimeProvider time) : Stream
{
    /// <summary>Bytes after which a cut connection counts as a first one again: what is cut now and then gets there, what is cut at once ends.</summary>
    private const long Progress = 1 << 20;

    private HttpResponseMessage? response;
    private Stream? body;
    private long position = offset;
    private long lastCut = offset;
    private int attempt;

    public override bool CanRead => true;

    public override bool CanWrite => false;

    public override bool CanSeek => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => position;
        set => throw new NotSupportedException();
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (buffer.Length == 0 || position > blob.Size)
            return 0;
        for (; ; )
        {
            try
            {
                body ??= await OpenAsync(cancellationToken);
                var read = await ReadPatientlyAsync(buffer, cancellationToken);
                if (read == 0 && position < blob.Size)
                    throw new EndOfStreamException("the answer ended early");
                position += read;
                return read;
            }
            catch (Exception e) when (RegistryConnection.IsCut(e))
            {
                Close();
                attempt = position - lastCut >= Progress ? 1 : attempt + 1;
                lastCut = position;
                await Task.Delay(attempt < options.Attempts ? options.FirstWait * Math.Pow(2, attempt - 1) : throw RegistryFault.Unreachable(place, e), time, cancellationToken);
            }
        }
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException("a download is read asynchronously");

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Close()
    {
        response?.Dispose();
        (response, body) = (null, null);
    }

    protected override void Dispose(bool disposing)
    {
        Close();
        base.Dispose(disposing);
    }

    private async ValueTask<int> ReadPatientlyAsync(Memory<byte> buffer, CancellationToken cancellation)
    {
        var reading = body!.ReadAsync(buffer, cancellation);
        if (reading.IsCompleted)
            return await reading;
        try
        {
            return await reading.AsTask().WaitAsync(options.Silence, time, cancellation);
        }
        catch
        {
            // Whatever ended it, the reading itself must not write into the caller's buffer any more.
            Close();
            await reading.AsTask().ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
            throw;
        }
    }

    private async Task<Stream> OpenAsync(CancellationToken cancellation)
    {
        response = await ask(position, cancellation);
        var skip = response.StatusCode switch
        {
            HttpStatusCode.OK => position,      // the registry knows no ranges: what is here already comes again
            HttpStatusCode.PartialContent when response.Content.Headers.ContentRange is { From: { } start } && start == position => 0,
            HttpStatusCode.PartialContent => throw RegistryFault.Strange(place, $"sends another range of blob {blob.Digest} than was asked for"),
            HttpStatusCode.NotFound => throw new SlipwayException(ExitCode.UnusableInput, new Fault(
                "blob-missing", $"{place} has no blob {blob.Digest}, which a manifest of it names", Help: "push the bundle to it again")),
            _ => throw await RegistryFault.OfAsync(response, place, options.Silence, cancellation),
        };
        if (response.Content.Headers.ContentLength is { } promised && promised != blob.Size - (position - skip))
            throw RegistryFault.Wrong($"{place} has {promised} bytes for blob {blob.Digest}{(position > skip ? $" from byte {position}" : "")}, whose manifest says {blob.Size}");
        body = await response.Content.ReadAsStreamAsync(cancellation);
        var dropped = new byte[128 * 1024];
        while (skip > 0)
        {
            var read = await ReadPatientlyAsync(dropped.AsMemory(0, (int)Math.Min(skip, dropped.Length)), cancellation);
            skip -= read > 0 ? read : throw new EndOfStreamException("the answer ended early");
        }

        return body;
    }
}
