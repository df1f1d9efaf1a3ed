using System.Collections.Immutable;
using Slipway.Documents.Monitoring;

namespace Slipway.Gateway.Sampling;

/// <summary>Slices that wait for the server, and the batch that is under way to it. Bounded whatever becomes of the server. Thread-safe.</summary>
internal sealed class TelemetryLog(string gateway, string boot, string channel)
{
    /// <summary>Slices that wait; those beyond are put together by the minute, oldest first, and then dropped. Half an hour of one version, or a day by the minute.</summary>
    public const int MostWaiting = 2_000;

    /// <summary>Bytes of all that waits, about; as <see cref="MostWaiting"/>. A slice of 50 features has some 20 KiB.</summary>
    public const long MostWaitingBytes = 64L * 1024 * 1024;

    /// <summary>Predictions that wait in all of them, 150 bytes each; those of the oldest slices are dropped beyond.</summary>
    public const int MostPredictions = 100_000;

    /// <summary>Bytes of a batch, about, beyond which the next slice waits: a quarter of what the server takes.</summary>
    private const long EnoughBytes = TelemetryBatch.MostBytes / 4;

    /// <summary>What old slices are put together to, in seconds.</summary>
    public const int Minute = 60;

    private readonly Lock changing = new();
    private List<TelemetrySlice> waiting = [];
    private TelemetryBatch? unacknowledged;
    private long sequence, lost;

    /// <summary>Whether there is something to be sent.</summary>
    public bool IsDue
    {
        get
        {
            lock (changing)
                return unacknowledged is not null || waiting.Count > 0;
        }
    }

    private bool IsOverfull => waiting.Count > MostWaiting || waiting.Sum(BytesOf) > MostWaitingBytes;

    public void Add(IReadOnlyCollection<TelemetrySlice> slices)
    {
        lock (changing)
        {
            waiting.AddRange(slices);
            if (IsOverfull)
                PutTogether();
            if (IsOverfull)
                DropOldest();
            DropPredictions();
        }
    }

    /// <summary>The batch that is to be sent: the one before until it is acknowledged, the same to the byte; then what waits, as much as one batch has room for.</summary>
    public TelemetryBatch Take(Func<HostLoad> load)
    {
        lock (changing)
        {
            if (unacknowledged is not null)
                return unacknowledged;
            var (count, bytes) = (0, 0L);
            while (count < waiting.Count && count < TelemetryBatch.MostSlices && (bytes += BytesOf(waiting[count])) <= EnoughBytes)
                count++;
            count = Math.Max(count, Math.Min(1, waiting.Count));
            unacknowledged = new TelemetryBatch(gateway, boot, channel, ++sequence, [.. waiting.Take(count)], load(), lost);
            waiting.RemoveRange(0, count);
            lost = 0;
            return unacknowledged;
        }
    }

    /// <summary>The server has the batch, or says that it has.</summary>
    public void Acknowledge(long taken)
    {
        lock (changing)
        {
            if (unacknowledged?.Sequence <= taken)
                unacknowledged = null;
        }
    }

    /// <summary>The server will never take the batch as it is: its requests are lost, and told to be.</summary>
    public void GiveUp()
    {
        lock (changing)
        {
            if (unacknowledged is not { } refused)
                return;
            lost += refused.Lost + refused.Slices.Sum(slice => slice.Requests + slice.Refused);
            unacknowledged = null;
        }
    }

    private void PutTogether()
    {
        var old = (waiting.Count + 1) / 2;      // half of what waits stays as it was
        waiting =
        [
            .. from slice in waiting.Take(old)
               group slice by (Minute: slice.Start / Minute, Key: SliceSum.KeyOf(slice)) into minute
               orderby minute.Key.Minute
               select SliceSum.Of(minute.Key.Minute * Minute, Minute, minute),
            .. waiting.Skip(old),
        ];
    }

    private void DropOldest()
    {
        var (left, bytes) = (waiting.Count, waiting.Sum(BytesOf));
        while (left > MostWaiting || (left > 0 && bytes > MostWaitingBytes))
            bytes -= BytesOf(waiting[^left--]);
        var count = waiting.Count - left;
        lost += waiting.Take(count).Sum(slice => slice.Requests + slice.Refused);
        waiting.RemoveRange(0, count);
    }

    private void DropPredictions()
    {
        var beyond = waiting.Sum(slice => slice.Predictions.Length) - MostPredictions;
        for (var i = 0; beyond > 0 && i < waiting.Count; i++)
        {
            var dropped = Math.Min(beyond, waiting[i].Predictions.Length);
            if (dropped == 0)
                continue;
            waiting[i] = waiting[i] with { Predictions = [.. waiting[i].Predictions.Skip(dropped)], Unkept = waiting[i].Unkept + dropped };
            beyond -= dropped;
        }
    }

    /// <summary>In JSON, roughly, and rather too many.</summary>
    private static long BytesOf(TelemetrySlice slice)
    {
        const int slice0 = 1000, feature = 300, bin = 8, prediction = 120;
        return slice0 + Features(slice.Inputs) + Features(slice.Outputs) + ((long)prediction * slice.Predictions.Length);

        static long Features(ImmutableArray<FeatureProfile> features) => features.Sum(profile => feature + profile.Name.Length + ((long)bin * profile.Profile.Bins.Length));
    }
}
