using System.Net;
using Slipway.Gateway.Admission;
using Slipway.Tests.Gateway.Telemetry;

namespace Slipway.Tests.Gateway.Admission;

public sealed class AdmissionTests
{
    private readonly StepClock clock = new();

    [Fact]
    public void A_caller_has_its_burst_and_then_its_rate()
    {
        var limit = new CallerLimit(new RateLimit(10, 5, null), clock);
        for (var i = 0; i < 5; i++)
            Assert.Equal(TimeSpan.Zero, limit.Take(1));
        Assert.Equal(0.1, limit.Take(1).TotalSeconds, 1e-3);
        Assert.Equal(TimeSpan.Zero, limit.Take(2));        // another caller is another bucket
        clock.Step(TimeSpan.FromMilliseconds(40));
        Assert.Equal(0.06, limit.Take(1).TotalSeconds, 1e-3);
        clock.Step(TimeSpan.FromMilliseconds(61));
        Assert.Equal(TimeSpan.Zero, limit.Take(1));
        Assert.NotEqual(TimeSpan.Zero, limit.Take(1));
        clock.Step(TimeSpan.FromHours(1));
        for (var i = 0; i < 5; i++)
            Assert.Equal(TimeSpan.Zero, limit.Take(1));
        Assert.NotEqual(TimeSpan.Zero, limit.Take(1));
    }

    [Fact]
    public void More_callers_than_are_told_apart_share_one_bucket_until_some_are_full_again()
    {
        var limit = new CallerLimit(new RateLimit(1, 2, null), clock);
        clock.Step(TimeSpan.FromSeconds(10));
        for (var caller = 0; caller < CallerLimit.MaxCallers; caller++)
            Assert.Equal(TimeSpan.Zero, limit.Take((UInt128)caller));
        UInt128[] late = [1_000_001, 1_000_002, 1_000_003];
        Assert.Equal([true, true, false], late.Select(caller => limit.Take(caller) == TimeSpan.Zero));
        clock.Step(TimeSpan.FromSeconds(10));
        Assert.All(late, caller => Assert.Equal((TimeSpan.Zero, TimeSpan.Zero), (limit.Take(caller), limit.Take(caller))));
    }

    [Fact]
    public void A_caller_is_its_address_and_of_IPv6_its_network()
    {
        static UInt128 Of(string address) => CallerLimit.CallerOf(IPAddress.Parse(address));
        Assert.Equal(Of("192.0.2.1"), Of("::ffff:192.0.2.1"));
        Assert.NotEqual(Of("192.0.2.1"), Of("192.0.2.2"));
        Assert.Equal(Of("2001:db8:1:2::1"), Of("2001:db8:1:2:ffff::2"));
        Assert.NotEqual(Of("2001:db8:1:2::1"), Of("2001:db8:1:3::1"));
        Assert.NotEqual(CallerLimit.CallerOf("192.0.2.1"), Of("192.0.2.1"));
    }

    [Fact]
    public async Task Places_are_handed_on_and_the_one_beyond_the_queue_is_turned_away()
    {
        var limit = new ConcurrencyLimit(2, 1);
        Assert.Equal([true, true, false], new[] { limit.TryEnter(), limit.TryEnter(), limit.TryEnter() });
        var waits = limit.EnterAsync(Cancellation).AsTask();
        Assert.Equal((2, 1), (limit.Taken, limit.Waiting));
        Assert.False(await limit.EnterAsync(Cancellation));
        limit.Leave();
        Assert.True(await waits);
        Assert.Equal((2, 0), (limit.Taken, limit.Waiting));

        using var gone = new CancellationTokenSource();
        var leaves = limit.EnterAsync(gone.Token).AsTask();
        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => leaves);
        limit.Leave();
        limit.Leave();
        Assert.Equal((0, 0), (limit.Taken, limit.Waiting));
    }

    /// <summary>Most of them leave the queue before they have a place: none of it may be lost or handed out twice.</summary>
    [Fact]
    public async Task Places_are_neither_lost_nor_given_twice()
    {
        const int places = 3, callers = 16, rounds = 2000;
        var limit = new ConcurrencyLimit(places, callers);
        var (inside, most, entered) = (0, 0, 0);
        await Task.WhenAll(Enumerable.Range(0, callers).Select(caller => Task.Run(async () =>
        {
            for (var round = 0; round < rounds; round++)
            {
                using var leaving = new CancellationTokenSource();
                try
                {
                    if (!limit.TryEnter())
                    {
                        var waits = limit.EnterAsync(leaving.Token);
                        if ((caller + round) % 3 > 0)
                            await leaving.CancelAsync();
                        Assert.True(await waits);
                    }
                }
                catch (OperationCanceledException)
                {
                    continue;
                }

                var now = Interlocked.Increment(ref inside);
                for (var seen = Volatile.Read(ref most); now > seen; seen = Volatile.Read(ref most))
                    Interlocked.CompareExchange(ref most, now, seen);
                Interlocked.Increment(ref entered);
                if (round % 5 == 0)
                    await Task.Yield();
                Interlocked.Decrement(ref inside);
                limit.Leave();
            }
        })));
        Assert.Equal((0, 0), (limit.Taken, limit.Waiting));
        Assert.InRange(most, 1, places);
        Assert.True(entered > rounds);
    }

    [Fact]
    public void Large_bodies_share_a_budget_and_small_ones_need_none()
    {
        var budget = new BodyBudget();
        long large = 0, second = 0, small = 0;
        Assert.True(budget.TryCharge(ref large, BodyBudget.Limit));
        Assert.True(budget.TryCharge(ref large, BodyBudget.Limit + BodyBudget.Free));
        Assert.False(budget.TryCharge(ref second, BodyBudget.Free + 1));
        Assert.Equal(0, second);
        Assert.True(budget.TryCharge(ref small, BodyBudget.Free));
        budget.Release(ref large);
        Assert.True(budget.TryCharge(ref second, BodyBudget.Free + 1));
        budget.Release(ref large);        // once is enough
        budget.Release(ref second);
        Assert.True(budget.TryCharge(ref large, BodyBudget.Limit + BodyBudget.Free));
    }

    [Fact]
    public async Task A_deadline_runs_only_while_something_waits_and_serves_again()
    {
        using var deadline = new Deadline(TimeProvider.System);
        deadline.Start(TimeProvider.System.GetTimestamp(), TimeSpan.FromMilliseconds(1));
        await Task.Delay(20, Cancellation);
        Assert.False(deadline.Token.IsCancellationRequested);
        Assert.True(deadline.Left < TimeSpan.Zero);
        deadline.Arm();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Task.Delay(Timeout.Infinite, deadline.Token));
        deadline.Reset();
        deadline.Start(TimeProvider.System.GetTimestamp(), TimeSpan.FromHours(1));
        deadline.Arm();
        Assert.False(deadline.Token.IsCancellationRequested);
        deadline.Reset();
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;
}
