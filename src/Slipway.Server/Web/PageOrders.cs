using System.Globalization;
using Slipway.Documents.Incidents;
using Slipway.Documents.Registry;
using Slipway.Documents.Rollouts;
using Slipway.Server.Api;
using Slipway.Server.Incidents;
using Slipway.Server.Registry;
using Slipway.Server.Rollouts;
using Slipway.Server.Storage;

namespace Slipway.Server.Web;

/// <summary>What the forms order: read from their fields, and given as the API gives it.</summary>
internal sealed class PageOrders(RolloutOrders rollouts, Promotions promotions, IncidentOrders incidents)
{
    public async Task<string> TellAsync(PageCall call, Session session, RolloutOrder order)
    {
        var s = await rollouts.TellAsync(session, call.Segment("model"), Require.Channel(call.Segment("channel")), call.Segment("rollout"), order, call.Caller);
        return PathOf(s);
    }

    public async Task<string> PromoteAsync(PageCall call, Session session)
    {
        await promotions.RequestAsync(session, call.Caller, call.Segment("model"), new PromotionRequest(VersionOf(call), Require.Channel(call.Field("channel")), call.Reason()));
        return call.Path;
    }

    public async Task<string> VoteAsync(PageCall call, Session session)
    {
        var approves = call.Field("vote") switch
        {
            "approve" => true,
            "reject" => false,
            _ => throw ApiProblem.Malformed("bad-form", "the form's vote is neither approve nor reject"),
        };
        await promotions.VoteAsync(session, call.Caller, call.Segment("model"), call.Number("promotion"), new Vote(approves, call.Reason()));
        return call.Path;
    }

    public async Task<string> ReleaseAsync(PageCall call, Session session)
    {
        var request = new ReleaseRequest(VersionOf(call), call.Reason());
        return PathOf(await rollouts.ReleaseAsync(session, call.Segment("model"), Require.Channel(call.Field("channel")), request, call.Caller, call.Now));
    }

    /// <summary>The version that is left is the one that the page showed: two people who take back the same do not go back twice.</summary>
    public async Task<string> RollBackAsync(PageCall call, Session session)
    {
        var request = new RollbackRequest(call.Reason(), call.Field("to").Length > 0 ? call.Number("to") : null, call.Number("from"));
        return PathOf(await rollouts.RollBackAsync(session, call.Segment("model"), Require.Channel(call.Field("channel")), request, call.Caller, call.Now));
    }

    public async Task<string> NoteAsync(PageCall call, Session session)
    {
        await incidents.NoteAsync(session, call.Caller, call.Segment("incident"), new NoteRequest(call.Text("text")), call.Now);
        return call.Path;
    }

    public async Task<string> CloseAsync(PageCall call, Session session)
    {
        await incidents.CloseAsync(session, call.Caller, call.Segment("incident"), new CloseRequest(call.Text("cause"), call.Reason()), call.Now);
        return call.Path;
    }

    private static int VersionOf(PageCall call) => int.TryParse(call.Segment("number"), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
        ? number
        : throw ApiProblem.NotThere("no-version", $"there is no version '{call.Segment("number")}'");

    private static string PathOf(RolloutState s) => $"/models/{s.Model}/channels/{s.Channel}/rollouts/{s.Id}";
}
