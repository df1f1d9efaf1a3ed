using Slipway.Server.Storage;

namespace Slipway.Server.Monitoring;

/// <summary>What predictions and labels add to the windows of quality of one model's channel, put together before it is stored.</summary>
/// <param name="now">Unix milliseconds.</param>
internal sealed class QualityDelta(string model, string channel, long now)
{
    private readonly Dictionary<(int Version, long Start), QualitySum> windows = [];

    /// <param name="at">Of the prediction, Unix milliseconds.</param>
    public QualitySum At(int version, long at)
    {
        var key = (version, WindowLength.Shortest.StartOf(at));
        return windows.TryGetValue(key, out var sum) ? sum : windows[key] = new();
    }

    public async Task StoreAsync(Session session)
    {
        foreach (var length in WindowLength.All)
        {
            var rolled = new Dictionary<(int Version, long Start), QualitySum>();
            foreach (var ((version, start), sum) in windows.Where(window => length.Keeps(window.Key.Start, now)))
            {
                var into = (version, length.StartOf(start));
                if (!rolled.TryGetValue(into, out var whole))
                    rolled[into] = whole = new();
                whole.Add(sum);
            }

            foreach (var ((version, start), sum) in rolled)
                await QualityTable.AddAsync(session, model, channel, length.Milliseconds, start, version, sum);
        }
    }
}
