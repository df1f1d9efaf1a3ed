using System.Collections.Immutable;
using Slipway.Documents.Incidents;
using Slipway.Documents.Monitoring;
using Slipway.Documents.Rollouts;
using Slipway.Primitives.Bytes;
using Slipway.Server.Api;
using Slipway.Server.Rollouts;
using Slipway.Server.Storage;

namespace Slipway.Server.Incidents;

/// <summary>What a model does on a channel, over its plan's window up to now.</summary>
internal delegate Task<MonitoringView> WindowReader(Session session, string model, string channel, long now);

/// <summary>Gathers what is known of a channel at this moment, cut to what an incident may hold.</summary>
internal sealed class EvidenceReader(WindowReader window, Action<string> log)
{
    /// <summary>Latest ledger entries that are named.</summary>
    private const int LedgerEntries = 20;

    /// <summary>Windows and points of a series, the latest: an incident is to be read, and stays below some 200 KiB.</summary>
    private const int MostPoints = 60;

    /// <summary>Features, the furthest first, and versions, the newest first.</summary>
    private const int MostFeatures = 20, MostVersions = 3;

    /// <summary>Of bad requests, the latest.</summary>
    private const int MostTraces = 20;

    /// <param name="rollout">Its id; null for the one that runs, if any does.</param>
    /// <param name="judged">The judgement at this moment; null for the one that is stored.</param>
    public async Task<IncidentEvidence> ReadAsync(Session session, string model, string channel, string reason, long now, string? rollout = null, JudgeReport? judged = null)
    {
        // A rollout is taken back whatever becomes of the evidence: what cannot be read, or kept, must not undo the change that it is read in.
        var view = await TryAsync(session, "windows", async () => Kept(await ReadWindowAsync(session, model, channel, now)));
        var release = await TryAsync(session, "rollout", () => ReadRolloutAsync(session, model, channel, rollout, judged, now));
        var ledger = await session.QueryAsync<long>(
            "SELECT DISTINCT position FROM ledger_subjects WHERE name = @name ORDER BY position DESC LIMIT @limit", new { name = $"models/{model}/channels/{channel}", limit = (long)LedgerEntries });
        var traces = view?.Versions.SelectMany(version => version.Exemplars).OrderByDescending(trace => trace.At).Take(MostTraces);
        return new(reason, view, release, [.. ledger], [.. traces ?? []]);
    }

    private async Task<MonitoringView?> ReadWindowAsync(Session session, string model, string channel, long now) => await window(session, model, channel, now) is var view ? Trimmed(view) : null;

    private static async Task<RolloutView?> ReadRolloutAsync(Session session, string model, string channel, string? id, JudgeReport? judged, long now)
    {
        id ??= (await RolloutTable.FindRunningAsync(session, model, channel))?.State.Id;
        if (id is null)
            return null;
        var view = await RolloutOrders.ViewAsync(session, model, channel, id, now);
        return judged is null ? view : view with { Report = judged };
    }

    private async Task<T?> TryAsync<T>(Session session, string what, Func<Task<T?>> read)
        where T : class
    {
        await session.ExecuteAsync("SAVEPOINT evidence");
        try
        {
            var found = await read();
            await session.ExecuteAsync("RELEASE SAVEPOINT evidence");
            return found;
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            log($"an incident opens without its {what}, which cannot be read: {e.Message}");
            await session.ExecuteAsync("ROLLBACK TO SAVEPOINT evidence");
            await session.ExecuteAsync("RELEASE SAVEPOINT evidence");
            return null;
        }
    }

    /// <summary>Sums that are no numbers any more have no form in which an incident could be kept, and its ledger entry signed.</summary>
    private static MonitoringView? Kept(MonitoringView? view)
    {
        if (view is not null)
            CanonicalJson.Serialize(view, MonitoringJson.Default.MonitoringView);
        return view;
    }

    private static MonitoringView Trimmed(MonitoringView view) => view with
    {
        Versions =
        [
            .. view.Versions.OrderByDescending(version => version.Version == view.Live?.Number).ThenByDescending(version => version.Version).Take(MostVersions).Select(version => version with
            {
                Windows = Latest(version.Windows),
                Drift = [.. version.Drift.OrderByDescending(feature => feature.Distance.Value).Take(MostFeatures).Select(feature => feature with { Series = Latest(feature.Series) })],
            }),
        ],
    };

    private static ImmutableArray<T> Latest<T>(ImmutableArray<T> series) => series.Length <= MostPoints ? series : series[^MostPoints..];
}
