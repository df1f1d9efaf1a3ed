using System.Collections.Immutable;
using FsCheck;
using FsCheck.Fluent;
using Slipway.Documents.Monitoring;
using Slipway.Documents.Rollouts;
using Slipway.Expressions.Conditions;
using Slipway.Primitives.Units;
using Slipway.Server.Alerting;
using static Slipway.Documents.Monitoring.RetrainState;

namespace Slipway.Tests.Server.Alerting;

public class RetrainCourseTests
{
    private const long Hour = 3_600_000;

    private static readonly RetrainRule Rule = new("again", "drift.max > 0.2", "production", "retrain", new Duration(TimeSpan.FromHours(2)), 3);

    [Theory]
    [InlineData(Truth.True, true, Running, true)]
    [InlineData(Truth.False, true, Inactive, false)]
    [InlineData(Truth.Unknown, true, InsufficientEvidence, false)]
    [InlineData(Truth.True, false, NoTrigger, false)]
    public void Only_what_is_known_to_be_true_starts_and_only_what_is_set_up(Truth truth, bool hasTrigger, RetrainState state, bool start)
    {
        var (after, starts) = Decide([], truth, 0, hasTrigger);
        Assert.Equal((state, start), (after.State, starts));
    }

    [Fact]
    public void It_does_not_start_while_it_runs_nor_within_the_cool_down_nor_too_often_a_day()
    {
        Assert.Equal((Running, false), Standing([Run(0, ended: false)], 30 * Hour));
        Assert.Equal((CoolingDown, false), Standing([Run(0)], 2 * Hour - 1));
        Assert.Equal((Running, true), Standing([Run(0)], 2 * Hour));
        Assert.Equal((Exhausted, false), Standing([Run(8 * Hour), Run(4 * Hour), Run(0)], 24 * Hour - 1));
        Assert.Equal((Running, true), Standing([Run(8 * Hour), Run(4 * Hour), Run(0)], 24 * Hour));
        // A clock that was set back by a day does not let it start again and again.
        Assert.Equal((CoolingDown, false), Standing([Run(30 * Hour)], Hour));
    }

    [Fact]
    public void However_often_it_is_looked_at_starts_keep_their_distance_and_their_number_a_day()
    {
        var looks = Gen.ArrayOf(Gen.Zip(Gen.Elements(Truth.True, Truth.True, Truth.False, Truth.Unknown), Gen.Choose(1, 5_000_000))).Resize(300);
        Check.QuickThrowOnFailure(Prop.ForAll(Arb.From(looks), looks =>
        {
            var (now, runs) = (0L, ImmutableArray<RetrainRun>.Empty);
            foreach (var (truth, step) in looks)
            {
                now += step;
                if (!Decide(runs, truth, now).Start)
                    continue;
                if (truth != Truth.True || runs is [var last, ..] && now - last.StartedAt < 2 * Hour)
                    return false;
                runs = runs.Insert(0, Run(now));
                if (runs.Count(run => now - run.StartedAt < 24 * Hour) > Rule.AtMost)
                    return false;
            }

            return true;
        }));
    }

    private static (RetrainState, bool) Standing(ImmutableArray<RetrainRun> runs, long now) => Decide(runs, Truth.True, now) is var (state, start) ? (state.State, start) : default;

    private static (Retraining State, bool Start) Decide(ImmutableArray<RetrainRun> runs, Truth truth, long now, bool hasTrigger = true) =>
        RetrainCourse.Decide(null, "flight-delay", "production", Rule, runs, truth, "it drifts", hasTrigger, now);

    private static RetrainRun Run(long at, bool ended = true) =>
        new($"r{at}", "retrain", at, "it drifts", ended ? at + 1 : null, ended ? RetrainOutcome.Succeeded : RetrainOutcome.Running, null, null);
}
