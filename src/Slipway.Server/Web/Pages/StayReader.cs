using System.Collections.Immutable;
using Slipway.Documents.Incidents;
using Slipway.Documents.Rollouts;
using Slipway.Server.Incidents;
using Slipway.Server.Rollouts;
using Slipway.Server.Storage;

namespace Slipway.Server.Web.Pages;

/// <summary>Where the versions of a model are and were, by its rollouts.</summary>
internal sealed class StayReader
{
    /// <summary>Of each channel, the newest: what happened before is in the ledger.</summary>
    private const int MostRollouts = 200;

    private readonly ImmutableSortedDictionary<string, ImmutableArray<RolloutState>> rollouts;

    private StayReader(ImmutableSortedDictionary<string, ImmutableArray<RolloutState>> rollouts) => this.rollouts = rollouts;

    public static async Task<StayReader> OpenAsync(Session session, string model)
    {
        var rollouts = ImmutableSortedDictionary.CreateBuilder<string, ImmutableArray<RolloutState>>(StringComparer.Ordinal);
        foreach (var channel in ReleasePlan.ChannelNames)
            rollouts[channel] = await RolloutTable.ListAsync(session, model, channel, MostRollouts);
        return new(rollouts.ToImmutable());
    }

    /// <summary>Of a version, by channel with production first, the newest first.</summary>
    public ImmutableArray<Stay> Of(int version) => [.. ReleasePlan.ChannelNames.Reverse().SelectMany(channel => Stay.Of(rollouts[channel], version))];

    /// <summary>The channels that a version was taken back from, and has not come to again.</summary>
    public async Task<ImmutableArray<TakenBack>> TakenBackAsync(Session session, int version)
    {
        var found = ImmutableArray.CreateBuilder<TakenBack>();
        foreach (var stay in ReleasePlan.ChannelNames.Reverse().Select(channel => Stay.Of(rollouts[channel], version).FirstOrDefault()).OfType<Stay>().Where(stay => stay.IsTakenBack))
        {
            var ended = stay.After ?? stay.Rollout;
            var judged = stay.IsLive ? null : (await RolloutTable.FindAsync(session, ended.Id))?.Report?.Evidence.Cells.Sum(cell => cell.Candidate.Requests);
            found.Add(new(
                version, ended.Channel, stay.IsLive ? ended.Weights[^1].At : stay.To ?? ended.Weights[^1].At, ended.Reason, stay.AfterPath ?? stay.Path, judged,
                await IncidentTable.FindAsync(session, ended.Model, IncidentKind.Rollback, ended.Id)));
        }

        return found.ToImmutable();
    }
}
