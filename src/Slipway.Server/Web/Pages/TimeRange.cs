using System.Collections.Immutable;

namespace Slipway.Server.Web.Pages;

/// <summary>A span of time up to now that people choose by a link.</summary>
/// <param name="Name">In the address.</param>
public sealed record TimeRange(string Name, string Words, TimeSpan Length)
{
    public static ImmutableArray<TimeRange> All { get; } =
    [
        new("15m", "15 min", TimeSpan.FromMinutes(15)),
        new("1h", "1 h", TimeSpan.FromHours(1)),
        new("6h", "6 h", TimeSpan.FromHours(6)),
        new("24h", "24 h", TimeSpan.FromHours(24)),
        new("7d", "7 days", TimeSpan.FromDays(7)),
        new("30d", "30 days", TimeSpan.FromDays(30)),
    ];

    /// <summary>As much as an ordinary plan's window.</summary>
    public static TimeRange Default { get; } = All[1];
}
