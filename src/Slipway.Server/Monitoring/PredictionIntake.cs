using Slipway.Documents.Rollouts;
using Slipway.Server.Storage;

namespace Slipway.Server.Monitoring;

/// <summary>Keeps the predictions that gateways told until their labels come; a label that came first is met here.</summary>
internal static class PredictionIntake
{
    /// <param name="tasks">Of the versions that the predictions are of.</param>
    /// <param name="rules">Null where the plan asks for no labels: then none is kept.</param>
    /// <returns>Those that there was no room for.</returns>
    public static async Task<IReadOnlyList<KeptPrediction>> KeepAsync(Session session, string model, string channel, IReadOnlyList<KeptPrediction> told, Dictionary<int, string?> tasks, LabelRules? rules, long now)
    {
        if (rules is null)
            return [];
        var oldest = now - (long)rules.Within.Value.TotalMilliseconds;
        var (kept, _) = await PredictionTable.CountsAsync(session, model, channel);
        var (room, added, met) = (PredictionTable.MostPredictions - kept, 0L, 0);
        var (unkept, delta) = (new List<KeptPrediction>(), new QualityDelta(model, channel, now));
        foreach (var chunk in told.Where(prediction => prediction.At >= oldest).DistinctBy(prediction => (prediction.Name, prediction.Version)).Chunk(PredictionTable.AtOnce))
        {
            var known = await PredictionTable.FindAsync(session, model, channel, chunk.Select(prediction => prediction.Key));
            var fresh = chunk.Where(prediction => !known[prediction.Name].Any(same => same.Version == prediction.Version)).ToArray();
            var taken = fresh[..(int)Math.Min(fresh.Length, Math.Max(0, room - added))];
            unkept.AddRange(fresh[taken.Length..]);
            added += taken.Length;
            if (taken.Length == 0)
                continue;
            var waiting = await PredictionTable.WaitingAsync(session, model, channel, taken.Select(prediction => prediction.Key));
            for (var i = 0; i < taken.Length; i++)
            {
                var sum = delta.At(taken[i].Version, taken[i].At);
                sum.Kept++;
                // One that came before any of a request's predictions, or between two of them, such as live's and a shadow's: each version has it.
                if ((waiting.TryGetValue(taken[i].Name, out var early) ? early : known[taken[i].Name].Select(other => other.Label).FirstOrDefault(told => told is not null)) is not { } label
                    || !QualitySum.Fits(tasks[taken[i].Version], taken[i].Score, label))
                    continue;
                taken[i] = taken[i] with { Label = label };
                sum.Add(tasks[taken[i].Version]!, taken[i].Score, label);
            }

            await PredictionTable.WriteAsync(session, model, channel, taken);
            if (waiting.Count > 0)
                met += await PredictionTable.EndWaitAsync(session, model, channel, waiting.Keys.Select(Convert.FromHexString));
        }

        await delta.StoreAsync(session);
        if (added > 0 || met > 0)
            await PredictionTable.CountAsync(session, model, channel, added, -met);
        return unkept;
    }
}
