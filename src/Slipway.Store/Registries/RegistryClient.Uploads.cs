using System.Globalization;
using System.Net;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;
using Slipway.Store.Oci;

namespace Slipway.Store.Registries;

/// <summary>Blobs on their way to a registry: taken over, whole, or in pieces, and on from where a cut connection left them.</summary>
public sealed partial class RegistryClient
{
    /// <summary>Content up to this many bytes goes along with the request that begins an upload, where the registry takes it so.</summary>
    private const int SingleRequestBytes = 64 * 1024;

    /// <summary>Bytes after which a cut connection counts as a first one again.</summary>
    private const long Progress = 1 << 20;

    /// <summary>The largest piece that a registry may ask for at least, in bytes; pieces are streamed, so it costs no memory.</summary>
    private const long MaxLeastPiece = 5L << 30;

    private volatile bool takesNoSingleRequest;
    private long leastPiece;

    /// <summary>Sends a blob, or has the registry take it over from another of its repositories.</summary>
    /// <param name="open">Opens the content at a position; called again after a cut connection.</param>
    /// <param name="from">Another repository that has it, perhaps of another registry; null for none.</param>
    /// <param name="progress">Told the bytes of each piece that is sent.</param>
    /// <returns>Whether it was taken over, and no byte sent.</returns>
    /// <exception cref="SlipwayException">The content is not what the digest says (exit 1); denied, no room, no answer (exit 3).</exception>
    public async Task<bool> UploadAsync(
        OciDescriptor blob, Func<long, CancellationToken, Task<Stream>> open, RegistryReference? from, Action<long> progress, CancellationToken cancellation)
    {
        if (from is not null && from.Host == Place.Host && from.Repository != Place.Repository && await MountAsync(blob, from, cancellation))
            return true;
        using var digest = new RunningDigest();
        var (isDone, session) = await BeginAsync(blob, open, digest, progress, cancellation);
        var (offset, lastCut) = (0L, 0L);
        for (var attempt = 1; !isDone; attempt++)
        {
            var (answer, cut) = await SendPieceAsync(session!, blob, open, digest, offset, progress, cancellation);
            using (answer)
            {
                if (answer is { IsSuccessStatusCode: true })
                {
                    isDone = answer.StatusCode == HttpStatusCode.Created;
                    (session, offset, attempt) = isDone ? (null, blob.Size, 0) : (Session(answer, session!), Taken(answer, offset, digest.Count), 0);
                    continue;
                }

                attempt = offset - lastCut >= Progress ? 1 : attempt;
                lastCut = offset;
                if (answer is null)
                    await connection.WaitAsync(attempt, cut!, cancellation);
                else if (RegistryConnection.Passes(answer.StatusCode) || answer.StatusCode is HttpStatusCode.NotFound or HttpStatusCode.RequestedRangeNotSatisfiable)
                    await connection.WaitAsync(attempt, answer, cancellation);
                else
                    throw await RegistryFault.OfAsync(answer, Place.Name, connection.Options.Silence, cancellation);
            }

            // The last piece may have arrived although its answer did not.
            isDone = await HasBlobAsync(blob, cancellation);
            if (!isDone)
                (session, offset) = await RecoverAsync(session!, digest.Count, cancellation);
        }

        return false;
    }

    private async Task<bool> MountAsync(OciDescriptor blob, RegistryReference from, CancellationToken cancellation)
    {
        var address = At($"blobs/uploads/?mount={Uri.EscapeDataString(blob.Digest.ToString())}&from={Uri.EscapeDataString(from.Repository)}");
        try
        {
            using var response = await connection.SendAsync(() => new HttpRequestMessage(HttpMethod.Post, address), $"{Push} repository:{from.Repository}:pull", cancellation);
            // Anything else, a refusal too, says no more than that it must be sent: the session that 202 opened is left to expire.
            return response.StatusCode == HttpStatusCode.Created;
        }
        catch (SlipwayException e) when (e.Faults[0].Code is "registry-unauthorized" or "registry-denied")
        {
            return false;       // this account may not read there, and may still push here
        }
    }

    /// <summary>Begins an upload, or does all of it for content that is small.</summary>
    private async Task<(bool IsDone, Uri? Session)> BeginAsync(
        OciDescriptor blob, Func<long, CancellationToken, Task<Stream>> open, RunningDigest digest, Action<long> progress, CancellationToken cancellation)
    {
        if (blob.Size > SingleRequestBytes || takesNoSingleRequest)
            return (false, await BeginAsync(cancellation));
        var address = At($"blobs/uploads/?digest={Uri.EscapeDataString(blob.Digest.ToString())}");
        using var response = await connection.SendAsync(
            () => new HttpRequestMessage(HttpMethod.Post, address) { Content = new UploadContent(blob, open, digest, 0, blob.Size, progress) },
            Push,
            cancellation);
        if (response.StatusCode == HttpStatusCode.Created)
            return (true, null);
        takesNoSingleRequest = true;
        return response.StatusCode == HttpStatusCode.Accepted
            ? (false, Session(response, response.RequestMessage!.RequestUri!))
            : throw await RegistryFault.OfAsync(response, Place.Name, connection.Options.Silence, cancellation);
    }

    private async Task<Uri> BeginAsync(CancellationToken cancellation)
    {
        using var response = await connection.SendAsync(
            () => new HttpRequestMessage(HttpMethod.Post, At("blobs/uploads/")) { Content = new ByteArrayContent([]) }, Push, cancellation);
        if (response.Headers.TryGetValues("OCI-Chunk-Min-Length", out var least)
            && long.TryParse(least.FirstOrDefault(), NumberStyles.None, CultureInfo.InvariantCulture, out var bytes))
            leastPiece = Math.Min(bytes, MaxLeastPiece);
        return response.StatusCode == HttpStatusCode.Accepted
            ? Session(response, response.RequestMessage!.RequestUri!)
            : throw await RegistryFault.OfAsync(response, Place.Name, connection.Options.Silence, cancellation);
    }

    /// <summary>Sends all that is left, or a piece of it, or only says that it is whole: 201 answers the whole, 202 a piece.</summary>
    private async Task<(HttpResponseMessage? Answer, Exception? Cut)> SendPieceAsync(
        Uri session, OciDescriptor blob, Func<long, CancellationToken, Task<Stream>> open, RunningDigest digest, long offset, Action<long> progress, CancellationToken cancellation)
    {
        var piece = Math.Min(blob.Size - offset, Math.Max(connection.Options.ChunkBytes, leastPiece));
        var isLast = offset == blob.Size || offset == 0 && piece == blob.Size;
        using var patience = new Patience(connection.Options.Silence, connection.Time);
        try
        {
            var answer = await connection.SendOnceAsync(Request, Push, cancellation, patience);
            if (!answer.IsSuccessStatusCode || answer.StatusCode == (isLast ? HttpStatusCode.Created : HttpStatusCode.Accepted))
                return (answer, null);
            using (answer)
                throw RegistryFault.Strange(Place.Name, $"answers {(int)answer.StatusCode} to content that was sent");
        }
        catch (Exception e) when (RegistryConnection.IsCut(e))
        {
            return (null, e);
        }

        HttpRequestMessage Request()
        {
            var content = new UploadContent(blob, open, digest, offset, piece, bytes =>
            {
                patience.Renew();
                progress(bytes);
            });
            if (!isLast)
                content.Headers.TryAddWithoutValidation("Content-Range", string.Create(CultureInfo.InvariantCulture, $"{offset}-{offset + piece - 1}"));
            var request = new HttpRequestMessage(isLast ? HttpMethod.Put : HttpMethod.Patch, isLast ? WithDigest(session, blob.Digest) : session) { Content = content };
            // A registry that has no room or wants another proof says so before the content is sent.
            request.Headers.ExpectContinue = piece > SingleRequestBytes;
            return request;
        }
    }

    /// <summary>Asks how much of an upload the registry has; begins a new one where it does not say.</summary>
    private async Task<(Uri Session, long Offset)> RecoverAsync(Uri session, long sent, CancellationToken cancellation)
    {
        using var response = await connection.SendAsync(() => new HttpRequestMessage(HttpMethod.Get, session), Push, cancellation);
        return response.IsSuccessStatusCode && Received(response) is { } there && there <= sent
            ? (response.Headers.Location is null ? session : Session(response, session), there)
            : (await BeginAsync(cancellation), 0);
    }

    /// <summary>How much the registry has after a piece: at most what was sent, and more than before.</summary>
    private long Taken(HttpResponseMessage response, long before, long sent)
    {
        var taken = Received(response) ?? sent;
        return taken > before && taken <= sent
            ? taken
            : throw RegistryFault.Strange(Place.Name, $"says that it has {taken} bytes of an upload, of which {sent} were sent and {before} were there before");
    }

    private Uri Session(HttpResponseMessage response, Uri asked)
    {
        var location = response.Headers.Location ?? throw RegistryFault.Strange(Place.Name, "begins an upload and does not say where");
        var session = new Uri(asked, location);
        return RegistryAddress.MayCall(asked, session)
            ? session
            : throw RegistryFault.Strange(Place.Name, $"wants the upload at {session.GetLeftPart(UriPartial.Authority)}, which is no https address");
    }

    /// <summary>Bytes that the registry says it has; null where it does not say. <c>0-0</c> is what registries answer for none.</summary>
    private static long? Received(HttpResponseMessage response) =>
        response.Headers.TryGetValues("Range", out var ranges) && ranges.ToArray() is [var range]
        && range.Replace("bytes=", "", StringComparison.Ordinal).Split('-') is ["0", var end] && long.TryParse(end, NumberStyles.None, CultureInfo.InvariantCulture, out var last)
            ? last == 0 ? 0 : last + 1
            : null;

    private static Uri WithDigest(Uri session, Digest digest) =>
        new($"{session.AbsoluteUri}{(session.Query.Length > 0 ? '&' : '?')}digest={Uri.EscapeDataString(digest.ToString())}");
}
