using Slipway.Documents.Monitoring;
using Slipway.Server.Alerting;
using Slipway.Server.Api;
using Slipway.Server.Webhooks;
using Slipway.Tests.Primitives;
using Slipway.Tests.Server.Ledger;
using Slipway.Tests.Server.Storage;

namespace Slipway.Tests.Server.Alerting;

public sealed class CommandRunnerTests
{
    private const string Model = "flight-delay", Channel = "production", Rule = "drifted";

    private const long Epoch = 1;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60), Look = TimeSpan.FromSeconds(1);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_command_that_runs_for_six_hours_is_ended_and_told_so()
    {
        await using var stage = await Stage.OpenAsync("exec sleep 100000");
        await stage.StartAsync("a");
        await stage.Runner.TurnAsync(Epoch, Cancellation);
        await Eventually.True(() => stage.Clock.Waits(Look), Patience);
        stage.Clock.Step(TimeSpan.FromHours(6) - Look - Look);
        await Eventually.True(() => stage.Clock.Waits(Look), Patience);
        Assert.Equal(RetrainOutcome.Running, Assert.Single(await stage.RunsAsync()).Outcome);
        await Eventually.TrueAsync(
            async () =>
            {
                stage.Clock.Step(Look);
                return (await stage.RunsAsync())[0].EndedAt is not null;
            },
            Patience);
        var run = Assert.Single(await stage.RunsAsync());
        Assert.Equal((RetrainOutcome.TimedOut, "it ran for 6 h, and was ended"), (run.Outcome, run.Detail));
    }

    [Fact]
    public async Task Two_run_at_once_and_others_wait_until_one_has_ended()
    {
        await using var stage = await Stage.OpenAsync("touch ROOT/started-$$; while [ ! -e ROOT/go ]; do sleep 0.02; done");
        foreach (var id in (string[])["a", "b", "c"])
            await stage.StartAsync(id);
        await stage.Runner.TurnAsync(Epoch, Cancellation);
        await Eventually.True(() => stage.Started == 2, Patience);
        await stage.Runner.TurnAsync(Epoch, Cancellation);
        Assert.All(await stage.RunsAsync(), run => Assert.Equal(RetrainOutcome.Running, run.Outcome));
        Assert.Equal(2, stage.Started);

        stage.Folder.Write("go", "");
        await Eventually.TrueAsync(
            async () =>
            {
                await stage.Runner.TurnAsync(Epoch, Cancellation);
                return (await stage.RunsAsync()).All(run => run.Outcome == RetrainOutcome.Succeeded);
            },
            Patience);
        Assert.Equal(3, stage.Started);
    }

    [Fact]
    public async Task What_another_server_left_running_is_recorded_as_interrupted()
    {
        await using var stage = await Stage.OpenAsync("exit 0");
        await stage.StartAsync("a");
        await stage.Runner.TurnAsync(Epoch + 1, Cancellation);
        var run = Assert.Single(await stage.RunsAsync());
        Assert.Equal((RetrainOutcome.Interrupted, "the server that ran it ended"), (run.Outcome, run.Detail));
        Assert.Equal(0, stage.Started);
    }

    private sealed class Stage : IAsyncDisposable
    {
        private readonly TestLedger ledger;

        private Stage(TestLedger ledger, string command)
        {
            this.ledger = ledger;
            Folder.Write("train.sh", $"#!/bin/sh\n{command.Replace("ROOT", Folder.Root)}\n");
            File.SetUnixFileMode(Folder["train.sh"], UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            var options = new ServerOptions { Folder = Folder["server"], Time = Clock, Triggers = [new Trigger("retrain", Folder["train.sh"], null)] };
            Runner = new CommandRunner(ledger.Database, new RetrainChanges(ledger.Writer, new WebhookOutbox("slipway.test"), options.Triggers), options, () => new Uri("http://127.0.0.1:4040"));
        }

        public TestFolder Folder { get; } = new();

        public SteppedTimers Clock { get; } = new();

        public CommandRunner Runner { get; }

        public int Started => Directory.GetFiles(Folder.Root, "started-*").Length;

        public static async Task<Stage> OpenAsync(string command) => new(await TestLedger.OpenAsync(DatabaseKind.Sqlite), command);

        public Task StartAsync(string id) => ledger.Database.ChangeAsync(
            session => RetrainTable.AddRunAsync(
                session, new StartedRun(Model, Channel, Rule, new RetrainRun(id, "retrain", Clock.GetUtcNow().ToUnixTimeMilliseconds(), "it drifts", null, RetrainOutcome.Running, null, null), "{}"), Epoch),
            Cancellation);

        public Task<System.Collections.Immutable.ImmutableArray<RetrainRun>> RunsAsync() =>
            ledger.Database.ReadAsync(session => RetrainTable.RunsAsync(session, Model, Channel, Rule, 10), Cancellation);

        public async ValueTask DisposeAsync()
        {
            await Runner.DisposeAsync();
            await ledger.DisposeAsync();
            Folder.Dispose();
        }
    }
}
