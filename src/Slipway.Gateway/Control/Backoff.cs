using System.Security.Cryptography;

namespace Slipway.Gateway.Control;

/// <summary>How long to wait after failures in a row: twice as long each time, and somewhere below, so that gateways do not come back all at once.</summary>
internal sealed class Backoff(TimeSpan shortest, TimeSpan longest)
{
    private int failures;

    public void Succeeded() => failures = 0;

    public TimeSpan Failed()
    {
        const int enough = 30;      // beyond, the shift would overflow
        var bound = Math.Min(longest.Ticks, shortest.Ticks << Math.Min(failures++, enough));
        var half = (int)Math.Min(int.MaxValue - 1, bound / TimeSpan.TicksPerMillisecond / 2);
        return TimeSpan.FromMilliseconds(half + RandomNumberGenerator.GetInt32(half + 1));
    }
}
