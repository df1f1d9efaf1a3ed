using System.Collections.Immutable;
using FsCheck;
using FsCheck.Fluent;
using Slipway.Pipeline.Execution.Scheduling;
using Slipway.Runtime.Hardware;

namespace Slipway.Tests.Pipeline.Execution.Scheduling;

/// <summary>The schedule against graphs, demands and failures of every kind, without clock or process.</summary>
public sealed class StageScheduleTests
{
    private static readonly HostCapacity host = new(4, 8 << 20, ImmutableSortedDictionary<string, int>.Empty.Add("nvidia", 2));

    private static readonly ImmutableArray<StageDemand> demands =
    [
        default, default, new(1000, 0, null, 0), new(2500, 1 << 20, null, 0), new(0, 5 << 20, null, 0), new(500, 0, "nvidia", 1), new(0, 0, "nvidia", 2), new(64_000, 0, null, 0), new(0, 1 << 30, null, 0),
    ];

    [Fact]
    public void Whatever_the_graph_it_ends_within_the_host_never_before_its_inputs_and_always_the_same_way() => Check.One(
        Config.QuickThrowOnFailure.WithMaxTest(400),
        Prop.ForAll(ArbMap.Default.ArbFor<int>(), seed =>
        {
            var random = new Random(seed);
            var stages = Graph(random, random.Next(1, 40));
            var limits = ScheduleLimits.Of(random.Next(1, 6), host, keepGoing: random.Next(2) == 0, seeEachOther: false);
            var first = Play(stages, limits, seed);
            Assert.Equal(first, Play(stages, limits, seed));
        }));

    [Fact]
    public void A_thousand_independent_stages_begin_in_plan_order()
    {
        var stages = Enumerable.Repeat(new ScheduledStage([], 0, default), 1000).ToImmutableArray();
        var (state, actions) = StageSchedule.Of(stages, ScheduleLimits.Of(2, host, keepGoing: false, seeEachOther: false)).Decide(new ScheduleEvent.Begun());
        var begun = actions.OfType<ScheduleAction.Start>().Select(start => start.Stage).ToList();
        while (state.Running.Any())
        {
            (state, actions) = state.Decide(new ScheduleEvent.Succeeded(state.Running.Min()));
            begun.AddRange(actions.OfType<ScheduleAction.Start>().Select(start => start.Stage));
        }

        Assert.Equal(Enumerable.Range(0, 1000), begun);
        Assert.IsType<ScheduleAction.Finish>(Assert.Single(actions));
    }

    [Fact]
    public void Processors_memory_and_accelerators_bound_what_runs_beside_each_other()
    {
        Assert.Equal([0, 1], Begun(new(2000, 0, null, 0), new(2000, 0, null, 0), new(1, 0, null, 0)));
        Assert.Equal([0, 2], Begun(new(2000, 0, null, 0), new(2001, 0, null, 0), new(2000, 0, null, 0)));
        Assert.Equal([0], Begun(new(0, 8 << 20, null, 0), new(0, 1, null, 0)));
        Assert.Equal([0, 1], Begun(new(0, 0, "nvidia", 1), new(0, 0, "nvidia", 1), new(0, 0, "nvidia", 1)));
        Assert.Equal([0, 1, 2], Begun(default, default, default));
        Assert.Equal([0], Begun(new(4001, 0, null, 0), default));
        Assert.Equal([0, 2], Begun(default, new(4001, 0, null, 0), default));

        static IEnumerable<int> Begun(params StageDemand[] demands) => StageSchedule.Of([.. demands.Select(demand => new ScheduledStage([], 0, demand))], ScheduleLimits.Of(100, host, keepGoing: false, seeEachOther: false))
            .Decide(new ScheduleEvent.Begun()).Actions.OfType<ScheduleAction.Start>().Where(start => start.HasTurn).Select(start => start.Stage);
    }

    [Fact]
    public void A_failure_that_may_pass_is_repeated_as_often_as_is_said()
    {
        var (state, _) = StageSchedule.Of([new ScheduledStage([], 2, default)], ScheduleLimits.Of(1, host, keepGoing: false, seeEachOther: false)).Decide(new ScheduleEvent.Begun());
        (state, var second) = state.Decide(new ScheduleEvent.Failed(0, MayPass: true));
        Assert.Equal([new ScheduleAction.Start(0, 2, HasTurn: true)], second);
        Assert.Equal([new ScheduleAction.Finish()], state.Decide(new ScheduleEvent.Failed(0, MayPass: false)).Actions);
        (state, var third) = state.Decide(new ScheduleEvent.Failed(0, MayPass: true));
        Assert.Equal([new ScheduleAction.Start(0, 3, HasTurn: true)], third);
        Assert.Equal([new ScheduleAction.Finish()], state.Decide(new ScheduleEvent.Failed(0, MayPass: true)).Actions);
    }

    [Fact]
    public void What_a_stage_took_is_free_once_its_command_has_ended_and_what_needs_it_waits_until_it_is_stored()
    {
        ImmutableArray<ScheduledStage> stages = [new([], 1, default), new([0], 0, default), new([], 0, default), new([], 0, default)];
        var (state, first) = StageSchedule.Of(stages, ScheduleLimits.Of(2, host, keepGoing: false, seeEachOther: false)).Decide(new ScheduleEvent.Begun());
        Assert.Equal([new ScheduleAction.Start(0, 1, HasTurn: true), new ScheduleAction.Start(2, 1, HasTurn: true), new ScheduleAction.Start(3, 1, HasTurn: false)], first);
        (state, var second) = state.Decide(new ScheduleEvent.CommandEnded(0));
        Assert.Equal([new ScheduleAction.GiveTurn(3)], second);
        // One may be stored while two run; with two to be stored nothing more is begun.
        (state, var third) = state.Decide(new ScheduleEvent.CommandEnded(2));
        Assert.Empty(third);
        (state, var fourth) = state.Decide(new ScheduleEvent.Succeeded(0));
        Assert.Equal([new ScheduleAction.Start(1, 1, HasTurn: true)], fourth);
        // Its command is not run again for what could not be stored.
        (state, var last) = state.Decide(new ScheduleEvent.Failed(2, MayPass: true));
        Assert.Empty(last);
        (state, _) = state.Decide(new ScheduleEvent.Succeeded(1));
        Assert.Equal([new ScheduleAction.Finish()], state.Decide(new ScheduleEvent.Succeeded(3)).Actions);
    }

    [Fact]
    public void As_many_as_run_are_prepared_ahead_and_get_their_turns_in_plan_order()
    {
        var (state, actions) = StageSchedule.Of([.. Enumerable.Repeat(new ScheduledStage([], 0, default), 6)], ScheduleLimits.Of(2, host, keepGoing: false, seeEachOther: false)).Decide(new ScheduleEvent.Begun());
        Assert.Equal([new ScheduleAction.Start(0, 1, true), new ScheduleAction.Start(1, 1, true), new ScheduleAction.Start(2, 1, false), new ScheduleAction.Start(3, 1, false)], actions);
        Assert.Equal([0, 1], state.Running.Order());
        (state, actions) = state.Decide(new ScheduleEvent.CommandEnded(1));
        Assert.Equal([new ScheduleAction.GiveTurn(2), new ScheduleAction.Start(4, 1, false)], actions);
        // What is known needs no turn.
        (state, actions) = state.Decide(new ScheduleEvent.Succeeded(3));
        Assert.Equal([new ScheduleAction.Start(5, 1, false)], actions);
        (state, actions) = state.Decide(new ScheduleEvent.Failed(0, MayPass: true));
        Assert.Equal([new ScheduleAction.Withdraw(4), new ScheduleAction.Withdraw(5)], actions);
        (state, actions) = state.Decide(new ScheduleEvent.Withdrawn(4));
        Assert.Empty(actions);
        (state, _) = state.Decide(new ScheduleEvent.Succeeded(5));
        (state, _) = state.Decide(new ScheduleEvent.Succeeded(1));
        Assert.Equal([new ScheduleAction.Finish()], state.Decide(new ScheduleEvent.Succeeded(2)).Actions);
    }

    [Fact]
    public void What_is_prepared_ahead_changes_no_order()
    {
        // The third is prepared while the first runs; the second, which comes before it, is not ready until then.
        var (state, actions) = StageSchedule.Of([new([], 0, default), new([0], 0, default), new([], 0, default)], ScheduleLimits.Of(1, host, keepGoing: false, seeEachOther: false)).Decide(new ScheduleEvent.Begun());
        Assert.Equal([new ScheduleAction.Start(0, 1, true), new ScheduleAction.Start(2, 1, false)], actions);
        (state, actions) = state.Decide(new ScheduleEvent.Succeeded(0));
        Assert.Equal([new ScheduleAction.Start(1, 1, true)], actions);
        Assert.Equal([new ScheduleAction.GiveTurn(2)], state.Decide(new ScheduleEvent.Succeeded(1)).Actions);

        // A large one is not put off for small ones behind it, and what is prepared holds nothing.
        ImmutableArray<ScheduledStage> mixed = [new([], 0, new(1000, 0, null, 0)), new([], 0, new(4000, 0, null, 0)), new([], 0, new(1000, 0, null, 0))];
        (state, actions) = StageSchedule.Of(mixed, ScheduleLimits.Of(1, host, keepGoing: false, seeEachOther: false)).Decide(new ScheduleEvent.Begun());
        Assert.Equal([new ScheduleAction.Start(0, 1, true), new ScheduleAction.Start(1, 1, false)], actions);
        Assert.Equal([new ScheduleAction.GiveTurn(1), new ScheduleAction.Start(2, 1, false)], state.Decide(new ScheduleEvent.Succeeded(0)).Actions);
    }

    [Fact]
    public void However_many_jobs_no_more_are_prepared_ahead_than_is_of_use()
    {
        var (_, actions) = StageSchedule.Of([.. Enumerable.Repeat(new ScheduledStage([], 0, default), 100)], ScheduleLimits.Of(40, host, keepGoing: false, seeEachOther: false)).Decide(new ScheduleEvent.Begun());
        Assert.Equal((40, 8), (actions.OfType<ScheduleAction.Start>().Count(start => start.HasTurn), actions.OfType<ScheduleAction.Start>().Count(start => !start.HasTurn)));
    }

    [Fact]
    public void Of_commands_that_see_each_other_none_is_prepared_ahead()
    {
        var (_, actions) = StageSchedule.Of([.. Enumerable.Repeat(new ScheduledStage([], 0, default), 6)], ScheduleLimits.Of(2, host, keepGoing: false, seeEachOther: true)).Decide(new ScheduleEvent.Begun());
        Assert.Equal([new ScheduleAction.Start(0, 1, true), new ScheduleAction.Start(1, 1, true)], actions);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void While_it_is_found_out_why_a_command_failed_nothing_begins_unless_what_can_is_to_go_on(bool keepGoing)
    {
        var (state, _) = StageSchedule.Of([.. Enumerable.Repeat(new ScheduledStage([], 1, default), 5)], ScheduleLimits.Of(2, host, keepGoing, seeEachOther: false)).Decide(new ScheduleEvent.Begun());
        (state, var actions) = state.Decide(new ScheduleEvent.CommandFailed(0));
        Assert.Equal(keepGoing ? [] : [new ScheduleAction.Withdraw(2), new ScheduleAction.Withdraw(3)], actions);
        (state, actions) = state.Decide(new ScheduleEvent.Succeeded(1));
        Assert.Equal(keepGoing ? [new ScheduleAction.GiveTurn(2), new ScheduleAction.Start(4, 1, false)] : [], actions);
        (_, actions) = state.Decide(new ScheduleEvent.Failed(0, MayPass: false));
        Assert.Equal(keepGoing ? [new ScheduleAction.GiveTurn(3)] : [], actions);
    }

    [Fact]
    public void With_one_job_a_command_runs_when_what_the_one_before_it_wrote_is_stored()
    {
        var (state, first) = StageSchedule.Of([new([], 0, default), new([], 0, default)], ScheduleLimits.Of(1, host, keepGoing: false, seeEachOther: false)).Decide(new ScheduleEvent.Begun());
        Assert.Equal([new ScheduleAction.Start(0, 1, HasTurn: true), new ScheduleAction.Start(1, 1, HasTurn: false)], first);
        (state, var stored) = state.Decide(new ScheduleEvent.CommandEnded(0));
        Assert.Empty(stored);
        Assert.Equal([new ScheduleAction.GiveTurn(1)], state.Decide(new ScheduleEvent.Succeeded(0)).Actions);
    }

    [Fact]
    public void Cancelled_it_begins_nothing_more_not_even_a_further_attempt()
    {
        var (state, _) = StageSchedule.Of([new ScheduledStage([], 2, default), new ScheduledStage([], 0, default)], ScheduleLimits.Of(1, host, keepGoing: true, seeEachOther: false)).Decide(new ScheduleEvent.Begun());
        (state, var actions) = state.Decide(new ScheduleEvent.Cancelled());
        Assert.Equal([new ScheduleAction.Withdraw(1)], actions);
        (state, actions) = state.Decide(new ScheduleEvent.Failed(0, MayPass: true));
        Assert.Empty(actions);
        Assert.Equal([new ScheduleAction.Finish()], state.Decide(new ScheduleEvent.Withdrawn(1)).Actions);
    }

    [Fact]
    public void A_plan_without_stages_is_over_at_once() =>
        Assert.Equal([new ScheduleAction.Finish()], StageSchedule.Of([], ScheduleLimits.Of(1, host, keepGoing: false, seeEachOther: false)).Decide(new ScheduleEvent.Begun()).Actions);

    private static ImmutableArray<ScheduledStage> Graph(Random random, int count) =>
    [
        .. Enumerable.Range(0, count).Select(i => new ScheduledStage(
            [.. Enumerable.Range(0, i).Where(_ => random.Next(i) < 2)],
            random.Next(3),
            demands[random.Next(demands.Length)])),
    ];

    /// <summary>Plays a run whose stages end in a random order, some of them badly, and holds every step to what is promised.</summary>
    /// <returns>What was begun, in order.</returns>
    private static List<(int Stage, int Attempt)> Play(ImmutableArray<ScheduledStage> stages, ScheduleLimits limits, int seed)
    {
        var random = new Random(seed);
        var (state, begun, running, good, bad) = (StageSchedule.Of(stages, limits), new List<(int, int)>(), new SortedDictionary<int, int>(), new HashSet<int>(), new HashSet<int>());
        var (storing, ahead, withdrawn) = (new SortedSet<int>(), new SortedSet<int>(), new SortedSet<int>());
        var isCancelled = false;
        ScheduleEvent what = new ScheduleEvent.Begun();
        for (var step = 0; ; step++)
        {
            Assert.True(step <= (4 * stages.Length) + 2, "it does not end");
            (state, var actions) = state.Decide(what);
            foreach (var start in actions.OfType<ScheduleAction.Start>())
            {
                Assert.All(stages[start.Stage].Needs, need => Assert.Contains(need, good));
                Assert.False(isCancelled || (!limits.KeepGoing && bad.Count > 0), "something was begun after the end was decided");
                Assert.InRange(start.Attempt, 1, stages[start.Stage].Retries + 1);
                Assert.DoesNotContain(start.Stage, good);
                if (start.HasTurn)
                    running[start.Stage] = start.Attempt;
                else
                    ahead.Add(start.Stage);
                begun.Add((start.Stage, start.Attempt));
            }

            foreach (var given in actions.OfType<ScheduleAction.GiveTurn>())
            {
                Assert.True(ahead.Remove(given.Stage));
                running[given.Stage] = 1;
            }

            foreach (var none in actions.OfType<ScheduleAction.Withdraw>())
            {
                Assert.True(ahead.Remove(none.Stage));
                withdrawn.Add(none.Stage);
            }

            Assert.Equal(running.Keys, state.Running.Order());
            Assert.True(ahead.Count <= limits.Jobs, "more is prepared than was asked for");
            Assert.True(running.Count <= limits.Jobs);
            Within([.. running.Keys.Select(stage => stages[stage].Demand)]);
            Assert.True(storing.Count <= 2 * limits.Jobs, "more is to be stored than the jobs account for");
            var left = running.Count + storing.Count + ahead.Count + withdrawn.Count;
            Assert.Equal(left == 0, actions.Any(action => action is ScheduleAction.Finish));
            if (left == 0)
                break;
            if (!isCancelled && random.Next(200) == 0)
            {
                (isCancelled, what) = (true, new ScheduleEvent.Cancelled());
                continue;
            }

            // A stage that is known ends without a turn, and one whose inputs change meanwhile fails without one.
            if (ahead.Count + withdrawn.Count > 0 && (running.Count + storing.Count == 0 || random.Next(6) == 0))
            {
                var early = ahead.Concat(withdrawn).ElementAt(random.Next(ahead.Count + withdrawn.Count));
                ahead.Remove(early);
                what = withdrawn.Remove(early) ? new ScheduleEvent.Withdrawn(early) : random.Next(4) > 0 ? new ScheduleEvent.Succeeded(early) : new ScheduleEvent.Failed(early, MayPass: false);
                if (what is ScheduleEvent.Succeeded)
                    good.Add(early);
                else if (what is ScheduleEvent.Failed)
                    bad.Add(early);
                continue;
            }

            if (storing.Count > 0 && (running.Count == 0 || random.Next(2) == 0))
            {
                var stored = storing.ElementAt(random.Next(storing.Count));
                storing.Remove(stored);
                good.Add(stored);
                what = new ScheduleEvent.Succeeded(stored);
                continue;
            }

            var stage = running.Keys.ElementAt(random.Next(running.Count));
            var attempt = running[stage];
            running.Remove(stage);
            if (random.Next(3) == 0)
            {
                storing.Add(stage);
                what = new ScheduleEvent.CommandEnded(stage);
                continue;
            }

            if (random.Next(4) > 0)
            {
                good.Add(stage);
                what = new ScheduleEvent.Succeeded(stage);
                continue;
            }

            var mayPass = random.Next(2) == 0;
            what = new ScheduleEvent.Failed(stage, mayPass);
            if (!mayPass || isCancelled || attempt > stages[stage].Retries || (!limits.KeepGoing && bad.Count > 0))
                bad.Add(stage);
        }

        // Going on, all that does not hang on a failure has run.
        if (limits.KeepGoing && !isCancelled)
        {
            var lost = new HashSet<int>(bad);
            foreach (var (i, stage) in stages.Index())
            {
                if (stage.Needs.Any(lost.Contains))
                    lost.Add(i);
            }

            Assert.Equal(Enumerable.Range(0, stages.Length).Except(lost), good.Order());
        }

        return begun;
    }

    private static void Within(ImmutableArray<StageDemand> running)
    {
        if (running.Length <= 1)
            return;
        Assert.True(running.Sum(demand => demand.MilliCpus) <= host.Cpus * 1000);
        Assert.True(running.Sum(demand => demand.Memory) <= host.Memory);
        Assert.True(running.Sum(demand => demand.Accelerators) <= host.Accelerators["nvidia"]);
    }
}
