using Microsoft.AspNetCore.Http;
using Slipway.Documents.Registry;
using Slipway.Server.Api;
using Slipway.Server.Storage;

namespace Slipway.Server.Registry;

/// <summary>Promotions: asked for, voted on, looked at.</summary>
internal sealed class PromotionEndpoints(Database database, Promotions promotions)
{
    private const string AllWaiting = "/api/v1/promotions";

    public IEnumerable<ApiEndpoint> All() =>
    [
        new("GET", AllWaiting, Permission.Read, ListAllAsync, AnyModel: true),
        new("GET", "/api/v1/models/{model}/promotions", Permission.Read, ListAsync),
        new("GET", "/api/v1/models/{model}/promotions/{number}", Permission.Read, GetAsync),
        new("POST", "/api/v1/models/{model}/promotions", Permission.Promote, RequestAsync),
        new("POST", "/api/v1/models/{model}/promotions/{number}/votes", Permission.Approve, VoteAsync),
    ];

    /// <summary>Those that wait for somebody, of every model that the caller may see; a link leads on where there may be more. Source: RFC 8288.</summary>
    private async Task ListAllAsync(ApiCall call)
    {
        var models = call.Caller.ModelsOf(Permission.Read);
        var waiting = await database.ReadAsync(session => Promotions.ListWaitingAsync(session, models, call.Query("before")), call.Cancellation);
        if (waiting.Next is { } next)
            call.Http.Response.Headers.Link = $"<{AllWaiting}?before={next}>; rel=\"next\"";
        await call.AnswerAsync(waiting.Promotions, RegistryJson.Default.ImmutableArrayPromotion);
    }

    private async Task ListAsync(ApiCall call)
    {
        var model = call.Segment("model");
        var promotions = await database.ReadAsync(
            async session =>
            {
                await ModelNames.RequireAsync(session, call.Caller, model);
                return await Promotions.ListAsync(session, model);
            },
            call.Cancellation);
        await call.AnswerAsync(promotions, RegistryJson.Default.ImmutableArrayPromotion);
    }

    private async Task GetAsync(ApiCall call) => await call.AnswerAsync(
        await database.ReadAsync(session => Promotions.FindAsync(session, call.Segment("model"), VersionEndpoints.NumberOf(call.Segment("number"))), call.Cancellation), RegistryJson.Default.Promotion);

    private async Task RequestAsync(ApiCall call)
    {
        var request = await call.ReadAsync(RegistryJson.Default.PromotionRequest);
        var promotion = await database.ChangeAsync(session => promotions.RequestAsync(session, call.Caller, call.Segment("model"), request), call.Cancellation);
        await call.AnswerAsync(promotion, RegistryJson.Default.Promotion, StatusCodes.Status201Created);
    }

    private async Task VoteAsync(ApiCall call)
    {
        var vote = await call.ReadAsync(RegistryJson.Default.Vote);
        var number = VersionEndpoints.NumberOf(call.Segment("number"));
        await call.AnswerAsync(await database.ChangeAsync(session => promotions.VoteAsync(session, call.Caller, call.Segment("model"), number, vote), call.Cancellation), RegistryJson.Default.Promotion);
    }
}
