using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;
using Slipway.Store.Oci;

namespace Slipway.Store.Registries;

public sealed partial class RegistryClient
{
    private static readonly string[] Understood = [OciManifest.ManifestMediaType, OciIndex.IndexMediaType];

    /// <summary>A manifest or index by tag or digest.</summary>
    /// <returns>Null where there is none.</returns>
    /// <exception cref="SlipwayException">Its bytes have another digest than was asked for (exit 1); denied, too large, no OCI manifest (exit 3).</exception>
    public async Task<RegistryManifest?> GetManifestAsync(string tagOrDigest, CancellationToken cancellation)
    {
        for (var attempt = 1; ; attempt++)
        {
            using var response = await connection.SendAsync(() => Manifest(HttpMethod.Get, tagOrDigest), Pull, cancellation);
            if (response.StatusCode == HttpStatusCode.NotFound)
                return null;
            if (response.StatusCode != HttpStatusCode.OK)
                throw await RefusedAsync(response, cancellation);
            try
            {
                var bytes = await BoundedBody.ReadAsync(response, OciManifest.MaxBytes, connection.Options.Silence, cancellation)
                    ?? throw RegistryFault.Strange(Place.Name, $"answers more than {OciManifest.MaxBytes} bytes as manifest {tagOrDigest}");
                return Judge(bytes, response, tagOrDigest);
            }
            catch (Exception e) when (RegistryConnection.IsCut(e))
            {
                await connection.WaitAsync(attempt, e, cancellation);
            }
        }
    }

    /// <summary>Whether the registry has a manifest or index, and what it says that it is; nothing of it is checked.</summary>
    /// <returns>Null where there is none.</returns>
    /// <exception cref="SlipwayException">Denied, or no answer that the specification knows (exit 3).</exception>
    public async Task<OciDescriptor?> FindManifestAsync(string tagOrDigest, CancellationToken cancellation)
    {
        using var response = await connection.SendAsync(() => Manifest(HttpMethod.Head, tagOrDigest), Pull, cancellation);
        if (response.StatusCode == HttpStatusCode.NotFound)
            return null;
        if (response.StatusCode != HttpStatusCode.OK)
            throw await RefusedAsync(response, cancellation);
        var type = response.Content.Headers.ContentType?.MediaType;
        return Digest.TryParse(Header(response, "Docker-Content-Digest"), out var digest) && response.Content.Headers.ContentLength is { } size && Understood.Contains(type)
            ? new OciDescriptor(type!, digest, size)
            : (await GetManifestAsync(tagOrDigest, cancellation))?.Descriptor;
    }

    /// <summary>Puts a manifest or index whose content is there already.</summary>
    /// <param name="tagOrDigest">The digest of these very bytes, or a tag.</param>
    /// <param name="replacing">Only in place of what had this entity tag; empty for only where nothing was; null for either way. Not every registry heeds it.</param>
    /// <returns>False where the tag names something else than was to be replaced. Besides, the subject whose referrers the registry has listed it among.</returns>
    /// <exception cref="SlipwayException">Denied or refused (exit 3).</exception>
    public async Task<(bool IsThere, Digest? Subject)> PutManifestAsync(
        string tagOrDigest, string mediaType, ReadOnlyMemory<byte> bytes, CancellationToken cancellation, string? replacing = null)
    {
        using var response = await connection.SendAsync(
            () =>
            {
                var content = new ReadOnlyMemoryContent(bytes) { Headers = { ContentType = new MediaTypeHeaderValue(mediaType) } };
                var request = new HttpRequestMessage(HttpMethod.Put, At($"manifests/{tagOrDigest}")) { Content = content };
                if (replacing is not null)
                    request.Headers.TryAddWithoutValidation(replacing.Length == 0 ? "If-None-Match" : "If-Match", replacing.Length == 0 ? "*" : replacing);
                return request;
            },
            Push,
            cancellation);
        if (response.StatusCode == HttpStatusCode.PreconditionFailed && replacing is not null)
            return (false, null);
        if (response.StatusCode is not (HttpStatusCode.Created or HttpStatusCode.OK or HttpStatusCode.Accepted))
            throw await RegistryFault.OfAsync(response, Place.Name, connection.Options.Silence, cancellation);
        if (Header(response, "Docker-Content-Digest") is { } said && said != Digest.Of(bytes.Span).ToString())
            throw RegistryFault.Strange(Place.Name, $"stored a manifest as '{ForeignText.Shown(said)}' that has the digest {Digest.Of(bytes.Span)}");
        return (true, Digest.TryParse(Header(response, "OCI-Subject"), out var subject) ? subject : null);
    }

    private HttpRequestMessage Manifest(HttpMethod method, string tagOrDigest)
    {
        var request = new HttpRequestMessage(method, At($"manifests/{tagOrDigest}"));
        foreach (var type in Understood)
            request.Headers.Accept.ParseAdd(type);
        return request;
    }

    /// <summary>What came is what was asked for, and of one kind by what its header and it itself say.</summary>
    private RegistryManifest Judge(byte[] bytes, HttpResponseMessage response, string tagOrDigest)
    {
        var digest = Digest.Of(bytes);
        if (Digest.TryParse(tagOrDigest, out var asked) && asked != digest)
            throw RegistryFault.Wrong($"what {Place.Name} sent as manifest {asked} has the digest {digest}");
        if (Header(response, "Docker-Content-Digest") is { } said && said != digest.ToString())
            throw RegistryFault.Wrong($"what {Place.Name} sent as manifest {tagOrDigest} has the digest {digest}, and it says '{ForeignText.Shown(said)}'");
        try
        {
            var (isIndex, type) = (OciVariants.IsIndex(bytes), response.Content.Headers.ContentType?.MediaType);
            var mediaType = isIndex ? OciIndex.IndexMediaType : OciManifest.ManifestMediaType;
            if (Understood.Contains(type) && type != mediaType)
                throw new JsonException($"it came as {type}, and is none");
            var (manifest, index) = isIndex ? ((OciManifest?)null, OciIndex.Parse(bytes)) : (OciManifest.Parse(bytes), null);
            var descriptor = new OciDescriptor(mediaType, digest, bytes.Length, manifest?.ArtifactType ?? index?.ArtifactType);
            return new RegistryManifest(descriptor, bytes, manifest, index) { EntityTag = Header(response, "ETag") };
        }
        catch (JsonException e)
        {
            throw new SlipwayException(ExitCode.UnusableInput, new Fault(
                "manifest-shape", $"{Place.Name} has something under {tagOrDigest} that is no OCI manifest: {ForeignText.Shown(e.Message)}",
                Help: "Slipway's bundles are OCI image manifests; `skopeo inspect --raw` shows what this is"));
        }
    }

    private static string? Header(HttpResponseMessage response, string name) =>
        response.Headers.TryGetValues(name, out var values) && values.ToArray() is [var only] ? only : null;
}

/// <summary>A manifest or an index as a registry sent it, its digest checked.</summary>
/// <param name="Manifest">Null for an index.</param>
/// <param name="Index">Null for a manifest.</param>
public sealed record RegistryManifest(OciDescriptor Descriptor, ReadOnlyMemory<byte> Bytes, OciManifest? Manifest, OciIndex? Index)
{
    /// <summary>One that was just copied there.</summary>
    public static RegistryManifest Of(PlannedManifest copied) => new(
        new OciDescriptor(copied.MediaType, copied.Digest, copied.Bytes.Length, copied.Manifest?.ArtifactType ?? copied.Index?.ArtifactType), copied.Bytes, copied.Manifest, copied.Index);

    /// <summary>What the registry knows this state of a tag by (RFC 9110 §8.8.3); null where it does not say.</summary>
    internal string? EntityTag { get; init; }
}
