using System.Diagnostics;
using Slipway.Documents.Rollouts;
using Slipway.Primitives.Processes;
using Slipway.Server.Api;
using Slipway.Server.Ledger;
using Slipway.Server.Rollouts;
using Slipway.Server.Storage;
using Slipway.Tests.Primitives;
using Slipway.Tests.Server.Storage;
using static Slipway.Documents.Rollouts.RolloutPhase;

namespace Slipway.Tests.Server.Rollouts;

/// <summary>Several servers on one PostgreSQL: one of them drives, and when it is killed another goes on.</summary>
public sealed class TwoServersTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task When_the_server_that_drives_is_killed_the_other_goes_on_with_a_higher_epoch()
    {
        await using var stage = await RolloutStage.OpenAsync(DatabaseKind.Postgres);
        var gateway = stage.AddGateway();
        await stage.ReleaseAsync(1);
        using var folder = new TestFolder();
        await using var other = ChildProcess.Start(ChildProgram.Command("serve-control-plane", [folder.Root, "0", stage.Server.Store.Connection!, Path.Combine(stage.Server.Store.Folder, "ledger.key")], folder["log"]));
        await Eventually.True(() => File.Exists(folder["ready"]), Patience);
        // A server that stops in order lets go of the lease at once.
        var ours = await EpochAsync(stage.Database);
        await stage.Server.RestartAsync(async () => await Eventually.TrueAsync(async () => await EpochAsync(stage.Database) > ours, Patience));
        var theirs = await EpochAsync(stage.Database);

        // This server answers people and gateways, and the other one drives: what one stores the other sees.
        var rollout = await stage.StartAsync(RolloutRunTests.Canary, 2);
        await stage.UntilAsync(rollout.Id, view => view.State.Step == 1, () => gateway.ServeAsync(2_000, _ => 0.02));
        Assert.Equal(theirs, await EpochAsync(stage.Database));
        Process.GetProcessById(other.Id).Kill();
        var view = await stage.UntilAsync(rollout.Id, view => view.State.IsOver, () => gateway.ServeAsync(2_000, _ => 0.02));
        Assert.Equal(Promoted, view.State.Phase);
        Assert.Equal(theirs + 1, await EpochAsync(stage.Database));
        await stage.UntilServedAsync(2);
        Assert.Equal(theirs + 1, gateway.State.Epoch);
        Assert.Equal(gateway.InForce.Select(state => state.Epoch).Order(), gateway.InForce.Select(state => state.Epoch));
    }

    [Theory, MemberData(nameof(TestDatabase.Kinds), MemberType = typeof(TestDatabase))]
    public async Task A_pass_of_a_server_that_was_superseded_changes_nothing(DatabaseKind kind)
    {
        await using var store = await TestDatabase.OpenAsync(kind);
        using var ledger = await LedgerWriter.OpenAsync(store.Database, Path.Combine(store.Folder, "ledger.key"), TimeProvider.System, Cancellation);
        var changes = new RolloutChanges(ledger);
        var state = Sample.State(Sample.BlueGreen, null);
        await store.Database.ChangeAsync(session => changes.StartAsync(session, state, new Caller("user:1", "Olga", [], [], []), "a test"), Cancellation);
        var lease = new Lease(store.Database);
        var stale = (await lease.TryHoldAsync(RolloutChanges.DriverLease, "first", TimeSpan.FromMilliseconds(1), Cancellation))!.Value;
        await Eventually.TrueAsync(async () => await lease.TryHoldAsync(RolloutChanges.DriverLease, "second", TimeSpan.FromHours(1), Cancellation) is not null, Patience);

        // A gateway is ready, so there is something that a pass would do.
        var report = new GatewayReport("g1", "b1", Sample.Channel, 0, 0, [new(Sample.Model, Sample.Version(2).Bundle, VersionState.Ready, null)]);
        await store.Database.ChangeAsync(session => GatewayTable.TakeInAsync(session, report, "user:gateway", 0), Cancellation);
        Assert.Null(await store.Database.ChangeAsync(session => new RolloutPass(changes).RunAsync(session, stale, 0), Cancellation));
        Assert.Equal(Preparing, (await store.Database.ReadAsync(session => RolloutTable.FindAsync(session, state.Id), Cancellation))!.State.Phase);
        Assert.NotNull(await store.Database.ChangeAsync(session => new RolloutPass(changes).RunAsync(session, stale + 1, 0), Cancellation));
        Assert.Equal(Stepping, (await store.Database.ReadAsync(session => RolloutTable.FindAsync(session, state.Id), Cancellation))!.State.Phase);
    }

    private static Task<long> EpochAsync(Database database) => database.ReadAsync(session => Lease.EpochAsync(session, RolloutChanges.DriverLease), Cancellation);
}
