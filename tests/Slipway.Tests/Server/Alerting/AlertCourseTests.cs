using FsCheck;
using FsCheck.Fluent;
using Slipway.Documents.Monitoring;
using Slipway.Documents.Rollouts;
using Slipway.Expressions.Conditions;
using Slipway.Primitives.Units;
using Slipway.Server.Alerting;
using static Slipway.Documents.Monitoring.AlertState;

namespace Slipway.Tests.Server.Alerting;

public class AlertCourseTests
{
    private const long Look = 3_000;

    private static readonly AlertRule AtOnce = new("drift", "drift.max > 0.2", "production", AlertSeverity.Warn, default, "docs/drift.md");

    private static AlertRule For(double seconds) => AtOnce with { For = new Duration(TimeSpan.FromSeconds(seconds)) };

    /// <summary>One letter a look: true, false, unknown. Each state by how it begins.</summary>
    [Theory]
    [InlineData(0, "u", "InsufficientEvidence")]
    [InlineData(0, "f", "Inactive")]
    [InlineData(0, "t", "Firing!")]
    [InlineData(0, "tf", "Firing! Resolved!")]
    [InlineData(0, "tu", "Firing! Firing")]
    [InlineData(0, "ftfu", "Inactive Firing! Resolved! InsufficientEvidence")]
    [InlineData(6, "ttt", "Pending Pending Firing!")]
    [InlineData(6, "ttf", "Pending Pending Inactive")]
    [InlineData(6, "ttuut", "Pending Pending Pending Pending Pending")]
    [InlineData(6, "ttuutt", "Pending Pending Pending Pending Pending Firing!")]
    [InlineData(6, "tttff", "Pending Pending Firing! Firing Firing")]
    [InlineData(6, "tttfff", "Pending Pending Firing! Firing Firing Resolved!")]
    [InlineData(6, "tttfftff", "Pending Pending Firing! Firing Firing Firing Firing Firing")]
    [InlineData(6, "tttffuuf", "Pending Pending Firing! Firing Firing Firing Firing Firing")]
    [InlineData(6, "tttuuuuuu", "Pending Pending Firing! Firing Firing Firing Firing Firing Firing")]
    [InlineData(6, "fuu", "Inactive Inactive Inactive")]
    [InlineData(6, "fuuu", "Inactive Inactive Inactive InsufficientEvidence")]
    [InlineData(6, "fuufuu", "Inactive Inactive Inactive Inactive Inactive Inactive")]
    [InlineData(6, "uuf", "InsufficientEvidence InsufficientEvidence Inactive")]
    public void The_state_follows_what_was_found(double seconds, string found, string states)
    {
        var (memory, now, told) = (New(For(seconds)), 0L, new List<string>());
        foreach (var letter in found)
        {
            (memory, var action) = AlertCourse.Decide(memory, For(seconds), TruthOf(letter), "it is so", now += Look);
            told.Add(memory.Alert.State + (action == AlertAction.None ? "" : "!"));
        }

        Assert.Equal(states, string.Join(' ', told));
    }

    [Fact]
    public void A_firing_alert_that_cannot_be_judged_says_so()
    {
        var (firing, _) = AlertCourse.Decide(New(AtOnce), AtOnce, Truth.True, "it drifts", 1);
        var (unknown, action) = AlertCourse.Decide(firing, AtOnce, Truth.Unknown, "no gateway is there", 2);
        Assert.Equal((Firing, AlertAction.None, "still firing, since it cannot be judged now: no gateway is there"), (unknown.Alert.State, action, unknown.Alert.Reason));
    }

    [Theory]
    [InlineData("f", "Inactive")]
    [InlineData("tf", "Resolved")]
    public void A_quiet_alert_that_cannot_be_judged_says_so_and_once_it_is_called_that_does_not(string before, string state)
    {
        var (rule, memory, now) = (AtOnce, New(AtOnce), 0L);
        foreach (var letter in before)
            (memory, _) = AlertCourse.Decide(memory, rule, TruthOf(letter), "", now += Look);
        rule = For(6);
        memory = memory with { Alert = memory.Alert with { Rule = rule } };
        (memory, _) = AlertCourse.Decide(memory, rule, Truth.Unknown, "it straddles", now += Look);
        Assert.Equal((state, "cannot be judged now: it straddles"), (memory.Alert.State.ToString(), memory.Alert.Reason));
        for (var i = 0; i < 2; i++)
            (memory, _) = AlertCourse.Decide(memory, rule, Truth.Unknown, "it straddles", now += Look);
        Assert.Equal((InsufficientEvidence, "it straddles"), (memory.Alert.State, memory.Alert.Reason));
    }

    [Fact]
    public void Time_that_nobody_looked_is_no_evidence()
    {
        var (pending, _) = AlertCourse.Decide(New(For(3600)), For(3600), Truth.True, "", 0);
        var (after, action) = AlertCourse.Decide(pending, For(3600), Truth.True, "", (long)TimeSpan.FromHours(5).TotalMilliseconds);
        Assert.Equal((Pending, AlertAction.None, (long)AlertCourse.LongestGap.TotalMilliseconds), (after.Alert.State, action, after.Progress));
    }

    [Fact]
    public void A_clock_that_is_set_back_neither_fires_nor_resolves()
    {
        var (pending, _) = AlertCourse.Decide(New(For(6)), For(6), Truth.True, "", 1_000_000);
        var (after, action) = AlertCourse.Decide(pending, For(6), Truth.True, "", 0);
        Assert.Equal((Pending, AlertAction.None, 0), (after.Alert.State, action, after.Progress));
        (_, action) = AlertCourse.Decide(after, For(6), Truth.True, "", 6_000);
        Assert.Equal(AlertAction.Fire, action);
    }

    [Fact]
    public void A_rule_that_is_changed_keeps_its_state_and_counts_anew()
    {
        var memory = New(For(6));
        foreach (var now in new long[] { 0, 3_000 })
            (memory, _) = AlertCourse.Decide(memory, For(6), Truth.True, "", now);
        var changed = For(6) with { When = "drift.max > 0.3" };
        (memory, var action) = AlertCourse.Decide(memory, changed, Truth.True, "", 6_000);
        Assert.Equal((Pending, AlertAction.None, changed), (memory.Alert.State, action, memory.Alert.Rule));
        (memory, _) = AlertCourse.Decide(memory, changed, Truth.True, "", 9_000);
        (_, action) = AlertCourse.Decide(memory, changed, Truth.True, "", 12_000);
        Assert.Equal(AlertAction.Fire, action);
    }

    /// <summary>However the condition flaps, at whatever looks, clocks and gaps.</summary>
    [Fact]
    public void Between_two_notifications_there_is_at_least_the_rules_time()
    {
        var looks = Gen.ArrayOf(Gen.Zip(Gen.Elements('t', 'f', 'u'), Gen.Choose(0, 60_000))).Resize(400);
        Check.QuickThrowOnFailure(Prop.ForAll(Arb.From(looks), Arb.From(Gen.Choose(1, 120)), (looks, seconds) =>
        {
            var (rule, now, last) = (For(seconds), 0L, (long?)null);
            var memory = New(rule);
            var firing = false;
            foreach (var (letter, step) in looks)
            {
                (memory, var action) = AlertCourse.Decide(memory, rule, TruthOf(letter), "", now += step);
                if (action == AlertAction.None)
                    continue;
                // They come in turns, only on what is known, and are never close together.
                if (action == AlertAction.Fire == firing || letter != (action == AlertAction.Fire ? 't' : 'f') || last is { } before && now - before < seconds * 1000)
                    return false;
                (firing, last) = (!firing, now);
            }

            return firing == (memory.Alert.State == Firing);
        }));
    }

    private static AlertMemory New(AlertRule rule) => AlertCourse.New("flight-delay", "production", rule, 0);

    private static Truth TruthOf(char letter) => letter switch { 't' => Truth.True, 'f' => Truth.False, _ => Truth.Unknown };
}
