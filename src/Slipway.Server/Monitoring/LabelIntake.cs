using Slipway.Documents.Monitoring;
using Slipway.Documents.Rollouts;
using Slipway.Server.Storage;

namespace Slipway.Server.Monitoring;

/// <summary>Meets labels with their predictions. The first label of a prediction stays; telling it again changes nothing.</summary>
internal static class LabelIntake
{
    /// <param name="labels">Checked, in the order in which they were told.</param>
    public static async Task<LabelReceipt> TakeInAsync(Session session, string model, string channel, IReadOnlyList<(byte[] Key, double Label)> labels, LabelRules rules, long now)
    {
        var receipt = LabelReceipt.Empty;
        var delta = new QualityDelta(model, channel, now);
        var tasks = new Dictionary<int, string?>();
        foreach (var chunk in labels.Chunk(PredictionTable.AtOnce))
        {
            var predictions = (await PredictionTable.FindAsync(session, model, channel, chunk.Select(label => label.Key))).ToDictionary(group => group.Key, group => group.ToArray());
            foreach (var version in predictions.Values.SelectMany(same => same).Select(prediction => prediction.Version).Distinct().Where(version => !tasks.ContainsKey(version)))
                tasks[version] = (await WatchedVersion.FindAsync(session, model, version))?.Task;
            var labelled = new List<KeptPrediction>();
            var early = new List<(byte[] Key, double Label)>();
            foreach (var (key, label) in chunk)
            {
                if (!predictions.TryGetValue(Convert.ToHexStringLower(key), out var same))
                    early.Add((key, label));
                else
                    receipt = receipt.And(Meet(same, label, tasks, delta, labelled));
            }

            await PredictionTable.WriteAsync(session, model, channel, labelled);
            receipt = receipt.And(await WaitAsync(session, model, channel, early, rules, now));
        }

        await delta.StoreAsync(session);
        return receipt;
    }

    /// <param name="same">Every version's answer to the request; those that are labelled here are changed in place, so that the next line sees them.</param>
    private static LabelReceipt Meet(KeptPrediction[] same, double label, Dictionary<int, string?> tasks, QualityDelta delta, List<KeptPrediction> labelled)
    {
        var (matched, contradicted, unfit) = (false, false, 0);
        for (var i = 0; i < same.Length; i++)
        {
            var prediction = same[i];
            if (prediction.Label is { } first)
            {
                contradicted |= first != label;
            }
            else if (QualitySum.Fits(tasks[prediction.Version], prediction.Score, label))
            {
                delta.At(prediction.Version, prediction.At).Add(tasks[prediction.Version]!, prediction.Score, label);
                labelled.Add(same[i] = prediction with { Label = label });
                matched = true;
            }
            else
            {
                unfit++;
            }
        }

        return matched ? LabelReceipt.Empty with { Matched = 1 }
            : contradicted ? LabelReceipt.Empty with { Contradictory = 1 }
            : unfit == same.Length ? LabelReceipt.Empty with { Refused = 1, Problems = ["a label does not fit what the model answered"] }
            : LabelReceipt.Empty with { Repeated = 1 };
    }

    private static async Task<LabelReceipt> WaitAsync(Session session, string model, string channel, List<(byte[] Key, double Label)> early, LabelRules rules, long now)
    {
        if (early.Count == 0)
            return LabelReceipt.Empty;
        var (receipt, added) = (LabelReceipt.Empty, 0L);
        var waiting = await PredictionTable.WaitingAsync(session, model, channel, early.Select(label => label.Key));
        var room = PredictionTable.MostWaiting - (await PredictionTable.CountsAsync(session, model, channel)).Waiting;
        foreach (var (key, label) in early)
        {
            var name = Convert.ToHexStringLower(key);
            if (waiting.TryGetValue(name, out var first))
            {
                receipt = receipt.And(first == label ? LabelReceipt.Empty with { Repeated = 1 } : LabelReceipt.Empty with { Contradictory = 1 });
            }
            else if (!PredictionKey.IsAmong(rules.Sample, name))
            {
                receipt = receipt.And(LabelReceipt.Empty with { Unsampled = 1 });
            }
            else if (added >= room)
            {
                receipt = receipt.And(LabelReceipt.Empty with { Dropped = 1 });
            }
            else
            {
                await PredictionTable.WaitAsync(session, model, channel, key, label, now);
                waiting[name] = label;
                added++;
                receipt = receipt.And(LabelReceipt.Empty with { Waiting = 1 });
            }
        }

        if (added > 0)
            await PredictionTable.CountAsync(session, model, channel, 0, added);
        return receipt;
    }
}
