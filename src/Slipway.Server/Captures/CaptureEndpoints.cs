using System.Globalization;
using System.Text;
using Microsoft.AspNetCore.Http;
using Slipway.Documents.Access;
using Slipway.Documents.Charts;
using Slipway.Documents.Incidents;
using Slipway.Documents.Ledger;
using Slipway.Server.Api;
using Slipway.Server.Ledger;
using Slipway.Server.Registry;
using Slipway.Server.Rollouts;
using Slipway.Server.Storage;
using Slipway.Trust.Encryption;

namespace Slipway.Server.Captures;

/// <summary>Captured requests in, from gateways whose model's plan asks for them, and out, to those who operate the model. What is sealed stays sealed.</summary>
internal sealed class CaptureEndpoints(Database database, LedgerWriter ledger, TimeProvider time)
{
    /// <summary>Bytes of one capture.</summary>
    private const long BodyLimit = 16 * 1024 * 1024;

    private const int LongestId = 200, MostRequests = 100_000;

    /// <summary>What a gateway's clock may be ahead, in milliseconds: what is further in the future nobody would ask for.</summary>
    private const long MostAhead = 24 * 3600 * 1000;

    public IEnumerable<ApiEndpoint> All() =>
    [
        new("POST", "/api/v1/gateway/captures", Permission.Gateway, TakeInAsync) { BodyLimit = BodyLimit },
        new("GET", "/api/v1/models/{model}/captures", Permission.Operate, ListAsync),
        new("GET", "/api/v1/models/{model}/captures/{id}", Permission.Operate, ShowAsync),
        new("POST", "/api/v1/models/{model}/captures/erase", Permission.Administer, EraseAsync),
    ];

    private long Now => time.GetUtcNow().ToUnixTimeMilliseconds();

    private async Task TakeInAsync(ApiCall call)
    {
        var (model, channel, gateway, id) = (Name(call, "model"), Require.Channel(call.Query("channel")), Name(call, "gateway"), Name(call, "id"));
        var (from, to, requests) = (Number(call, "from"), Number(call, "to"), Number(call, "requests"));
        if (requests is < 1 or > MostRequests)
            throw ApiProblem.Malformed("bad-request", $"requests is {requests}, allowed are 1 to {MostRequests}");
        if (from > to || to > Now + MostAhead)
            throw ApiProblem.Malformed("bad-request", $"a capture from {TimeText.Iso(from)} to {TimeText.Iso(to)} ends before it begins, or more than a day from now");
        // Before megabytes are read that nobody may keep; and again in the change, since a plan may take its word back meanwhile.
        await database.ReadAsync(session => KeepAsync(session, call, model, channel, gateway), call.Cancellation);
        using var body = new MemoryStream();
        await call.Http.Request.Body.CopyToAsync(body, call.Cancellation);
        var content = body.ToArray();
        if (SealedMessage.RecipientOf(content) is not { Length: <= LongestId } recipient)
            throw ApiProblem.Malformed("capture-open", "the capture is not sealed for a key; nothing else is stored");
        await database.ChangeAsync(
            async session =>
            {
                var until = Now + await KeepAsync(session, call, model, channel, gateway);
                await CaptureTable.AddAsync(session, new CaptureInfo(IdOf(channel, gateway, id), model, channel, gateway, from, to, (int)requests, content.Length, recipient, until), content);
            },
            call.Cancellation);
        call.Http.Response.StatusCode = StatusCodes.Status204NoContent;
    }

    /// <returns>For how many milliseconds the plan lets a capture of this gateway be kept.</returns>
    private async Task<long> KeepAsync(Session session, ApiCall call, string model, string channel, string gateway)
    {
        await GatewayTable.RequireOwnAsync(session, channel, gateway, call.Caller.Id, Now);
        return (long)((await PlanTable.LatestAsync(session, model))?.Plan.Monitor?.Capture
            ?? throw ApiProblem.Conflict("no-capture", "the model's plan asks for no capture, so nothing is kept")).Keep.Value.TotalMilliseconds;
    }

    /// <summary>The same for a capture that is sent again, and of its own for every gateway: none can take another's name first, and so keep it out.</summary>
    private static string IdOf(string channel, string gateway, string id) => Primitives.Bytes.Digest.Of(Encoding.UTF8.GetBytes($"{channel}\n{gateway}\n{id}")).Hex[..32];

    private async Task ListAsync(ApiCall call)
    {
        var (channel, from, to) = (Require.Channel(call.Query("channel")), Number(call, "from"), Number(call, "to"));
        var captures = await database.ReadAsync(session => CaptureTable.ListAsync(session, call.Segment("model"), channel, from, to, Now), call.Cancellation);
        // Fewer than there are would look like all that was captured, to a replay too.
        if (captures.Length > CaptureTable.MostListed)
            throw ApiProblem.Malformed("many-captures", $"there are more than {CaptureTable.MostListed} captures between {TimeText.Iso(from)} and {TimeText.Iso(to)}", "ask for a shorter time; `slipway replay` has --from and --to");
        await call.AnswerAsync(captures, IncidentJson.Default.ImmutableArrayCaptureInfo);
    }

    /// <summary>Who took captured requests is in the ledger, whether or not they can open them.</summary>
    private async Task ShowAsync(ApiCall call)
    {
        var (model, id) = (call.Segment("model"), call.Segment("id"));
        var content = await database.ChangeAsync(
            async session =>
            {
                var found = await CaptureTable.ContentAsync(session, model, id, Now) ?? throw ApiProblem.NotThere("no-capture", "there is no such capture, or its time is over");
                await ledger.RecordAsync(session, call.Caller, "capture.read", [LedgerSubject.OfModel(model, Primitives.Bytes.Digest.Of(found))], "taken for a replay");
                return found;
            },
            call.Cancellation);
        call.Http.Response.ContentType = "application/jose";
        call.Http.Response.ContentLength = content.Length;
        await call.Http.Response.Body.WriteAsync(content, call.Cancellation);
    }

    /// <summary>All of a model's, for good.</summary>
    private async Task EraseAsync(ApiCall call)
    {
        var (model, request) = (call.Segment("model"), await call.ReadAsync(AccessJson.Default.ReasonOnly));
        await database.ChangeAsync(
            async session =>
            {
                await ModelNames.RequireAsync(session, call.Caller, model);
                var plan = (await PlanTable.LatestAsync(session, model))!;
                var erased = await CaptureTable.EraseAsync(session, model);
                await ledger.RecordAsync(session, call.Caller, "capture.erased", [LedgerSubject.OfModel(model, plan.Digest)], string.Create(CultureInfo.InvariantCulture, $"{request.Reason} ({erased} captures)"));
            },
            call.Cancellation);
        call.Http.Response.StatusCode = StatusCodes.Status204NoContent;
    }

    private static string Name(ApiCall call, string name) => call.Query(name) is { Length: > 0 and <= LongestId } text && !text.Any(char.IsControl)
        ? text
        : throw ApiProblem.Malformed("bad-request", $"the query lacks {name}, allowed are 1 to {LongestId} characters");

    private static long Number(ApiCall call, string name) => long.TryParse(call.Query(name), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
        ? number
        : throw ApiProblem.Malformed("bad-request", $"the query lacks {name}, a whole number; times are Unix milliseconds");
}
