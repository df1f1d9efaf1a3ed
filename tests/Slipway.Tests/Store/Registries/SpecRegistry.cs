using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;
using Slipway.Primitives.Bytes;
using Slipway.Store.Oci;
using Slipway.Store.Registries;

namespace Slipway.Tests.Store.Registries;

/// <summary>
/// A registry by the letter of distribution-spec 1.1 over real HTTP, with the referrers API, and with what goes wrong in others: a second reading of the
/// specification. It answers at two ports, of which the second is "elsewhere": token server and store of redirected blobs.
/// </summary>
internal sealed class SpecRegistry : IAsyncDisposable
{
    /// <summary>Before a connection is cut, so that the client gets what was sent: an abort throws away what still lies in its buffers.</summary>
    private static readonly TimeSpan Reading = TimeSpan.FromMilliseconds(100);

    private readonly WebApplication web;
    private readonly ConcurrentDictionary<string, Repository> repositories = new();

    private SpecRegistry(WebApplication web) => this.web = web;

    public sealed record Call(bool Elsewhere, string Method, string Target, string? Authorization, string? Range, string? ContentRange, long? Length);

    public sealed class Repository
    {
        public ConcurrentDictionary<Digest, byte[]> Blobs { get; } = new();
        public ConcurrentDictionary<Digest, (string Type, byte[] Bytes)> Manifests { get; } = new();
        public ConcurrentDictionary<string, Digest> Tags { get; } = new();
        public ConcurrentDictionary<string, MemoryStream> Uploads { get; } = new();
    }

    public ConcurrentQueue<Call> Calls { get; } = new();

    public bool HasReferrers { get; set; } = true;

    public bool TakesSinglePost { get; set; } = true;

    public bool HeedsIfMatch { get; set; } = true;

    public bool KnowsRanges { get; set; } = true;

    public int PageSize { get; set; } = 1000;

    public long LeastChunk { get; set; }

    /// <summary>Where set, what is accepted as Authorization at the registry; without it, 401 with <see cref="Challenge"/>.</summary>
    public Func<string?, HttpContext, bool>? Accepts { get; set; }

    public string Challenge { get; set; } = "Basic realm=\"test\"";

    /// <summary>Called before anything else; true where it has answered.</summary>
    public Func<HttpContext, Task<bool>> Intercept { get; set; } = static _ => Task.FromResult(false);

    /// <summary>Bytes of a body after which the connection is cut; each once, in order.</summary>
    public ConcurrentQueue<int> CutUploads { get; } = new();

    public ConcurrentQueue<int> CutDownloads { get; } = new();

    /// <summary>What is sent as a blob.</summary>
    public Func<Digest, byte[], byte[]> Spoil { get; set; } = static (_, bytes) => bytes;

    public string Host => new Uri(web.Urls.First()).Authority;

    public string Elsewhere => new Uri(web.Urls.Last()).Authority;

    public Repository this[string name] => repositories.GetOrAdd(name, _ => new Repository());

    public RegistryClient Client(string repository = "team/model", RegistryCredential? credential = null, TimeProvider? time = null, RegistryOptions? options = null) =>
        new(new RegistryReference(Host, repository), options ?? Quick, credential, time ?? TimeProvider.System);

    /// <summary>Without the waits that a network needs.</summary>
    public static RegistryOptions Quick { get; } = new() { FirstWait = TimeSpan.FromMilliseconds(1), Settling = TimeSpan.FromMilliseconds(30), Silence = TimeSpan.FromSeconds(20) };

    public static async Task<SpecRegistry> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrel(kestrel =>
        {
            kestrel.Limits.MaxRequestBodySize = null;
            kestrel.Limits.MinRequestBodyDataRate = null;
            kestrel.Limits.MinResponseDataRate = null;
            kestrel.Listen(IPAddress.Loopback, 0);
            kestrel.Listen(IPAddress.Loopback, 0);
        });
        var web = builder.Build();
        var registry = new SpecRegistry(web);
        web.Run(registry.AnswerAsync);
        await web.StartAsync(TestContext.Current.CancellationToken);
        return registry;
    }

    public async ValueTask DisposeAsync() => await web.DisposeAsync();

    private async Task AnswerAsync(HttpContext http)
    {
        var request = http.Request;
        var isElsewhere = http.Connection.LocalPort == new Uri(web.Urls.Last()).Port;
        string? Header(string name) => request.Headers.TryGetValue(name, out var value) ? value.ToString() : null;
        Calls.Enqueue(new Call(isElsewhere, request.Method, request.Path + request.QueryString, Header("Authorization"), Header("Range"), Header("Content-Range"), request.ContentLength));
        try
        {
            if (await Intercept(http))
                return;
            if (isElsewhere)
            {
                await SendBlobAsync(http, repositories.Values.First(), request.Path.Value!.Split('/')[^1]);
                return;
            }

            if (Accepts is { } accepts && !accepts(Header("Authorization"), http))
            {
                http.Response.Headers.WWWAuthenticate = Challenge;
                await RefuseAsync(http, 401, "UNAUTHORIZED", "authentication required");
                return;
            }

            await RouteAsync(http, request.Path.Value!);
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or ConnectionAbortedException || e.GetType().Name.Contains("BadHttpRequest", StringComparison.Ordinal))
        {
            // The client went away, or we cut it.
        }
    }

    private sealed class ConnectionAbortedException : Exception;

    private Task RouteAsync(HttpContext http, string path)
    {
        if (path is "/v2/")
            return WriteAsync(http, 200, "application/json", "{}"u8.ToArray());
        foreach (var (part, answer) in new (string, Func<HttpContext, string, string, Task>)[] { ("/manifests/", ManifestAsync), ("/blobs/uploads/", UploadAsync), ("/blobs/", BlobAsync), ("/tags/", TagsAsync), ("/referrers/", ReferrersAsync) })
        {
            if (path.LastIndexOf(part, StringComparison.Ordinal) is > 3 and var at)
                return answer(http, path["/v2/".Length..at], path[(at + part.Length)..]);
        }

        return RefuseAsync(http, 404, "UNSUPPORTED", "no such route");
    }

    private async Task ManifestAsync(HttpContext http, string name, string reference)
    {
        var repository = this[name];
        var digest = Digest.TryParse(reference, out var parsed) ? parsed : repository.Tags.GetValueOrDefault(reference);
        if (http.Request.Method == "PUT")
        {
            await PutManifestAsync(http, repository, name, reference);
            return;
        }

        if (!repository.Manifests.TryGetValue(digest, out var found) || !http.Request.Headers.Accept.ToString().Contains(found.Type, StringComparison.Ordinal))
        {
            await RefuseAsync(http, 404, "MANIFEST_UNKNOWN", "manifest unknown");
            return;
        }

        http.Response.Headers["Docker-Content-Digest"] = digest.ToString();
        http.Response.Headers.ETag = $"\"{digest}\"";
        await WriteAsync(http, 200, found.Type, found.Bytes);
    }

    private async Task PutManifestAsync(HttpContext http, Repository repository, string name, string reference)
    {
        var bytes = await BodyAsync(http);
        var (type, digest) = (http.Request.ContentType ?? "", Digest.Of(bytes));
        var root = JsonDocument.Parse(bytes).RootElement;
        if (Digest.TryParse(reference, out var named) ? named != digest : !OciLayout.IsTag(reference))
        {
            await RefuseAsync(http, 400, "DIGEST_INVALID", "digest or tag does not fit");
            return;
        }

        if (root.TryGetProperty("mediaType", out var said) && said.GetString() != type || type is not (OciManifest.ManifestMediaType or OciIndex.IndexMediaType))
        {
            await RefuseAsync(http, 400, "MANIFEST_INVALID", "Content-Type and mediaType differ");
            return;
        }

        var blobs = type == OciManifest.ManifestMediaType ? root.GetProperty("layers").EnumerateArray().Append(root.GetProperty("config")) : [];
        if (blobs.Any(blob => !repository.Blobs.ContainsKey(Digest.Parse(blob.GetProperty("digest").GetString()!)))
            || type == OciIndex.IndexMediaType && !ReferrersTagLike(reference) && root.GetProperty("manifests").EnumerateArray().Any(entry => !repository.Manifests.ContainsKey(Digest.Parse(entry.GetProperty("digest").GetString()!))))
        {
            await RefuseAsync(http, 404, "MANIFEST_BLOB_UNKNOWN", "blob unknown to registry");
            return;
        }

        lock (repository)
        {
            var now = repository.Tags.TryGetValue(reference, out var tagged) ? $"\"{tagged}\"" : null;
            var (match, none) = (http.Request.Headers.IfMatch.ToString(), http.Request.Headers.IfNoneMatch.ToString());
            if (HeedsIfMatch && (match.Length > 0 && match != now || none == "*" && now is not null))
            {
                http.Response.StatusCode = 412;
                return;
            }

            repository.Manifests[digest] = (type, bytes);
            if (named != digest)
                repository.Tags[reference] = digest;
        }

        if (HasReferrers && root.TryGetProperty("subject", out var subject))
            http.Response.Headers["OCI-Subject"] = subject.GetProperty("digest").GetString();
        http.Response.Headers["Docker-Content-Digest"] = digest.ToString();
        http.Response.Headers.Location = $"/v2/{name}/manifests/{digest}";
        http.Response.StatusCode = 201;
    }

    private async Task BlobAsync(HttpContext http, string name, string reference) => await SendBlobAsync(http, this[name], reference);

    private async Task SendBlobAsync(HttpContext http, Repository repository, string reference)
    {
        if (!Digest.TryParse(reference, out var digest) || !repository.Blobs.TryGetValue(digest, out var bytes))
        {
            await RefuseAsync(http, 404, "BLOB_UNKNOWN", "blob unknown to registry");
            return;
        }

        bytes = http.Request.Method == "GET" ? Spoil(digest, bytes) : bytes;
        http.Response.Headers["Docker-Content-Digest"] = digest.ToString();
        var range = http.Request.Headers.Range.ToString();
        if (KnowsRanges && range.StartsWith("bytes=", StringComparison.Ordinal))
        {
            var from = int.Parse(range["bytes=".Length..].TrimEnd('-'), CultureInfo.InvariantCulture);
            http.Response.Headers.ContentRange = $"bytes {from}-{bytes.Length - 1}/{bytes.Length}";
            await WriteAsync(http, 206, "application/octet-stream", bytes[from..]);
        }
        else
        {
            await WriteAsync(http, 200, "application/octet-stream", bytes);
        }
    }

    private async Task UploadAsync(HttpContext http, string name, string id)
    {
        var (repository, query) = (this[name], http.Request.Query);
        if (http.Request.Method == "POST" && id.Length == 0)
        {
            if (query.TryGetValue("mount", out var mount) && query.TryGetValue("from", out var from) && this[from!].Blobs.TryGetValue(Digest.Parse(mount!), out var there))
            {
                repository.Blobs[Digest.Parse(mount!)] = there;
                await CreatedAsync(http, name, Digest.Parse(mount!));
                return;
            }

            if (query.TryGetValue("digest", out var whole) && TakesSinglePost)
            {
                await FinishAsync(http, repository, name, whole!, await BodyAsync(http));
                return;
            }

            await BodyAsync(http);
            id = $"u{repository.Uploads.Count}-{Calls.Count}";
            repository.Uploads[id] = new MemoryStream();
            if (LeastChunk > 0)
                http.Response.Headers["OCI-Chunk-Min-Length"] = LeastChunk.ToString(CultureInfo.InvariantCulture);
            Session(http, name, id, 202, 0);
            return;
        }

        if (!repository.Uploads.TryGetValue(id, out var upload))
        {
            await RefuseAsync(http, 404, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry");
            return;
        }

        if (http.Request.Method == "GET")
        {
            Session(http, name, id, 204, upload.Length);
            return;
        }

        var expected = $"{upload.Length}-{upload.Length + http.Request.ContentLength - 1}";
        var isChunk = http.Request.Method == "PATCH";
        if (isChunk && (http.Request.Headers.ContentRange.ToString() != expected || http.Request.ContentType != "application/octet-stream"))
        {
            Session(http, name, id, 416, upload.Length);
            return;
        }

        await BodyAsync(http, upload);
        if (isChunk)
        {
            Session(http, name, id, 202, upload.Length);
            return;
        }

        repository.Uploads.TryRemove(id, out _);
        await FinishAsync(http, repository, name, query["digest"]!, upload.ToArray());
    }

    private static async Task FinishAsync(HttpContext http, Repository repository, string name, string digest, byte[] bytes)
    {
        if (!Digest.TryParse(digest, out var named) || Digest.Of(bytes) != named)
        {
            await RefuseAsync(http, 400, "DIGEST_INVALID", "provided digest did not match uploaded content");
            return;
        }

        repository.Blobs[named] = bytes;
        await CreatedAsync(http, name, named);
    }

    private async Task TagsAsync(HttpContext http, string name, string _)
    {
        if (!repositories.TryGetValue(name, out var repository))
        {
            await RefuseAsync(http, 404, "NAME_UNKNOWN", "repository name not known to registry");
            return;
        }

        var last = http.Request.Query["last"].ToString();
        var most = Math.Min(PageSize, int.TryParse(http.Request.Query["n"], out var n) ? n : PageSize);
        var after = repository.Tags.Keys.Order(StringComparer.Ordinal).Where(tag => string.CompareOrdinal(tag, last) > 0).ToList();
        if (after.Count > most)
            http.Response.Headers.Link = $"</v2/{name}/tags/list?n={most}&last={after[most - 1]}>; rel=\"next\"";
        await WriteAsync(http, 200, "application/json", Encoding.UTF8.GetBytes(new JsonObject { ["name"] = name, ["tags"] = new JsonArray([.. after.Take(most).Select(tag => (JsonNode)tag)]) }.ToJsonString()));
    }

    private async Task ReferrersAsync(HttpContext http, string name, string subject)
    {
        if (!HasReferrers)
        {
            await RefuseAsync(http, 404, "UNSUPPORTED", "no such route");
            return;
        }

        var skip = int.TryParse(http.Request.Query["skip"], out var given) ? given : 0;
        var attached = this[name].Manifests.Where(entry => JsonNode.Parse(entry.Value.Bytes)!["subject"]?["digest"]?.GetValue<string>() == subject).OrderBy(entry => entry.Key).ToList();
        if (attached.Count > skip + PageSize)
            http.Response.Headers.Link = $"</v2/{name}/referrers/{subject}?skip={skip + PageSize}>; rel=\"next\"";
        var entries = attached.Skip(skip).Take(PageSize).Select(entry => (JsonNode)new JsonObject { ["mediaType"] = entry.Value.Type, ["digest"] = entry.Key.ToString(), ["size"] = entry.Value.Bytes.Length });
        await WriteAsync(http, 200, OciIndex.IndexMediaType, Encoding.UTF8.GetBytes(new JsonObject { ["schemaVersion"] = 2, ["mediaType"] = OciIndex.IndexMediaType, ["manifests"] = new JsonArray([.. entries]) }.ToJsonString()));
    }

    private static bool ReferrersTagLike(string reference) => reference.StartsWith("sha256-", StringComparison.Ordinal);

    private static void Session(HttpContext http, string name, string id, int status, long length)
    {
        http.Response.StatusCode = status;
        http.Response.Headers.Location = $"/v2/{name}/blobs/uploads/{id}?state={length}";
        http.Response.Headers["Range"] = $"0-{Math.Max(0, length - 1)}";
    }

    private static Task CreatedAsync(HttpContext http, string name, Digest digest)
    {
        http.Response.StatusCode = 201;
        http.Response.Headers.Location = $"/v2/{name}/blobs/{digest}";
        http.Response.Headers["Docker-Content-Digest"] = digest.ToString();
        return Task.CompletedTask;
    }

    public static Task RefuseAsync(HttpContext http, int status, string code, string message) =>
        WriteAsync(http, status, "application/json", Encoding.UTF8.GetBytes($$"""{"errors":[{"code":"{{code}}","message":"{{message}}"}]}"""), null);

    private Task WriteAsync(HttpContext http, int status, string type, byte[] bytes) => WriteAsync(http, status, type, bytes, http.Request.Method == "GET" && type == "application/octet-stream" && CutDownloads.TryDequeue(out var after) ? after : null);

    private static async Task WriteAsync(HttpContext http, int status, string type, byte[] bytes, int? cutAfter)
    {
        http.Response.StatusCode = status;
        http.Response.ContentType = type;
        http.Response.ContentLength = bytes.Length;
        if (http.Request.Method == "HEAD")
            return;
        await http.Response.Body.WriteAsync(bytes.AsMemory(0, Math.Min(cutAfter ?? bytes.Length, bytes.Length)));
        if (cutAfter is null)
            return;
        await http.Response.Body.FlushAsync();
        await Task.Delay(Reading);
        http.Abort();
    }

    private async Task<byte[]> BodyAsync(HttpContext http)
    {
        using var body = new MemoryStream();
        await BodyAsync(http, body);
        return body.ToArray();
    }

    /// <summary>Takes in the body as far as it comes; what came before a cut is kept.</summary>
    private async Task BodyAsync(HttpContext http, MemoryStream into)
    {
        var left = http.Request.ContentLength > 0 && CutUploads.TryDequeue(out var after) ? after : int.MaxValue;
        var buffer = new byte[64 * 1024];
        while (left > 0 && await http.Request.Body.ReadAsync(buffer.AsMemory(0, Math.Min(left, buffer.Length))) is > 0 and var read)
        {
            into.Write(buffer, 0, read);
            left -= read;
        }

        if (left > 0)
            return;
        http.Abort();
        throw new ConnectionAbortedException();
    }
}
