using System.Net;

namespace Slipway.Server.Webhooks;

/// <summary>What became of one try.</summary>
/// <param name="Status">The receiver's answer; null where there was none.</param>
/// <param name="Error">Null when it was taken: an answer of 200 to 299.</param>
/// <param name="RetryAfter">What the receiver asks for; null for nothing.</param>
/// <param name="Hopeless">It was not even sent, since it may not be: to an address that no webhook may have, or without its key.</param>
internal sealed record TryOutcome(HttpStatusCode? Status, string? Error, TimeSpan? RetryAfter = null, bool Hopeless = false)
{
    public bool Delivered => Error is null;
}

/// <summary>When a delivery is tried again, and when it is given up. Pure.</summary>
internal static class DeliveryCourse
{
    /// <summary>For at least as long a delivery is tried that a receiver does not take.</summary>
    public static readonly TimeSpan GivenUpAfter = TimeSpan.FromHours(24);

    /// <summary>Tries of what the receiver refuses for itself (4xx), or what may not be sent: that is rarely mended by time, and what comes after it waits.</summary>
    public const int TriesOfRefused = 5;

    /// <summary>Between two deliveries of a webhook: after an outage a receiver gets ten events a second, not all at once.</summary>
    public static readonly TimeSpan Spacing = TimeSpan.FromMilliseconds(100);

    private static readonly TimeSpan FirstWait = TimeSpan.FromSeconds(1), LongestWait = TimeSpan.FromMinutes(15);

    /// <param name="tries">Of this delivery, with this one.</param>
    /// <param name="age">Since it was made.</param>
    public static bool IsGivenUp(TryOutcome outcome, int tries, TimeSpan age) =>
        outcome.Status == HttpStatusCode.Gone || age >= GivenUpAfter || IsRefusal(outcome) && tries >= TriesOfRefused;

    /// <summary>How long the webhook rests after so many failures in a row: doubling, and a random half of it less, so that many do not come at once.</summary>
    /// <param name="chance">0 to 1.</param>
    public static TimeSpan Rest(int failures, double chance, TimeSpan? asked)
    {
        var full = failures >= 10 ? LongestWait : Min(LongestWait, FirstWait * Math.Pow(2, failures - 1));
        var jittered = full * (0.5 + 0.5 * chance);
        return asked is { } wish && wish > jittered ? Min(LongestWait, wish) : jittered;
    }

    private static bool IsRefusal(TryOutcome outcome) => outcome.Hopeless
        || outcome.Status is >= HttpStatusCode.BadRequest and < HttpStatusCode.InternalServerError and not (HttpStatusCode.RequestTimeout or (HttpStatusCode)425 or HttpStatusCode.TooManyRequests);

    private static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;
}
