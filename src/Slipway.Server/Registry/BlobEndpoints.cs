using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;
using Slipway.Documents.Registry;
using Slipway.Primitives.Bytes;
using Slipway.Server.Api;
using Slipway.Server.Storage;
using Slipway.Store.Oci;

namespace Slipway.Server.Registry;

/// <summary>Bytes in, by digest, from whoever may push; bytes out to whoever reads a model, and to gateways that serve it.</summary>
internal sealed class BlobEndpoints(Database database, BundleStore store, TimeProvider time)
{
    private const int BufferBytes = 128 * 1024;

    public IEnumerable<ApiEndpoint> All() =>
    [
        new("HEAD", "/api/v1/blobs/{digest}", Permission.Push, HasAsync, AnyModel: true),
        new("PUT", "/api/v1/blobs/{digest}", Permission.Push, PutAsync, AnyModel: true) { BodyLimit = BundleStore.MaxBlobBytes },
        new("GET", "/api/v1/blobs/{digest}", Permission.Fetch, GetAsync, AnyModel: true),
        new("GET", "/api/v1/bundles/{digest}", Permission.Fetch, ContentsAsync, AnyModel: true),
    ];

    /// <summary>Whether this caller need not upload it.</summary>
    private async Task HasAsync(ApiCall call)
    {
        var blob = DigestOf(call);
        if (store.SizeOf(blob) is not { } size || (await database.ReadAsync(session => BlobTable.StrangeAsync(session, call.Caller, [blob], Now), call.Cancellation)).Length > 0)
            throw NoBlob(blob);
        call.Http.Response.ContentLength = size;
    }

    private async Task PutAsync(ApiCall call)
    {
        var blob = DigestOf(call);
        var state = await store.Layout.ReceiveBlobAsync(blob, call.Http.Request.Body, BundleStore.MaxBlobBytes, call.Cancellation);
        if (state != BlobState.Intact)
        {
            throw state == BlobState.TooLarge
                ? ApiProblem.Malformed("blob-too-large", $"blob {blob} has more than {BundleStore.MaxBlobBytes} bytes")
                : ApiProblem.Malformed("blob-edited", $"what came as blob {blob} has another digest, and was not kept", "push again; if it fails again, the layout that it is read from is damaged: `slipway verify` tells");
        }

        await database.ChangeAsync(
            async session =>
            {
                await BlobTable.NoteUploadAsync(session, blob, call.Caller, Now);
                // Inside the change: no push may register one of them meanwhile.
                foreach (var stale in await BlobTable.ForgetUploadsAsync(session, Now))
                    store.Layout.DeleteBlob(stale);
            },
            call.Cancellation);
        call.Http.Response.StatusCode = StatusCodes.Status201Created;
    }

    private async Task GetAsync(ApiCall call)
    {
        var blob = DigestOf(call);
        var models = await database.ReadAsync(session => BlobTable.ModelsOfAsync(session, blob), call.Cancellation);
        if (!models.Any(model => call.Caller.May(Permission.Fetch, model)))
            throw NoBlob(blob);
        await using var file = store.Layout.OpenBlob(blob) ?? throw NoBlob(blob);
        // A download that was cut goes on where it was: `bytes=N-` alone, RFC 9110 §14.2; any other range is answered with the whole.
        if (call.Http.Request.GetTypedHeaders().Range is { Unit.Value: "bytes", Ranges: { Count: 1 } ranges } && ranges.First() is { From: { } from, To: null } && from < file.Length)
        {
            file.Position = from;
            call.Http.Response.StatusCode = StatusCodes.Status206PartialContent;
            call.Http.Response.GetTypedHeaders().ContentRange = new ContentRangeHeaderValue(from, file.Length - 1, file.Length);
        }

        call.Http.Response.ContentType = "application/octet-stream";
        call.Http.Response.ContentLength = file.Length - file.Position;
        await file.CopyToAsync(call.Http.Response.Body, BufferBytes, call.Cancellation);
    }

    private async Task ContentsAsync(ApiCall call)
    {
        var bundle = DigestOf(call);
        var contents = await database.ReadAsync(
            async session => await VersionTable.FindAsync(session, bundle) is { } version && call.Caller.May(Permission.Fetch, version.Model) ? await BlobTable.ContentsAsync(session, bundle) : null,
            call.Cancellation);
        await call.AnswerAsync(
            contents ?? throw ApiProblem.NotThere("no-bundle", $"there is no registered bundle {bundle}, or none that you may see"), RegistryJson.Default.BundleContents);
    }

    private long Now => time.GetUtcNow().ToUnixTimeMilliseconds();

    private static Digest DigestOf(ApiCall call) => Digest.TryParse(call.Segment("digest"), out var digest)
        ? digest
        : throw ApiProblem.Malformed("bad-digest", "the last part of the path is no digest: sha256: and 64 lowercase hex digits");

    private static ApiProblem NoBlob(Digest blob) => ApiProblem.NotThere("no-blob", $"there is no blob {blob} here for you");
}
