using Slipway.Documents.Charts;
using Slipway.Documents.Evaluations;
using Slipway.Documents.Monitoring;

namespace Slipway.Cli;

/// <summary>Figures of live traffic in words for people, the same in every verb.</summary>
internal static class MonitorText
{
    /// <summary>Of bad answers: <c>34.6 % [19.4 %, 53.8 %]</c>.</summary>
    public static string Errors(Figure rate) => Ends(rate, ChartUnit.Share);

    /// <summary>A latency's quantile: <c>3.74 ms [3.2 ms, 4.53 ms]</c>, with what it lacks.</summary>
    public static string Latency(Figure quantile) => $"{Ends(quantile, ChartUnit.Seconds)}{(quantile.Lacks is { } lacks ? $": {lacks}" : "")}";

    /// <summary>Of every feature, with the span that it is judged on: whatever else is asked for, that is the plan's window.</summary>
    public static IEnumerable<string> Drift(MonitoringView view, VersionMonitoring version) => version.Drift.IsEmpty
        ? ["drift      is not judged: no reference is sealed in this version"]
        : [$"drift      over the last {view.Plan.Window} {(version.DriftTo < view.To ? "of its traffic, " : "")}up to {RolloutText.Time(version.DriftTo)}", .. version.Drift.Select(Drift)];

    public static string Drift(FeatureDrift drift)
    {
        var since = drift.Since is { } begun ? $", since {RolloutText.Time(begun)}{(drift.SinceOrBefore ? " or before" : "")}" : "";
        return $"drift      {drift.Feature + (drift.IsOutput ? " (output)" : ""),-24}  {drift.Verdict.Word(),-21}  psi {Amounts.Interval(drift.Distance)}, limit {NumberText.Short(drift.Limit, ChartUnit.Number)}{since}";
    }

    /// <summary>What intervals of quality rest on.</summary>
    public static string Basis(IntervalBasis basis) => basis switch
    {
        IntervalBasis.Rows => "intervals rest on rows: too narrow where neighbours in time go wrong together",
        IntervalBasis.Windows => "intervals rest on windows",
        _ => "there are no intervals yet",
    };

    /// <summary>Either end may be unknown by itself: few answers bound a quantile from below alone.</summary>
    private static string Ends(Figure figure, ChartUnit unit) => $"{NumberText.Short(figure.Value, unit)} [{End(figure.Low, unit)}, {End(figure.High, unit)}]";

    private static string End(double? value, ChartUnit unit) => value is { } known ? NumberText.Short(known, unit) : "?";
}
