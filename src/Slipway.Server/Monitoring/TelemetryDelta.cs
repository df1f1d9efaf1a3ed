using System.Collections.Immutable;
using Slipway.Documents.Monitoring;
using Slipway.Server.Registry;
using Slipway.Server.Storage;

namespace Slipway.Server.Monitoring;

/// <summary>What many batches add to the windows, put together before it is stored: as many windows are written for 200 gateways as for one.</summary>
/// <param name="now">Unix milliseconds.</param>
internal sealed class TelemetryDelta(long now)
{
    /// <summary>In windows of the shortest length, of which every other is a multiple.</summary>
    private readonly Dictionary<WindowKey, WindowSum> windows = [];
    private readonly Dictionary<(string Channel, string Model), long> lost = [];
    private readonly Dictionary<(string Channel, string Model), Told> told = [];
    private readonly Dictionary<(string, int), WatchedVersion?> versions = [];

    public void Lose(string channel, string model, long requests)
    {
        if (requests > 0)
            lost[(channel, model)] = Math.Min(VersionFeature.MostCounted, lost.GetValueOrDefault((channel, model)) + requests);
    }

    /// <returns>Null where it is not registered, which is asked once in a change.</returns>
    public async Task<WatchedVersion?> VersionAsync(Session session, string model, int version, Dictionary<(string, int), WatchedVersion> known)
    {
        if (known.TryGetValue((model, version), out var remembered))
            return remembered;
        if (versions.TryGetValue((model, version), out var found))
            return found;
        found = versions[(model, version)] = await WatchedVersion.FindAsync(session, model, version);
        if (found is not null)
            known[(model, version)] = found;
        return found;
    }

    /// <param name="slice">Sound.</param>
    public void Add(ArrivedBatch arrived, TelemetrySlice slice, WatchedVersion version)
    {
        // What a slow or fast clock says is shifted to the server's; what still is ahead is now.
        var at = Math.Min(now, (slice.Start * 1_000) - (arrived.ClockOff ?? 0));
        if (!WindowLength.Longest.Keeps(at, now))
        {
            Lose(arrived.Batch.Channel, slice.Model, TelemetryCheck.LostBy(slice));
            return;
        }

        var key = new WindowKey(slice.Model, arrived.Batch.Channel, WindowLength.Shortest.Milliseconds, WindowLength.Shortest.StartOf(at), slice.Version, slice.Arm);
        if (!windows.TryGetValue(key, out var sum))
            windows[key] = sum = new WindowSum();
        sum.Requests += slice.Requests;
        sum.Refused += slice.Refused;
        sum.Sampled += slice.Sampled;
        sum.Unkept += slice.Unkept;
        WindowSum.AddTo(sum.Bad, slice.Bad.AsSpan());
        WindowSum.AddTo(sum.Latency, slice.Latency.AsSpan());
        AddProfiles(sum, slice.Inputs, isOutput: false, version);
        AddProfiles(sum, slice.Outputs, isOutput: true, version);
        AddSingles(arrived, slice, version, sum);
    }

    public async Task StoreAsync(Session session)
    {
        // First: what finds no room is counted in the windows.
        foreach (var ((channel, model), singles) in told)
            await StoreAsync(session, model, channel, singles);
        foreach (var length in WindowLength.All)
        {
            var rolled = new Dictionary<WindowKey, WindowSum>();
            foreach (var (key, sum) in windows.Where(window => length.Keeps(window.Key.Start, now)))
            {
                var into = key with { Length = length.Milliseconds, Start = length.StartOf(key.Start) };
                if (!rolled.TryGetValue(into, out var whole))
                    rolled[into] = whole = new WindowSum();
                whole.Add(sum);
            }

            foreach (var (key, sum) in rolled)
            {
                // A longer window is full first; the longest has all that is kept.
                if (!await WindowTable.AddAsync(session, key, sum) && length == WindowLength.Longest)
                    Lose(key.Channel, key.Model, sum.Requests + sum.Refused);
            }
        }

        // Last: what found no room in a window is lost as well.
        foreach (var ((channel, model), requests) in lost)
            await TelemetryLosses.AddAsync(session, channel, model, requests, now);
    }

    private async Task StoreAsync(Session session, string model, string channel, Told singles)
    {
        if (singles.Predictions.Count > 0)
        {
            var rules = (await PlanTable.LatestAsync(session, model))?.Plan.Monitor?.Labels;
            foreach (var unkept in await PredictionIntake.KeepAsync(session, model, channel, [.. singles.Predictions.Keys], singles.Tasks, rules, now))
                singles.Predictions[unkept].Unkept++;
        }

        if (singles.Exemplars.Count > 0)
            await ExemplarTable.AddAsync(session, model, channel, singles.Exemplars);
    }

    /// <summary>What is told of single requests: predictions that labels are to meet, and traces of bad ones.</summary>
    private void AddSingles(ArrivedBatch arrived, TelemetrySlice slice, WatchedVersion version, WindowSum sum)
    {
        if (slice.Predictions.IsEmpty && slice.Exemplars.IsEmpty)
            return;
        var key = (arrived.Batch.Channel, slice.Model);
        if (!told.TryGetValue(key, out var singles))
            told[key] = singles = new();
        singles.Tasks[slice.Version] = version.Task;
        foreach (var prediction in slice.Predictions)
        {
            if (TelemetryCheck.Key(prediction) is { } bytes && QualitySum.Fits(version.Task, prediction.Score, 0))
                singles.Predictions[new(bytes, slice.Version, Math.Min(now, prediction.At - (arrived.ClockOff ?? 0)), prediction.Score, null)] = sum;
            else
                sum.Unkept++;
        }

        foreach (var exemplar in slice.Exemplars.Take(TelemetrySlice.MostExemplars).Where(ExemplarTable.IsSound))
            singles.Exemplars.Add((slice.Version, exemplar with { At = Math.Min(now, exemplar.At - (arrived.ClockOff ?? 0)) }));
    }

    /// <summary>A feature that the version does not have, or has in another form, is counted and in no figure. One that is told twice counts once.</summary>
    private static void AddProfiles(WindowSum sum, ImmutableArray<FeatureProfile> profiles, bool isOutput, WatchedVersion version)
    {
        Span<bool> told = stackalloc bool[version.Features.Length];
        told.Clear();
        foreach (var feature in profiles)
        {
            if (version.PositionOf(isOutput, feature.Name) is >= 0 and var position && !told[position] && version.Features[position].Fitting(feature.Profile) is { } fitting)
            {
                told[position] = true;
                sum.Add(position, fitting);
            }
            else
            {
                sum.Misfits++;
            }
        }
    }

    /// <summary>Of one model's channel.</summary>
    private sealed class Told
    {
        /// <summary>With the window that counts those for which there is no room.</summary>
        public Dictionary<KeptPrediction, WindowSum> Predictions { get; } = new(ReferenceEqualityComparer.Instance);

        public Dictionary<int, string?> Tasks { get; } = [];

        public List<(int, Exemplar)> Exemplars { get; } = [];
    }
}
