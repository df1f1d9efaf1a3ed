using System.Collections.Immutable;
using System.Net.Http.Headers;
using Slipway.Documents.Registry;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;
using Slipway.Store.Oci;
using Slipway.Store.Registries;

namespace Slipway.Cli;

/// <summary>A bundle that a team's server has, as what it is copied from. Nothing that the server says is believed: digests are checked by who takes it.</summary>
internal sealed class ServerPlace : IBundleSource
{
    /// <summary>Blobs of one bundle; more is no list of ours.</summary>
    private const int MaxBlobs = 10_000;

    /// <summary>For an answer to begin, where its bytes come as they may.</summary>
    private static readonly TimeSpan Beginning = TimeSpan.FromMinutes(1);

    private readonly ServerClient server;
    private readonly BundleContents contents;

    private ServerPlace(ServerClient server, BundleContents contents) => (this.server, this.contents) = (server, contents);

    public string Name => server.Url.ToString();

    public RegistryReference? Repository => null;

    public Digest Bundle => contents.Bundle;

    /// <exception cref="SlipwayException">No such version (exit 2), or the server does not answer (exit 3).</exception>
    public static async Task<ServerPlace> OpenAsync(ServerClient server, VersionName version, CancellationToken cancellation)
    {
        var detail = await server.GetAsync($"/api/v1/models/{version.Model}/versions/{version.Number}", RegistryJson.Default.ModelVersionDetail, cancellation);
        var contents = await server.GetAsync($"/api/v1/bundles/{detail.Version.Bundle}", RegistryJson.Default.BundleContents, cancellation);
        return contents.Bundle == detail.Version.Bundle && !contents.Blobs.IsDefaultOrEmpty && contents.Blobs.Length <= MaxBlobs && !contents.Attestations.IsDefault
            ? new ServerPlace(server, contents)
            : throw new SlipwayException(ExitCode.NotThere, new Fault(
                "server-unreadable", $"{server.Url} lists what belongs to another bundle than {detail.Version.Bundle}, or nothing, or more than {MaxBlobs} blobs",
                Help: "is it a Slipway server of the same version?"));
    }

    public async Task<ReadOnlyMemory<byte>?> ReadManifestAsync(Digest manifest, CancellationToken cancellation)
    {
        var size = contents.Blobs.FirstOrDefault(blob => blob.Digest == manifest)?.Size;
        if (size is not (>= 0 and <= OciManifest.MaxBytes))
            throw new SlipwayException(ExitCode.NotThere, new Fault(
                "server-unreadable", $"{server.Url} does not list manifest {manifest}, or lists it with more than {OciManifest.MaxBytes} bytes",
                Help: "is it a Slipway server of the same version?"));
        await using var stream = await OpenBlobAsync(new OciDescriptor(OciManifest.ManifestMediaType, manifest, size.Value), 0, cancellation);
        var bytes = new byte[size.Value + 1];
        var read = await stream.ReadAtLeastAsync(bytes, bytes.Length, throwOnEndOfStream: false, cancellation);
        return bytes.AsMemory(0, read);
    }

    public Task<ImmutableArray<Digest>> ReferrersAsync(Digest subject, CancellationToken cancellation) =>
        Task.FromResult(subject == contents.Bundle ? contents.Attestations : []);

    public Task<Stream> OpenBlobAsync(OciDescriptor blob, long offset, CancellationToken cancellation) => Task.FromResult<Stream>(new ResumingDownload(
        Name, blob, offset,
        (position, stop) =>
        {
            var request = new HttpRequestMessage(HttpMethod.Get, $"/api/v1/blobs/{blob.Digest}");
            request.Headers.Range = position > 0 ? new RangeHeaderValue(position, null) : null;
            return server.SendAsync(request, Beginning, stop);
        },
        new RegistryOptions(), TimeProvider.System));
}
