using System.Collections.Concurrent;
using Slipway.Primitives.Faults;
using Slipway.Server.Storage;
using Slipway.Tests.Primitives;

namespace Slipway.Tests.Server.Storage;

public sealed class LeasedLoopTests
{
    private const string Name = "work";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    /// <summary>So long that nothing happens by itself within a test.</summary>
    private static readonly TimeSpan Never = TimeSpan.FromDays(1);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_turn_is_taken_at_once_and_whenever_something_was_committed()
    {
        await using var store = await TestDatabase.OpenAsync(DatabaseKind.Sqlite);
        var turns = 0;
        await using var loop = Open(store.Database, _ => Counted(ref turns, Turn.Idle));
        await Eventually.True(() => Volatile.Read(ref turns) >= 1, Patience);
        var before = Volatile.Read(ref turns);
        await store.Database.ChangeAsync(session => session.ExecuteAsync("INSERT INTO leases (name, holder, epoch, until) VALUES ('other', '', 0, 0)"), Cancellation);
        await Eventually.True(() => Volatile.Read(ref turns) > before, Patience);
    }

    [Fact]
    public async Task Of_two_servers_one_takes_turns_and_the_other_takes_over_when_it_stops()
    {
        await using var store = await TestDatabase.OpenAsync(DatabaseKind.Sqlite);
        var epochs = new ConcurrentQueue<(string Server, long Epoch)>();
        var first = Open(store.Database, epoch => Told("first", epoch));
        await Eventually.True(() => epochs.Any(turn => turn.Server == "first"), Patience);
        await using var second = Open(await store.OpenAgainAsync(), epoch => Told("second", epoch));
        Assert.DoesNotContain(epochs, turn => turn.Server == "second");
        await first.DisposeAsync();
        await Eventually.True(() => epochs.Any(turn => turn.Server == "second"), Patience);
        Assert.All(epochs, turn => Assert.Equal(turn.Server == "first" ? 1 : 2, turn.Epoch));

        Task<Turn> Told(string server, long epoch)
        {
            epochs.Enqueue((server, epoch));
            return Task.FromResult(Turn.Idle);
        }
    }

    [Fact]
    public async Task Work_that_fails_is_told_once_and_tried_again()
    {
        await using var store = await TestDatabase.OpenAsync(DatabaseKind.Sqlite);
        var (turns, log) = (0, new ConcurrentQueue<string>());
        await using var loop = new LeasedLoop(store.Database, Name, "work rests", Never, isAlone: true, TimeProvider.System, log.Enqueue, (_, _) =>
            Interlocked.Increment(ref turns) < 3 ? throw new SlipwayException(ExitCode.NotThere, new Fault("away", "the database is away")) : Task.FromResult(Turn.Idle));
        await Eventually.True(() => Volatile.Read(ref turns) >= 3, Patience);
        Assert.Equal("work rests, and what failed is tried again every 1 s: the database is away", Assert.Single(log));
    }

    [Fact]
    public async Task Who_is_superseded_does_nothing_until_the_lease_is_held_anew()
    {
        await using var store = await TestDatabase.OpenAsync(DatabaseKind.Sqlite);
        var epochs = new ConcurrentQueue<long>();
        await using var loop = new LeasedLoop(store.Database, Name, "work rests", TimeSpan.FromMilliseconds(20), isAlone: false, TimeProvider.System, _ => { }, async (epoch, stop) =>
        {
            epochs.Enqueue(epoch);
            return await store.Database.ReadAsync(session => Lease.IsInForceAsync(session, Name, epoch), stop) ? Turn.Idle : Turn.Superseded;
        });
        await Eventually.True(() => !epochs.IsEmpty, Patience);
        var lease = new Lease(store.Database);
        await lease.VacateAsync(Name, Cancellation);
        Assert.Equal(2, await lease.TryHoldAsync(Name, "another", LeasedLoop.LeaseTime, Cancellation));
        await lease.ReleaseAsync(Name, "another", Cancellation);
        await Eventually.True(() => epochs.Contains(3), Patience);
        Assert.DoesNotContain(2, epochs);
    }

    /// <summary>Waits for work end by the clock that it was given, and not by the machine's.</summary>
    [Fact]
    public async Task It_looks_again_when_its_clock_says_so()
    {
        await using var store = await TestDatabase.OpenAsync(DatabaseKind.Sqlite);
        var (turns, clock) = (0, new SteppedTimers());
        await using var loop = new LeasedLoop(store.Database, Name, "work rests", Never, isAlone: true, clock, _ => { }, (_, _) => Counted(ref turns, Turn.Idle));
        await Eventually.True(() => clock.Waits(Never) && Volatile.Read(ref turns) >= 1, Patience);
        var before = Volatile.Read(ref turns);
        clock.Step(Never);
        await Eventually.True(() => Volatile.Read(ref turns) > before, Patience);
    }

    private static LeasedLoop Open(Database database, Func<long, Task<Turn>> turn) =>
        new(database, Name, "work rests", Never, isAlone: false, TimeProvider.System, _ => { }, (epoch, _) => turn(epoch));

    private static Task<Turn> Counted(ref int turns, Turn turn)
    {
        Interlocked.Increment(ref turns);
        return Task.FromResult(turn);
    }
}
