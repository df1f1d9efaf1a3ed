using Slipway.Documents.Rollouts;

namespace Slipway.Gateway.Control;

/// <summary>How long candidates' weights hold without a word from the server; on the monotonic clock, so that a step of the wall clock moves nothing. Thread-safe.</summary>
internal sealed class WeightLease(TimeProvider time)
{
    private readonly Lock changing = new();
    private long heardAt;
    private bool heard;
    private TimeSpan length = DesiredState.DefaultLease.Value;
    private bool lapsed;

    /// <summary>How often weights were taken back since the start.</summary>
    public int Lapses { get; private set; }

    /// <summary>Time that is left; zero when it lapsed, or when the server was never heard.</summary>
    public TimeSpan Left
    {
        get
        {
            lock (changing)
            {
                var left = heard ? length - time.GetElapsedTime(heardAt) : TimeSpan.Zero;
                if (left > TimeSpan.Zero)
                    return left;
                if (heard && !lapsed)
                    (lapsed, Lapses) = (true, Lapses + 1);
                return TimeSpan.Zero;
            }
        }
    }

    public bool Holds => Left > TimeSpan.Zero;

    /// <summary>The server answered, with this lease in its state.</summary>
    public void Renew(TimeSpan lease)
    {
        _ = Left;       // a lapse that nobody looked at counts all the same
        lock (changing)
            (heardAt, heard, lapsed, length) = (time.GetTimestamp(), true, false, lease);
    }
}
