using System.Globalization;
using MathNet.Numerics.Distributions;
using Slipway.Documents.Monitoring;
using Slipway.Documents.Rollouts;
using Slipway.Expressions.Conditions;
using Slipway.Primitives.Units;
using Slipway.Server.Alerting;
using Slipway.Stats.Intervals;

namespace Slipway.Tests.Server.Alerting;

/// <summary>How many false alarms a year a rule tells, as decision 20 has it: through the product's own course of an alert.</summary>
/// <remarks>
/// The figures of the decision are of 30 years with windows of an hour, and of 300 with windows of a day. Here are fewer, and more chance: they may
/// differ by <see cref="Errors"/> standard errors of a count.
/// </remarks>
public sealed class FalseAlarmTests
{
    private const double Errors = 4;

    /// <summary>What a figure is rounded to below which it is told as 0.</summary>
    private const double Least = 0.05;

    private const double MinutesOfYear = 365 * 24 * 60;

    /// <summary>How long a part lasts for the course, in seconds. It knows no length but the rule's own, and <see cref="AlertCourse.LongestGap"/>, below which looks count in full.</summary>
    private const double PartTold = 20;

    private static readonly string[] decision = GuideTests.Read("docs/adr/0020-windows-are-judged-one-by-one.md").Split('\n');

    /// <param name="part">Minutes.</param>
    /// <param name="patience">The rule's time in minutes.</param>
    [Theory]
    [InlineData("1 h", "at once", 60, 1, 0, 2)]
    [InlineData("1 h", "10 min", 60, 1, 10, 2)]
    [InlineData("1 h", "1 h", 60, 1, 60, 2)]
    [InlineData("1 day", "at once", 144, 10, 0, 20)]
    [InlineData("1 day", "1 h", 144, 10, 60, 20)]
    [InlineData("1 day", "6 h", 144, 10, 360, 20)]
    [InlineData("1 day", "1 day", 144, 10, 1440, 20)]
    public void A_rule_tells_as_many_false_alarms_as_the_decision_says(string window, string @for, int parts, int part, int patience, int years)
    {
        var told = decision.Single(line => line.StartsWith($"| {window} | {@for} |", StringComparison.Ordinal)).Split('|', StringSplitOptions.TrimEntries)[3..6]
            .Select(figure => double.Parse(figure, CultureInfo.InvariantCulture) * years);
        var found = AlarmsOf(parts, part, patience, years);
        TestContext.Current.TestOutputHelper?.WriteLine($"{window}, {@for}: {string.Join(", ", found.Select(count => count / (double)years))}");
        Assert.All(told.Zip(found), cell => Assert.InRange(cell.Second, cell.First - (Errors * Math.Sqrt(cell.First)), cell.First + (Errors * Math.Sqrt(Math.Max(cell.First, Least * years)))));
    }

    /// <summary>Alarms where the truth is at the limit, and 1 and 2 standard errors below it.</summary>
    /// <remarks>
    /// Parts are independent, and windows the latest of them. A window's condition is looked at as it begins to hold and just before the next window does: those between
    /// find the same.
    /// </remarks>
    private static long[] AlarmsOf(int parts, int part, int patience, int years)
    {
        var rule = new AlertRule("drift", "drift.max > 0.2", "production", AlertSeverity.Warn, new Duration(TimeSpan.FromSeconds(patience * PartTold / part)), "docs/drift.md");
        var (random, reach) = (new Philox(20, (ulong)parts), Normal.InvCDF(0, 1, 0.975));
        var (latest, sum, now, alarms) = (new double[parts], 0.0, 0L, new long[3]);
        var memories = Enumerable.Repeat(AlertCourse.New("flight-delay", "production", rule, 0), alarms.Length).ToArray();
        var end = parts + (long)(years * MinutesOfYear / part);
        for (var i = 0L; i < end; i++)
        {
            var value = Gauss(ref random);
            sum += value - latest[i % parts];
            latest[i % parts] = value;
            if (i < parts)
                continue;
            now += (long)(PartTold * 1000);
            for (var below = 0; below < alarms.Length; below++)
            {
                // The estimate's distance from the limit, in standard errors: its interval reaches as far to both sides.
                var distance = (sum / Math.Sqrt(parts)) - below;
                var truth = distance - reach > 0 ? Truth.True : distance + reach <= 0 ? Truth.False : Truth.Unknown;
                foreach (var at in (ReadOnlySpan<long>)[now, now + (long)(PartTold * 1000) - 1])
                {
                    (memories[below], var action) = AlertCourse.Decide(memories[below], rule, truth, "", at);
                    alarms[below] += action == AlertAction.Fire ? 1 : 0;
                }
            }
        }

        return alarms;
    }

    /// <summary>Box and Muller's normal deviate.</summary>
    private static double Gauss(ref Philox random)
    {
        var (first, second) = ((random.Next() + 0.5) / 4294967296, (random.Next() + 0.5) / 4294967296);
        return Math.Sqrt(-2 * Math.Log(first)) * Math.Cos(2 * Math.PI * second);
    }
}
