using System.Collections.Immutable;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Slipway.Documents.Access;
using Slipway.Documents.Monitoring;
using Slipway.Documents.Rollouts;
using Slipway.Primitives.Units;
using Slipway.Server.Api;
using Slipway.Tests.Primitives;

namespace Slipway.Tests.Server.Alerting;

/// <summary>A real server whose gateways tell of drift, and commands that it starts.</summary>
public sealed class RetrainRunTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private static readonly RetrainRule Rule = new("drifted", "drift.distance > 0.2", AlertStage.Channel, "retrain", new Duration(TimeSpan.FromHours(2)), 3);

    private static MonitorPlan Plan => AlertStage.Plan() with { Retrain = [Rule] };

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Rules_that_start_the_same_start_it_once_whatever_they_are_called()
    {
        using var folder = new TestFolder();
        await using var stage = await AlertStage.OpenAsync(plan: Plan with { Retrain = [Rule, Rule with { Name = "again" }] }, triggers: [Script(folder, "train.sh", "exit 0")]);
        await stage.DriftUntilAsync(async () => (await stage.RulesAsync()).Any(rule => rule.Runs.Any(run => run.EndedAt is not null)));
        await stage.DriftAsync();
        var rules = await stage.RulesAsync();
        Assert.Single(rules.SelectMany(rule => rule.Runs));
        Assert.All(rules, rule => Assert.Equal(RetrainState.CoolingDown, rule.State));
    }

    /// <summary>Drift, a command, a new model in the registry's store: what trains is told why, and has of the server's surroundings nothing.</summary>
    [Fact]
    public async Task Drift_starts_the_command_once_and_what_it_makes_arrives_on_the_server()
    {
        using var folder = new TestFolder();
        var model = Encoding.UTF8.GetBytes("a model that knows kilometres");
        var digest = Convert.ToHexStringLower(SHA256.HashData(model));
        folder.Write("model", "a model that knows kilometres");
        var trigger = Script(folder, "train.sh", $$"""
            cp "$SLIPWAY_EVENT" {{folder.Root}}/event.json
            env > {{folder.Root}}/environment
            at=${SLIPWAY_SERVER#http://}; at=${at%/}
            exec 3<>/dev/tcp/${at%:*}/${at#*:}
            printf 'PUT /api/v1/blobs/sha256:{{digest}} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\nContent-Length: {{model.Length}}\r\nConnection: close\r\n\r\n' "$(cat {{folder.Root}}/token)" >&3
            cat {{folder.Root}}/model >&3
            head -1 <&3
            """);
        await using var stage = await AlertStage.OpenAsync(plan: Plan, triggers: [trigger]);
        await File.WriteAllTextAsync(folder["token"], (await stage.Server.NewTokenAsync("the trainer", [], new RoleGrant(Role.Author, AlertStage.Model))).Token, Cancellation);
        await stage.AddWebhookAsync();
        await stage.DriftUntilAsync(async () => (await stage.RetrainingAsync()).Runs.Length > 0);
        await EndedAsync(stage);
        await stage.DriftAsync();
        var rule = await stage.RetrainingAsync();
        Assert.Equal(RetrainState.CoolingDown, rule.State);
        var run = Assert.Single(rule.Runs);
        Assert.Equal((RetrainOutcome.Succeeded, "retrain", null), (run.Outcome, run.Trigger, run.Detail));
        Assert.StartsWith("HTTP/1.1 201", run.Tail);
        Assert.Contains("is wholly > 0.2", run.Reason);
        Assert.Equal(["retraining.started", "retraining.ended"], await stage.LedgerAsync("retraining"));
        Assert.Equal(["retraining.started"], await stage.EventsAsync(1));

        using var stored = await stage.Server.As(await File.ReadAllTextAsync(folder["token"], Cancellation)).SendAsync(new HttpRequestMessage(HttpMethod.Head, $"/api/v1/blobs/sha256:{digest}"), Cancellation);
        Assert.Equal(HttpStatusCode.OK, stored.StatusCode);
        var told = JsonSerializer.Deserialize(await File.ReadAllTextAsync(folder["event.json"], Cancellation), MonitoringJson.Default.CloudEvent)!;
        Assert.Equal(("dev.slipway.retraining.started", AlertStage.Model, run.Reason), (told.Type, told.Data.Model, told.Data.Reason));
        var names = (await File.ReadAllLinesAsync(folder["environment"], Cancellation)).Select(line => line.Split('=')[0]).Except(["PWD", "SHLVL", "_"]);
        Assert.Equal(["HOME", "PATH", "SLIPWAY_EVENT", "SLIPWAY_SERVER"], names.Order(StringComparer.Ordinal));
        Assert.Empty(Directory.EnumerateFileSystemEntries(Path.Combine(stage.Server.Store.Folder, "triggers")));
    }

    [Fact]
    public async Task A_command_that_fails_is_told_with_what_it_wrote()
    {
        using var folder = new TestFolder();
        await using var stage = await AlertStage.OpenAsync(plan: Plan, triggers: [Script(folder, "train.sh", "printf 'no rows for June\\033[31m\\n'; exit 3")]);
        await stage.DriftUntilAsync(async () => (await stage.RetrainingAsync()).Runs.Length > 0);
        await EndedAsync(stage);
        var run = Assert.Single((await stage.RetrainingAsync()).Runs);
        Assert.Equal((RetrainOutcome.Failed, "the command exited with 3", "no rows for June[31m"), (run.Outcome, run.Detail, run.Tail));
        Assert.Contains(stage.Log, line => line.Contains("retrain failed: the command exited with 3"));
        Assert.Contains(stage.Log, line => line.EndsWith("retrain: no rows for June[31m"));
    }

    [Fact]
    public async Task A_trigger_that_nobody_set_up_is_told_and_not_silently_left_out()
    {
        await using var stage = await AlertStage.OpenAsync(plan: Plan);
        await stage.DriftUntilAsync(async () => (await stage.RetrainingAsync()).State == RetrainState.NoTrigger);
        await stage.DriftAsync();
        Assert.Contains("its operator sets it up with --trigger retrain=FILE", (await stage.RetrainingAsync()).Reason);
        Assert.Equal(["retraining.refused"], await stage.LedgerAsync("retraining"));
        Assert.Single(stage.Log, line => line.Contains("is not started"));
    }

    [Fact]
    public async Task A_webhook_can_be_started_in_a_commands_place()
    {
        await using var stage = await AlertStage.OpenAsync(plan: Plan, triggers: [new Trigger("retrain", null, "ops")]);
        Assert.Contains("warning: trigger retrain starts nothing yet: there is no webhook 'ops'; `slipway webhooks add ops URL --reason TEXT` adds it", stage.Log);
        await stage.DriftUntilAsync(async () => (await stage.RetrainingAsync()).State == RetrainState.NoTrigger);
        await stage.AddWebhookAsync();
        await stage.DriftUntilAsync(async () => (await stage.RetrainingAsync()).Runs.Length > 0);
        Assert.Equal(RetrainOutcome.Sent, (await stage.RetrainingAsync()).Runs[0].Outcome);
        Assert.Equal(["retraining.started"], await stage.EventsAsync(1));
    }

    [Fact]
    public async Task What_runs_when_the_server_stops_is_ended_and_recorded_as_interrupted()
    {
        using var folder = new TestFolder();
        await using var stage = await AlertStage.OpenAsync(plan: Plan, triggers: [Script(folder, "train.sh", $"sleep 1000 & echo $! > {folder.Root}/child.new; mv {folder.Root}/child.new {folder.Root}/child; wait")]);
        await stage.DriftUntilAsync(async () => (await stage.RetrainingAsync()).State == RetrainState.Running);
        await Eventually.True(() => File.Exists(folder["child"]), Patience);
        await stage.Server.RestartAsync();
        Assert.False(IsAlive((await File.ReadAllTextAsync(folder["child"], Cancellation)).Trim()));
        await EndedAsync(stage);
        Assert.Equal(RetrainOutcome.Interrupted, Assert.Single((await stage.RetrainingAsync()).Runs).Outcome);
        Assert.Equal(["retraining.started", "retraining.ended"], await stage.LedgerAsync("retraining"));
    }

    /// <summary>One that ended may stay listed until somebody asks for how.</summary>
    private static bool IsAlive(string process) => File.Exists($"/proc/{process}/status") && !File.ReadLines($"/proc/{process}/status").Any(line => line.StartsWith("State:\tZ", StringComparison.Ordinal));

    private static Task EndedAsync(AlertStage stage) => Eventually.TrueAsync(async () => (await stage.RetrainingAsync()).Runs.All(run => run.EndedAt is not null), Patience);

    private static Trigger Script(TestFolder folder, string name, string text)
    {
        folder.Write(name, "#!/bin/bash\n" + text + "\n");
        File.SetUnixFileMode(folder[name], UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return new Trigger("retrain", folder[name], null);
    }
}
