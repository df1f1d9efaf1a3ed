using System.Collections.Immutable;
using Slipway.Documents.Evaluations;
using Slipway.Documents.Monitoring;
using Slipway.Documents.Rollouts;
using Slipway.Primitives.Bytes;
using Slipway.Server.Web.Pages;

namespace Slipway.Tests.Server.Web;

/// <summary>What the charts of the monitoring page are drawn from.</summary>
public sealed class MonitoringPageViewTests
{
    private const long Window = 10_000;

    /// <summary>At a steady 100 requests a second: a window that has just begun is no collapse.</summary>
    [Theory]
    [InlineData(20_000, "100 100", false)]
    [InlineData(14_000, "100 100", true)]
    [InlineData(10_200, "100 -", true)]
    public void The_window_that_runs_is_a_rate_over_the_time_of_it_that_is_over(long now, string expected, bool isRunning)
    {
        var told = (Math.Min(now, 20_000) - 10_000) / 10;
        var view = new MonitoringPageView(On(Version(2, Of(0, 1_000), Of(10_000, told))), now, null, null, []);
        var points = Assert.Single(view.Traffic.Series).Points;
        Assert.Equal(expected, string.Join(' ', points.Select(point => point.Value?.ToString("0", System.Globalization.CultureInfo.InvariantCulture) ?? "-")));
        Assert.Equal(told, points[^1].N);
        Assert.Equal(isRunning, view.Traffic.Description.Contains("The last window was still running", StringComparison.Ordinal));
    }

    [Fact]
    public void Versions_that_answered_at_different_times_are_no_comparison_and_rows_are_said_to_be_too_narrow()
    {
        var (one, other) = (Version(2, Of(0, 1_000)), Version(1, Of(0, 1_000)));
        var both = new MonitoringPageView(On(one, other), Window, null, one, []);
        Assert.Contains("between them this is no comparison", Assert.Single(both.QualityNow).Description, StringComparison.Ordinal);
        Assert.Contains("too narrow where neighbours in time go wrong together", both.Quality!.Basis, StringComparison.Ordinal);
        var alone = new MonitoringPageView(On(one), Window, null, one with { Total = one.Total with { Basis = IntervalBasis.Windows } }, []);
        Assert.DoesNotContain("no comparison", Assert.Single(alone.QualityNow).Description, StringComparison.Ordinal);
        Assert.DoesNotContain("too narrow", alone.Quality!.Basis, StringComparison.Ordinal);
    }

    private static WindowFigures Of(long start, long requests) => new(
        start, Window, requests, [], null, ImmutableSortedDictionary<string, Figure>.Empty, null, 9, 0,
        ImmutableSortedDictionary<string, Figure>.Empty.Add("accuracy", new(0.8, 0.78, 0.82, 900)), IntervalBasis.Rows);

    private static VersionMonitoring Version(int number, params ImmutableArray<WindowFigures> windows) =>
        new(number, Digest.Of([(byte)number]), windows[^1], windows, [], ImmutableSortedDictionary<string, Figure>.Empty.Add("accuracy", new(0.8, 0.78, 0.82, 900)), 0, 0, []);

    private static MonitoringView On(params ImmutableArray<VersionMonitoring> versions) => new("m", "production", 0, 20_000, Window, MonitorPlan.Default, null, versions, [], 0);
}
