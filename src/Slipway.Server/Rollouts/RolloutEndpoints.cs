using System.Globalization;
using Microsoft.AspNetCore.Http;
using Slipway.Documents.Rollouts;
using Slipway.Server.Api;
using Slipway.Server.Registry;
using Slipway.Server.Storage;

namespace Slipway.Server.Rollouts;

/// <summary>What people ask of rollouts, and order.</summary>
internal sealed class RolloutEndpoints(Database database, RolloutOrders orders, TimeProvider time)
{
    /// <summary>Entries of one answer, and how many when nothing is said: each may hold a judgement of some 10 KiB.</summary>
    private const int MostEntries = 500, Entries = 50;

    private const string Channel = "/api/v1/models/{model}/channels/{channel}";

    public IEnumerable<ApiEndpoint> All() =>
    [
        new("GET", Channel + "/rollouts", Permission.Read, ListAsync),
        new("GET", Channel + "/rollouts/{rollout}", Permission.Read, ShowAsync),
        new("GET", "/api/v1/models/{model}/history", Permission.Read, HistoryAsync),
        new("POST", Channel + "/releases", Permission.Operate, ReleaseAsync),
        new("POST", Channel + "/rollback", Permission.Operate, RollBackAsync),
        new("POST", Channel + "/rollouts/{rollout}/pause", Permission.Operate, call => OrderAsync(call, (by, why) => new Pause(Now, by, why))),
        new("POST", Channel + "/rollouts/{rollout}/resume", Permission.Operate, call => OrderAsync(call, (by, why) => new Resume(Now, by, why))),
        new("POST", Channel + "/rollouts/{rollout}/abort", Permission.Operate, call => OrderAsync(call, (by, why) => new Abort(Now, by, why))),
        new("POST", Channel + "/rollouts/{rollout}/rollback", Permission.Operate, call => OrderAsync(call, (by, why) => new RollBack(Now, by, why))),
    ];

    private long Now => time.GetUtcNow().ToUnixTimeMilliseconds();

    private async Task ListAsync(ApiCall call)
    {
        var (model, channel, limit) = (call.Segment("model"), ChannelOf(call), Limit(call));
        var rollouts = await database.ReadAsync(
            async session =>
            {
                await ModelNames.RequireAsync(session, call.Caller, model);
                return await RolloutTable.ListAsync(session, model, channel, limit);
            },
            call.Cancellation);
        await call.AnswerAsync(rollouts, RolloutJson.Default.ImmutableArrayRolloutState);
    }

    private async Task ShowAsync(ApiCall call)
    {
        var (model, channel, id) = (call.Segment("model"), ChannelOf(call), call.Segment("rollout"));
        var view = await database.ReadAsync(session => RolloutOrders.ViewAsync(session, model, channel, id, Now), call.Cancellation);
        await call.AnswerAsync(view, RolloutJson.Default.RolloutView);
    }

    private async Task HistoryAsync(ApiCall call)
    {
        var (model, channel) = (call.Segment("model"), call.Query("channel"));
        var history = await database.ReadAsync(
            async session =>
            {
                await ModelNames.RequireAsync(session, call.Caller, model);
                return await ChannelHistory.ListAsync(session, model, channel is null ? null : Require.Channel(channel), Limit(call));
            },
            call.Cancellation);
        await call.AnswerAsync(history, RolloutJson.Default.ImmutableArrayHistoryEntry);
    }

    private async Task ReleaseAsync(ApiCall call)
    {
        var request = await call.ReadAsync(RolloutJson.Default.ReleaseRequest);
        var (model, channel) = (call.Segment("model"), ChannelOf(call));
        var state = await database.ChangeAsync(session => orders.ReleaseAsync(session, model, channel, request, call.Caller, Now), call.Cancellation);
        await call.AnswerAsync(state, RolloutJson.Default.RolloutState, StatusCodes.Status201Created);
    }

    private async Task RollBackAsync(ApiCall call)
    {
        var request = await call.ReadAsync(RolloutJson.Default.RollbackRequest);
        var (model, channel) = (call.Segment("model"), ChannelOf(call));
        var state = await database.ChangeAsync(session => orders.RollBackAsync(session, model, channel, request, call.Caller, Now), call.Cancellation);
        await call.AnswerAsync(state, RolloutJson.Default.RolloutState);
    }

    private async Task OrderAsync(ApiCall call, Func<string, string, RolloutOrder> order)
    {
        var command = await call.ReadAsync(RolloutJson.Default.RolloutCommand);
        var (model, channel, id) = (call.Segment("model"), ChannelOf(call), call.Segment("rollout"));
        var state = await database.ChangeAsync(session => orders.TellAsync(session, model, channel, id, order(call.Caller.Name, command.Reason), call.Caller), call.Cancellation);
        await call.AnswerAsync(state, RolloutJson.Default.RolloutState);
    }

    private static string ChannelOf(ApiCall call) => Require.Channel(call.Segment("channel"));

    private static int Limit(ApiCall call) => call.Query("limit") switch
    {
        null => Entries,
        var text when int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var limit) && limit is >= 1 and <= MostEntries => limit,
        var text => throw ApiProblem.Malformed("bad-request", $"limit is '{text}', allowed 1 to {MostEntries}"),
    };
}
