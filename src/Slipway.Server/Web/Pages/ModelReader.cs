using System.Collections.Immutable;
using Slipway.Documents.Registry;
using Slipway.Server.Api;
using Slipway.Server.Registry;
using Slipway.Server.Rollouts;
using Slipway.Server.Storage;

namespace Slipway.Server.Web.Pages;

internal static class ModelReader
{
    /// <summary>Side by side; older ones are behind <c>?before=N</c>. Each version's evidence is some 100 KB to read.</summary>
    public const int ShownVersions = 12;

    /// <summary>Entries and promotions: the rest is in the ledger.</summary>
    private const int ShownHistory = 30, ShownPromotions = 10;

    public static async Task<ModelView> ReadAsync(PageCall call, Session session)
    {
        var model = call.Segment("model");
        var count = (int)await VersionTable.LastNumberAsync(session, model);
        if (count == 0)
            throw ApiProblem.NotThere("no-model", $"there is no version of {model}", "`slipway push` registers the first");
        var versions = ImmutableArray.CreateBuilder<SeenVersion>();
        var channels = await ChannelStates.OfAsync(session, model);
        foreach (var version in Shown(await VersionTable.ListAsync(session, model, call.Query("before") is { } before ? VersionEndpoints.NumberOf(before) : null), channels))
            versions.Add(new(version, (await VersionTable.EvidenceAsync(session, version.Bundle))?.Evaluation));
        var (stays, back) = (await StayReader.OpenAsync(session, model), ImmutableArray.CreateBuilder<TakenBack>());
        foreach (var (version, _) in versions)
            back.AddRange(await stays.TakenBackAsync(session, version.Number));
        return new ModelView(
            model, versions.ToImmutable(), count, channels, await ChannelHistory.ListAsync(session, model, null, ShownHistory), (await PlanTable.LatestAsync(session, model))!,
            [.. (await Promotions.ListAsync(session, model, ShownPromotions))],
            back.ToImmutable());
    }

    /// <summary>The newest, and those that are live: these are what the others are compared with.</summary>
    private static IEnumerable<ModelVersion> Shown(ImmutableArray<ModelVersion> versions, ImmutableArray<ChannelState> channels) =>
        versions.Where((version, i) => i < ShownVersions || channels.Any(channel => channel.Live?.Number == version.Number));
}
