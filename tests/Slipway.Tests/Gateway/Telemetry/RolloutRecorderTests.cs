using System.Text.Json;
using Slipway.Documents.Rollouts;
using Slipway.Gateway.Telemetry;

namespace Slipway.Tests.Gateway.Telemetry;

public sealed class RolloutRecorderTests
{
    private readonly StepClock clock = new();
    private readonly RolloutRecorder recorder;

    public RolloutRecorderTests() => recorder = new RolloutRecorder("g1", "boot1", "production", clock);

    [Fact]
    public void Nothing_to_tell_is_no_batch()
    {
        Assert.Null(recorder.TakeBatch(evenIfNothing: true));
        recorder.Follow(Route("r"));
        Assert.Null(recorder.TakeBatch());
        var quiet = Assert.Single(recorder.TakeBatch(evenIfNothing: true)!.Rollouts);
        Assert.Equal(("r", 0, 0, 0L, null), (quiet.Rollout, quiet.Counts.Length, quiet.Bad.Length, quiet.Lost, quiet.Shadow));
        Assert.Equal(clock.Micros - 1, quiet.Through);      // the slot before this one is the last that has ended
    }

    [Fact]
    public void Counts_are_by_weight_and_arm_and_told_once()
    {
        var (first, second) = (recorder.Follow(Route("r", 1)), recorder.Follow(Route("r", 2)));
        Assert.Same(first, recorder.Follow(Route("r", 1)));
        Answer(first, Arm.Stable, 0.00005);
        Answer(first, Arm.Stable, 0.0002);
        Answer(second, Arm.Candidate, 100);
        second.Failed(second.Begin(Arm.Candidate, 7, clock.GetTimestamp()), BadKind.Error);
        second.Refused(second.Begin(Arm.Candidate, 8, clock.GetTimestamp()));

        Assert.Null(recorder.TakeBatch());      // the slot has not ended
        EndSlot();
        var batch = recorder.TakeBatch()!;
        Assert.Equal(("g1", "boot1", "production", 1L), (batch.Gateway, batch.Boot, batch.Channel, batch.Sequence));
        var events = Assert.Single(batch.Rollouts);
        Assert.Equal([(1, Arm.Stable, 2), (2, Arm.Candidate, 2)], events.Counts.Select(count => (count.WeightRevision, count.Arm, count.Requests)));
        Assert.Equal((1, 1), (events.Counts[0].Latency[0], events.Counts[0].Latency[4]));
        Assert.Equal(2, events.Counts[1].Latency[^1]);       // the one beyond all bounds, and the one without an answer
        Assert.All(events.Counts, count => Assert.Equal((LatencyBuckets.Count, count.Requests), (count.Latency.Length, count.Latency.Sum())));
        Assert.Equal((2L, "0000000000000007", Arm.Candidate, BadKind.Error), events.Bad.Select(bad => (bad.WeightRevision, bad.User, bad.Arm, bad.Kind)).Single());

        recorder.Acknowledge(1);
        Assert.Null(recorder.TakeBatch());
    }

    [Fact]
    public void A_batch_is_the_same_to_the_byte_until_it_is_acknowledged()
    {
        var tally = recorder.Follow(Route("r"));
        Fail(tally, 1);
        EndSlot();
        var first = JsonSerializer.SerializeToUtf8Bytes(recorder.TakeBatch()!, RolloutJson.Default.EventBatch);
        Fail(tally, 2);
        recorder.Acknowledge(7);        // never sent
        Assert.Equal(first, JsonSerializer.SerializeToUtf8Bytes(recorder.TakeBatch(evenIfNothing: true)!, RolloutJson.Default.EventBatch));
        recorder.Acknowledge(1);
        recorder.Acknowledge(1);
        EndSlot();
        var second = recorder.TakeBatch()!;
        Assert.Equal((2L, "0000000000000002"), (second.Sequence, second.Rollouts.Single().Bad.Single().User));
    }

    [Fact]
    public void Nothing_is_told_beyond_the_slot_of_the_oldest_request_in_flight()
    {
        var tally = recorder.Follow(Route("r"));
        Fail(tally, 1);
        EndSlot();
        Fail(tally, 2);
        var slow = tally.Begin(Arm.Stable, 3, clock.GetTimestamp());
        EndSlot();
        Fail(tally, 4);
        EndSlot();

        var before = Next();
        Assert.Equal(("0000000000000001", 1L), (before.Bad.Single().User, before.Counts.Single().Requests));
        Assert.InRange(before.Through, before.Bad[0].Order, slow.Order - 1);
        Fail(tally, 5);
        Assert.Equal((before.Through, 0, 0), (Next().Through, Next().Bad.Length, Next().Counts.Length));
        tally.Failed(slow, BadKind.Timeout);
        EndSlot();
        var after = Next();
        Assert.Equal(["0000000000000002", "0000000000000003", "0000000000000004", "0000000000000005"], after.Bad.Select(bad => bad.User));
        Assert.Equal(4, after.Counts.Single().Requests);
        Assert.Equal(after.Bad.Select(bad => bad.Order).Order(), after.Bad.Select(bad => bad.Order));
        Assert.True(after.Through >= after.Bad[^1].Order);
    }

    [Fact]
    public void A_request_of_one_rollout_does_not_hold_up_another()
    {
        var slow = recorder.Follow(Route("a")).Begin(Arm.Stable, 1, clock.GetTimestamp());
        Fail(recorder.Follow(Route("b")), 2);
        EndSlot();
        var batch = recorder.TakeBatch(evenIfNothing: true)!;
        Assert.Equal([("a", 0), ("b", 1)], batch.Rollouts.Select(events => (events.Rollout, events.Bad.Length)));
        Assert.True(batch.Rollouts[0].Through < slow.Order && batch.Rollouts[1].Through > slow.Order);
    }

    [Fact]
    public void Orders_grow_strictly_though_the_wall_clock_steps_back()
    {
        var tally = recorder.Follow(Route("r"));
        var orders = new List<long>();
        for (var i = 0; i < 100; i++)
        {
            if (i % 10 == 0)
                clock.SetWallClock(-TimeSpan.FromHours(i));
            if (i % 3 == 0)
                clock.Step(TimeSpan.FromMicroseconds(5));
            var request = tally.Begin(Arm.Stable, 1, clock.GetTimestamp());
            orders.Add(request.Order);
            tally.Answered(request, 0.001, false);
        }

        Assert.Equal(orders.Distinct().Order(), orders);
        Assert.InRange(orders[0], StepClock.Start, StepClock.Start + 10);
        Assert.InRange(orders[^1], StepClock.Start + 170, StepClock.Start + 300);
    }

    [Fact]
    public void An_overflow_of_bad_events_is_told_as_lost()
    {
        var tally = recorder.Follow(Route("r"));
        for (var i = 0; i < RolloutLog.MaxWaiting + 5; i++)
            Fail(tally, (ulong)i);
        EndSlot();
        clock.Step(TimeSpan.FromSeconds(1));
        var (told, batches, lost, requests) = (0, 0, 0L, 0L);
        for (; recorder.TakeBatch() is { } batch; batches++)
        {
            var events = Assert.Single(batch.Rollouts);
            Assert.InRange(events.Bad.Length, 1, EventBatch.MaxEvents);
            Assert.True(events.Through >= events.Bad[^1].Order);
            told += events.Bad.Length;
            lost += events.Lost;
            requests += events.Counts.Sum(count => count.Requests);
            recorder.Acknowledge(batch.Sequence);
        }

        Assert.Equal((RolloutLog.MaxWaiting, 5, 5L, RolloutLog.MaxWaiting + 5L), (told, batches, lost, requests));
        Fail(tally, 1);
        EndSlot();
        Assert.Equal((0L, 1), Next() is var next ? (next.Lost, next.Bad.Length) : default);        // there is room again
    }

    [Fact]
    public void What_is_beyond_a_batch_waits_and_the_order_with_it()
    {
        var tally = recorder.Follow(Route("r"));
        for (var i = 0; i < EventBatch.MaxEvents + 10; i++)
            Fail(tally, (ulong)i);
        clock.Step(TimeSpan.FromSeconds(1));
        var first = Next();
        var second = Next();
        Assert.Equal(EventBatch.MaxEvents + 10, first.Bad.Length + second.Bad.Length);
        Assert.Equal((first.Bad.Length, second.Bad.Length), ((int)first.Counts.Single().Requests, (int)second.Counts.Single().Requests));
        Assert.True(first.Through >= first.Bad[^1].Order && first.Through < second.Bad[0].Order);
    }

    [Fact]
    public void A_rollout_that_is_over_is_told_to_its_end_and_forgotten()
    {
        var tally = recorder.Follow(Route("r"));
        var slow = tally.Begin(Arm.Stable, 1, clock.GetTimestamp());
        recorder.Retain([]);
        Assert.Null(recorder.TakeBatch(evenIfNothing: true));
        tally.Failed(slow, BadKind.Error);
        Assert.Null(recorder.TakeBatch());      // its slot has not ended: it is not forgotten
        EndSlot();
        Assert.Single(Next().Bad);
        Assert.Null(recorder.TakeBatch());
        Assert.NotSame(tally, recorder.Follow(Route("r")));
    }

    [Fact]
    public void A_crash_is_one_bad_request()
    {
        recorder.ReportCrash(Route("r", 3), Arm.Candidate);
        EndSlot();
        var events = Next();
        Assert.Equal((1L, BadKind.Crash, Arm.Candidate, 3L), (events.Counts.Single().Requests, events.Bad.Single().Kind, events.Bad.Single().Arm, events.Bad.Single().WeightRevision));
    }

    [Fact]
    public void A_shadow_counts_what_came_of_its_copies()
    {
        var tally = recorder.Follow(Route("r") with { Shadow = true });
        tally.Shadowed(0, false);
        tally.Shadowed(0.5, true);
        tally.Shadowed(0.25, true);
        tally.Shadowed(null, false);
        tally.ShadowSkipped();
        Assert.Equal(new ShadowCounts(3, 2, 1, 1, 0.5), Next().Shadow);
        Assert.Equal(new ShadowCounts(0, 0, 0, 0, 0), recorder.TakeBatch(evenIfNothing: true)!.Rollouts.Single().Shadow);
    }

    /// <summary>The judge folds in this order and can never go back: what it was told to be complete must be.</summary>
    [Fact]
    public async Task Under_load_every_event_is_told_once_in_order_and_none_after_its_order_was_passed()
    {
        const int threads = 4, requests = 20_000;
        var real = new RolloutRecorder("g", "b", "production", TimeProvider.System);
        var tally = real.Follow(Route("r"));
        using var stop = new CancellationTokenSource();
        var senders = Enumerable.Range(0, threads).Select(thread => Task.Run(
            () =>
            {
                for (var i = 0; i < requests; i++)
                {
                    var request = tally.Begin((Arm)(i & 1), (ulong)i, TimeProvider.System.GetTimestamp());
                    if (i % 7 == 0)
                        Thread.SpinWait(200);
                    if (i % 3 == 0)
                        tally.Failed(request, BadKind.Error);
                    else
                        tally.Answered(request, 0.001, i % 5 == 0);
                }
            },
            Cancellation)).ToArray();

        var (told, counted, through, last) = (0, 0L, 0L, false);
        while (!last)
        {
            last = senders.All(sender => sender.IsCompleted);
            if (real.TakeBatch() is not { } batch)
                continue;
            var events = batch.Rollouts.Single();
            Assert.True(events.Through >= through);
            foreach (var bad in events.Bad)
            {
                Assert.True(bad.Order > through, "an event came after its order was passed");
                through = bad.Order;
            }

            Assert.True(events.Through >= through);
            (through, told, counted) = (events.Through, told + events.Bad.Length, counted + events.Counts.Sum(count => count.Requests));
            Assert.Equal(0, events.Lost);
            real.Acknowledge(batch.Sequence);
        }

        await Task.WhenAll(senders);
        while (real.TakeLast() is { } rest)
        {
            if (rest.Final && rest.Rollouts.IsEmpty)
                break;
            (told, counted) = (told + rest.Rollouts.Single().Bad.Length, counted + rest.Rollouts.Single().Counts.Sum(count => count.Requests));
            real.Acknowledge(rest.Sequence);
            if (rest.Final)
                break;
        }

        var bads = Enumerable.Range(0, requests).Count(i => i % 3 == 0 || i % 5 == 0);
        Assert.Equal((threads * bads, (long)threads * requests), (told, counted));
    }

    /// <summary>The server is away for long: what waits stays bounded, and once it is back, counts and bad events of every batch are those up to its order.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Without_the_server_what_waits_is_bounded_and_stays_whole(int seed)
    {
        var random = new Random(seed);
        var (first, second) = (recorder.Follow(Route("r", 1)), recorder.Follow(Route("r", 2)));
        var (ended, inFlight) = (new List<(long Order, bool IsBad)>(), new List<AssignedRequest>());
        var told = (Requests: 0L, Bad: 0, Through: 0L);
        for (var slot = 0; slot < 20_000; slot++)
        {
            var tally = slot < 12_000 ? first : second;
            var isStorm = slot % 1500 > 1470;
            for (var i = random.Next(isStorm ? 900 : 3); i > 0; i--)
            {
                clock.Step(TimeSpan.FromMicroseconds(5));
                var request = tally.Begin((Arm)random.Next(2), (ulong)i, clock.GetTimestamp());
                if (random.Next(50) == 0 && inFlight.Count < 20)
                    inFlight.Add(request);
                else
                    End(tally, request, isStorm ? random.Next(2) == 0 : random.Next(200) == 0);
            }

            if (slot == 12_000 || random.Next(20) == 0)
            {
                inFlight.ForEach(request => End(slot <= 12_000 ? first : second, request, true));
                inFlight.Clear();
            }

            clock.Step(TimeSpan.FromMilliseconds(7));
            if (slot % 37 == 0 && recorder.TakeBatch() is { } batch && slot % 5000 > 4900)
                Check(batch);
            if (slot % 37 == 0)
                Assert.InRange(first.Slots + second.Slots, 0, 1100);
        }

        inFlight.ForEach(request => End(second, request, true));
        clock.Step(TimeSpan.FromMilliseconds(20));
        while (recorder.TakeBatch() is { } batch)
            Check(batch);
        Assert.Equal((ended.Count, ended.Count(request => request.IsBad)), (told.Requests, told.Bad));
        Assert.Equal((0, 0), (first.Slots, second.Slots));

        void End(RolloutTally tally, AssignedRequest request, bool isBad)
        {
            ended.Add((request.Order, isBad));
            if (isBad)
                tally.Failed(request, BadKind.Error);
            else
                tally.Answered(request, 0.001, false);
        }

        void Check(EventBatch batch)
        {
            var events = batch.Rollouts.Single();
            Assert.Equal(0, events.Lost);
            Assert.InRange(events.Bad.Length, 0, EventBatch.MaxEvents);
            Assert.True(events.Through > told.Through);
            told = (told.Requests + events.Counts.Sum(count => count.Requests), told.Bad + events.Bad.Length, events.Through);
            Assert.All(events.Bad, bad => Assert.InRange(bad.Order, 0, events.Through));
            recorder.Acknowledge(batch.Sequence);

            // Batches are made before they are taken: what ended since is beyond their order.
            var (requests, bad) = (ended.Count(request => request.Order <= events.Through), ended.Count(request => request.IsBad && request.Order <= events.Through));
            Assert.Equal((requests, bad), (told.Requests, told.Bad));
        }
    }

    [Fact]
    public void What_was_put_together_is_told_together_or_not_at_all()
    {
        var (small, large) = (recorder.Follow(Route("a")), recorder.Follow(Route("b")));
        Answer(large, Arm.Stable, 0.001);
        EndSlot();
        var sent = recorder.TakeBatch()!;
        Fail(small, 1);
        for (var slot = 0; slot < 1250; slot++)
        {
            for (var i = 0; i < 8; i++)
                Fail(large, 1);
            EndSlot();
        }

        Assert.Same(sent, recorder.TakeBatch());        // puts the slots together meanwhile
        Assert.Equal(1, large.Slots);
        recorder.Acknowledge(sent.Sequence);
        var first = recorder.TakeBatch()!;
        Assert.Equal([("a", 1, 1)], first.Rollouts.Select(events => (events.Rollout, events.Bad.Length, events.Counts.Length)));        // there was no room for all of the other
        recorder.Acknowledge(first.Sequence);
        var second = recorder.TakeBatch()!.Rollouts.Single();
        Assert.Equal(("b", EventBatch.MaxEvents, (long)EventBatch.MaxEvents), (second.Rollout, second.Bad.Length, second.Counts.Single().Requests));
    }

    [Fact]
    public void Slots_that_nobody_takes_are_lost_in_the_end_and_said_to_be()
    {
        var tally = recorder.Follow(Route("r"));
        for (var slot = 0; slot < RolloutTally.MaxSlots + 7; slot++)
        {
            Answer(tally, Arm.Stable, 0.001);
            clock.Step(TimeSpan.FromMilliseconds(10));
        }

        var events = Next();
        Assert.Equal((RolloutTally.MaxSlots, 7), (events.Counts.Single().Requests, events.Lost));
    }

    [Fact]
    public void The_last_batch_of_a_boot_says_so()
    {
        Assert.Null(recorder.TakeLast());
        Answer(recorder.Follow(Route("r")), Arm.Stable, 0.001);
        var last = recorder.TakeLast()!;
        Assert.Equal((true, 1L), (last.Final, last.Rollouts.Single().Counts.Single().Requests));
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private static RolloutRoute Route(string id, long revision = 1) =>
        new(id, new VersionRef(2, default), 1000, false, revision, "request-id", "00112233445566778899aabbccddeeff");

    private void Answer(RolloutTally tally, Arm arm, double seconds) => tally.Answered(tally.Begin(arm, 1, clock.GetTimestamp()), seconds, false);

    private void EndSlot() => clock.Step(TimeSpan.FromMilliseconds(10));

    private void Fail(RolloutTally tally, ulong user) => tally.Failed(tally.Begin(Arm.Stable, user, clock.GetTimestamp()), BadKind.Error);

    private RolloutEvents Next()
    {
        var batch = recorder.TakeBatch(evenIfNothing: true)!;
        recorder.Acknowledge(batch.Sequence);
        return batch.Rollouts.Single();
    }
}

/// <summary>A clock that goes on when it is told to; the wall clock can be set apart from the monotonic one.</summary>
internal sealed class StepClock : TimeProvider
{
    /// <summary>Microseconds.</summary>
    public const long Start = 1_700_000_000_000_000;

    private TimeSpan since, wall;

    public long Micros => Start + (since.Ticks / TimeSpan.TicksPerMicrosecond);

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public void Step(TimeSpan by) => since += by;

    public void SetWallClock(TimeSpan apart) => wall = apart;

    public override DateTimeOffset GetUtcNow() => DateTimeOffset.UnixEpoch + TimeSpan.FromTicks(Start * TimeSpan.TicksPerMicrosecond) + since + wall;

    public override long GetTimestamp() => since.Ticks;
}
