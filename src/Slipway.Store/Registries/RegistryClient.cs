using System.Collections.Immutable;
using System.Net;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Slipway.Primitives.Faults;
using Slipway.Store.Oci;

namespace Slipway.Store.Registries;

/// <summary>One repository of a registry. Source: distribution-spec 1.1. Nothing that it answers is believed but digests that were checked here.</summary>
/// <remarks>Thread-safe. Memory is bounded by a manifest, and by a buffer for each blob under way.</remarks>
public sealed partial class RegistryClient : IDisposable
{
    /// <summary>Tags of one page, as asked for; a registry may give fewer.</summary>
    private const int TagsOfPage = 1000;

    /// <summary>Pages of one list; more is an endless one, and a fault.</summary>
    private const int MaxPages = 1000;

    /// <summary>Tags of one repository; the largest public ones have some ten thousand. More is a fault.</summary>
    private const int MaxTags = 100_000;

    /// <summary>Bytes of all pages of one list together: twice what so many of the longest tags have. More is a fault.</summary>
    private const long MaxListBytes = 32L << 20;

    /// <summary>Pages of tags that are looked at for the nearest to one that is not there.</summary>
    private const int PagesForHelp = 3;

    private readonly RegistryConnection connection;

    /// <param name="place">Host and repository; tag and digest are not looked at.</param>
    /// <param name="credential">Null to be nobody.</param>
    public RegistryClient(RegistryReference place, RegistryOptions options, RegistryCredential? credential, TimeProvider time)
    {
        connection = new RegistryConnection(place.Host, options, credential, time);
        Place = place with { Tag = null, Digest = null };
    }

    public RegistryReference Place { get; }

    private string Pull => $"repository:{Place.Repository}:pull";

    private string Push => $"repository:{Place.Repository}:pull,push";

    public void Dispose() => connection.Dispose();

    /// <summary>Whether what answers at the host is a registry at all, whatever this caller may do there.</summary>
    /// <exception cref="SlipwayException">It is none, or does not answer (exit 3).</exception>
    public async Task PingAsync(CancellationToken cancellation)
    {
        using var response = await connection.SendAsync(() => new HttpRequestMessage(HttpMethod.Get, new Uri(connection.Base, "/v2/")), "", cancellation);
        if (response.StatusCode is HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden)
            throw await RegistryFault.OfAsync(response, Place.Host, connection.Options.Silence, cancellation);
        if (response.StatusCode != HttpStatusCode.OK)
            throw RegistryFault.Strange(Place.Host, $"answers {(int)response.StatusCode} to /v2/, which a registry answers with 200");
    }

    /// <summary>All tags in the registry's order, without the lists of what is attached (<c>sha256-…</c>).</summary>
    /// <exception cref="SlipwayException">No such repository (exit 2); denied, or no answer that the specification knows (exit 3).</exception>
    public Task<ImmutableArray<string>> TagsAsync(CancellationToken cancellation) => TagsAsync(int.MaxValue, cancellation);

    private async Task<ImmutableArray<string>> TagsAsync(int pages, CancellationToken cancellation)
    {
        var tags = ImmutableArray.CreateBuilder<string>();
        var (seen, isMissing) = (0, false);
        await foreach (var body in PagesAsync(At($"tags/list?n={TagsOfPage}"), "tags", () => isMissing = true, cancellation))
        {
            var page = Read(body, RegistryJson.Default.RegistryTags, "a list of tags").Tags ?? [];
            if ((seen += page.Length) > MaxTags)
                throw RegistryFault.Strange(Place.Name, $"lists more than {MaxTags} tags");
            tags.AddRange(page.OfType<string>().Where(tag => OciLayout.IsTag(tag) && !ReferrersTag.IsOne(tag)));
            if (--pages == 0)
                break;
        }

        if (!isMissing)
            return [.. tags.Distinct()];
        await PingAsync(cancellation);
        throw new SlipwayException(ExitCode.UnusableInput, new Fault(
            "repository-not-found", $"{Place.Host} has no repository '{Place.Repository}'",
            Help: "is the name right? the first `slipway push` to it makes it; some registries show a private one only after `docker login`"));
    }

    private Uri At(string below) => new(connection.Base, $"/v2/{Place.Repository}/{below}");

    /// <summary>The bodies of a list's pages, as the <c>Link</c> header leads from one to the next (RFC 8288).</summary>
    /// <param name="isMissing">Told where the list itself is not there, which then has no pages; null where that is a fault.</param>
    private async IAsyncEnumerable<byte[]> PagesAsync(Uri first, string what, Action? isMissing, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var page = first;
        var bytes = 0L;
        for (var pages = 0; ; pages++)
        {
            using var response = await connection.SendAsync(() => new HttpRequestMessage(HttpMethod.Get, page), Pull, cancellation);
            if (response.StatusCode == HttpStatusCode.NotFound && isMissing is not null)
            {
                isMissing();
                yield break;
            }

            if (response.StatusCode != HttpStatusCode.OK)
                throw await RefusedAsync(response, cancellation);
            var body = await BodyAsync(response, $"a list of {what}", cancellation);
            if ((bytes += body.Length) > MaxListBytes)
                throw RegistryFault.Strange(Place.Name, $"lists {what} in more than {MaxListBytes} bytes");
            yield return body;
            if (Next(response) is not { } link)
                yield break;
            var next = Uri.TryCreate(page, link, out var target) ? target : null;
            if (next is null || !RegistryAddress.IsSameOrigin(connection.Base, next) || next == page || pages == MaxPages)
                throw RegistryFault.Strange(Place.Name, pages == MaxPages ? $"lists {what} on more than {MaxPages} pages" : $"leads from one page of {what} to no other of its own");
            page = next;
        }
    }

    private string? Next(HttpResponseMessage response)
    {
        if (!response.Headers.TryGetValues("Link", out var links))
            return null;
        foreach (var link in links.SelectMany(line => line.Split(',')))
        {
            var (open, close) = (link.IndexOf('<', StringComparison.Ordinal), link.IndexOf('>', StringComparison.Ordinal));
            if (open < 0 || close < open)
                throw RegistryFault.Strange(Place.Name, "answers with a Link header that has no <address>");
            if (link[close..].Replace(" ", "", StringComparison.Ordinal).Replace("\"", "", StringComparison.Ordinal).Contains(";rel=next", StringComparison.OrdinalIgnoreCase))
                return link[(open + 1)..close];
        }

        return null;
    }

    private async Task<byte[]> BodyAsync(HttpResponseMessage response, string what, CancellationToken cancellation)
    {
        try
        {
            return await BoundedBody.ReadAsync(response, OciManifest.MaxBytes, connection.Options.Silence, cancellation)
                ?? throw RegistryFault.Strange(Place.Name, $"answers more than {OciManifest.MaxBytes} bytes as {what}");
        }
        catch (Exception e) when (RegistryConnection.IsCut(e))
        {
            throw RegistryFault.Unreachable(Place.Name, e);
        }
    }

    private T Read<T>(byte[] json, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type, string what) where T : class
    {
        try
        {
            return OciJson.Read(json, type);
        }
        catch (JsonException e)
        {
            throw RegistryFault.Strange(Place.Name, $"answers something else than {what}: {ForeignText.Shown(e.Message)}");
        }
    }

    /// <summary>A refusal; of a host that is no registry at all, that.</summary>
    private async Task<SlipwayException> RefusedAsync(HttpResponseMessage response, CancellationToken cancellation)
    {
        var refused = await RegistryFault.OfAsync(response, Place.Name, connection.Options.Silence, cancellation);
        if (response.StatusCode == HttpStatusCode.NotFound)
            await PingAsync(cancellation);
        return refused;
    }
}
