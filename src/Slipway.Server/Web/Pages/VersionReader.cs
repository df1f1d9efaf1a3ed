using Slipway.Documents.Registry;
using Slipway.Server.Registry;
using Slipway.Server.Rollouts;
using Slipway.Server.Storage;

namespace Slipway.Server.Web.Pages;

internal static class VersionReader
{
    /// <summary>Of one version: more than anybody asks for.</summary>
    private const int ShownPromotions = 20;

    public static async Task<VersionView> ReadAsync(PageCall call, Session session)
    {
        var model = call.Segment("model");
        var version = await Promotions.RequireVersionAsync(session, model, VersionEndpoints.NumberOf(call.Segment("number")));
        var evidence = (await VersionTable.EvidenceAsync(session, version.Bundle))!;
        var live = (await ChannelStates.OfAsync(session, model)).Where(channel => channel.Live?.Number == version.Number).Select(channel => channel.Channel);
        var detail = new ModelVersionDetail(
            version, (await PlanTable.LatestAsync(session, model))!.Plan, evidence.Evaluation, evidence.Lineage, await Signatures.OfAsync(session, version.Bundle), [.. live]);
        var baseline = version.Gates.Baseline is { } digest ? await VersionTable.FindAsync(session, digest) : null;
        var stays = await StayReader.OpenAsync(session, model);
        return new VersionView(
            detail,
            await CardTable.FindAsync(session, version.Bundle),
            baseline is null || baseline.Model != model ? null : new SeenVersion(baseline, (await VersionTable.EvidenceAsync(session, baseline.Bundle))?.Evaluation),
            await Promotions.OfVersionAsync(session, model, version.Number, ShownPromotions),
            stays.Of(version.Number),
            await stays.TakenBackAsync(session, version.Number));
    }
}
