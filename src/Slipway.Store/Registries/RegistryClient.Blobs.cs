using System.Net;
using System.Net.Http.Headers;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;
using Slipway.Store.Oci;

namespace Slipway.Store.Registries;

public sealed partial class RegistryClient
{
    /// <exception cref="SlipwayException">Denied, or it has it with another size (exit 3, 1).</exception>
    public async Task<bool> HasBlobAsync(OciDescriptor blob, CancellationToken cancellation)
    {
        using var response = await connection.SendAsync(() => new HttpRequestMessage(HttpMethod.Head, At($"blobs/{blob.Digest}")), Pull, cancellation);
        return response.StatusCode switch
        {
            HttpStatusCode.NotFound => false,
            HttpStatusCode.OK when response.Content.Headers.ContentLength is { } size && size != blob.Size =>
                throw RegistryFault.Wrong($"{Place.Name} has {size} bytes as blob {blob.Digest}, whose manifest says {blob.Size}"),
            HttpStatusCode.OK => true,
            _ => throw await RegistryFault.OfAsync(response, Place.Name, connection.Options.Silence, cancellation),
        };
    }

    /// <summary>A blob's bytes from a position on, not yet checked: its reader counts and hashes.</summary>
    /// <remarks>Survives cut connections; ends one byte after the blob's size at the latest.</remarks>
    public Stream OpenBlob(OciDescriptor blob, long offset = 0) => new ResumingDownload(
        Place.Name, blob, offset,
        (position, stop) => connection.SendAsync(
            () =>
            {
                var request = new HttpRequestMessage(HttpMethod.Get, At($"blobs/{blob.Digest}"));
                request.Headers.Range = position > 0 ? new RangeHeaderValue(position, null) : null;
                return request;
            },
            Pull,
            stop),
        connection.Options, connection.Time);
}
