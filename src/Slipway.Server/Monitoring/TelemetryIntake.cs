using Slipway.Documents.Monitoring;
using Slipway.Server.Api;
using Slipway.Server.Rollouts;
using Slipway.Server.Storage;

namespace Slipway.Server.Monitoring;

/// <summary>A batch as it came.</summary>
/// <param name="Principal">Whose token it came with.</param>
/// <param name="ClockOff">Milliseconds that the gateway's clock is ahead; null for one that is trusted.</param>
internal sealed record ArrivedBatch(TelemetryBatch Batch, string Principal, long? ClockOff);

/// <summary>Takes batches into windows, in one change for many: each once, by gateway, boot and sequence.</summary>
/// <remarks>May run twice over the same batches when a connection breaks: it writes nothing but to the session.</remarks>
internal sealed class TelemetryIntake
{
    /// <summary>Versions that are remembered; each has some 100 kB at most. Beyond, all are forgotten and read again.</summary>
    private const int MostKnown = 500;

    /// <summary>Registered versions never change. Used in changes alone, which come one after another.</summary>
    private readonly Dictionary<(string, int), WatchedVersion> known = [];

    /// <returns>For each batch its receipt, or why it is refused.</returns>
    public async Task<IReadOnlyList<(TelemetryReceipt? Receipt, ApiProblem? Problem)>> TakeInAsync(Session session, IReadOnlyList<ArrivedBatch> batches, long now)
    {
        var answers = new (TelemetryReceipt?, ApiProblem?)[batches.Count];
        var taken = new Dictionary<(string, string, string), long>();
        var delta = new TelemetryDelta(now);
        for (var i = 0; i < batches.Count; i++)
        {
            try
            {
                answers[i] = (await TakeInAsync(session, batches[i], taken, delta, now), null);
            }
            catch (ApiProblem problem)
            {
                answers[i] = (null, problem);
            }
        }

        await delta.StoreAsync(session);
        return answers;
    }

    private async Task<TelemetryReceipt> TakeInAsync(Session session, ArrivedBatch arrived, Dictionary<(string, string, string), long> takenNow, TelemetryDelta delta, long now)
    {
        var batch = arrived.Batch;
        await GatewayTable.RequireOwnAsync(session, batch.Channel, batch.Gateway, arrived.Principal, now);
        var boot = (batch.Channel, batch.Gateway, batch.Boot);
        if (!takenNow.TryGetValue(boot, out var taken))
            taken = await TelemetrySources.TakenAsync(session, batch.Channel, batch.Gateway, batch.Boot);
        if (batch.Sequence <= taken)
            return new(batch.Gateway, batch.Boot, taken);
        if (taken == 0)
            await TelemetrySources.AdmitAsync(session, batch.Channel, batch.Gateway, now);
        await TelemetrySources.StoreAsync(session, batch, batch.Sequence, arrived.ClockOff, now);
        takenNow[boot] = batch.Sequence;
        // What was between, nobody can tell again: the database was set back, or the gateway gave it up and says how much it was. A batch is one request at least.
        delta.Lose(batch.Channel, TelemetryLosses.AnyModel, Math.Max(batch.Sequence - taken - 1, Math.Clamp(batch.Lost, 0, VersionFeature.MostCounted)));
        foreach (var slice in batch.Slices)
            await AddAsync(session, slice, arrived, delta);
        return new(batch.Gateway, batch.Boot, batch.Sequence);
    }

    private async Task AddAsync(Session session, TelemetrySlice slice, ArrivedBatch arrived, TelemetryDelta delta)
    {
        if (!TelemetryCheck.IsSound(slice))
            delta.Lose(arrived.Batch.Channel, TelemetryLosses.AnyModel, TelemetryCheck.LostBy(slice));
        else if (await delta.VersionAsync(session, slice.Model, slice.Version, known) is { } version)
            delta.Add(arrived, slice, version);
        else
            delta.Lose(arrived.Batch.Channel, TelemetryLosses.AnyModel, TelemetryCheck.LostBy(slice));
        if (known.Count > MostKnown)
            known.Clear();
    }
}
