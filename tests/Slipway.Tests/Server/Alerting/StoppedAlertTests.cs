using Slipway.Documents.Monitoring;
using Slipway.Tests.Primitives;

namespace Slipway.Tests.Server.Alerting;

/// <summary>A firing that is stopped at any of the things that it writes: nothing of it is to be seen, and once it can be done it is done, once.</summary>
public sealed class StoppedAlertTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>Every table that it writes, in that order.</summary>
    [Theory]
    [InlineData("incidents")]
    [InlineData("ledger_entries")]
    [InlineData("webhook_deliveries")]
    [InlineData("alerts")]
    public async Task It_has_not_happened_and_happens_later_once(string table)
    {
        await using var stage = await AlertStage.OpenAsync();
        await stage.AddWebhookAsync();
        await stage.PassUntilAsync(AlertState.Inactive);
        var write = table == "alerts" ? "UPDATE" : "INSERT";
        await ExecuteAsync(stage, $"CREATE TRIGGER stopped BEFORE {write} ON {table} BEGIN SELECT RAISE(ABORT, 'stopped by the test'); END");
        await stage.TellAsync(errors: 900);
        await Eventually.True(() => stage.Log.Any(line => line.StartsWith("alerts rest", StringComparison.Ordinal)), Patience);
        Assert.Equal(AlertState.Inactive, (await stage.AlertAsync())!.State);
        Assert.Empty(await stage.IncidentsAsync());
        Assert.Empty(await stage.LedgerAsync("alert"));
        Assert.Empty(stage.Receiver.All);

        await ExecuteAsync(stage, "DROP TRIGGER stopped");
        await stage.PassUntilAsync(AlertState.Firing, requests: 1_000, errors: 900);
        Assert.Equal(["incident.opened", "alert.firing"], await stage.EventsAsync(2));
        Assert.Equal(["alert.firing"], await stage.LedgerAsync("alert"));
        Assert.Equal("inc-000001", Assert.Single(await stage.IncidentsAsync()).Id);
    }

    private static Task ExecuteAsync(AlertStage stage, string sql) => stage.Monitoring.Database.ChangeAsync(session => session.ExecuteAsync(sql), Cancellation);
}
