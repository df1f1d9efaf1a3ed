using System.Collections.Immutable;
using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;
using Slipway.Documents.Monitoring;
using Slipway.Documents.Rollouts;
using Slipway.Primitives.Faults;

namespace Slipway.Cli.Verbs;

/// <summary><c>slipway alerts [MODEL]</c>.</summary>
internal static class AlertsVerb
{
    public static Command Build(GlobalOptions global)
    {
        var model = new Argument<string?>("model") { Description = "Only this model's, with its retraining rules", Arity = ArgumentArity.ZeroOrOne };
        var server = ServerClient.ServerOption();
        var verb = new Command("alerts", "Shows how the rules of plans stand: which alerts fire, since when and why, and what was started to retrain.\nExample: slipway alerts flight-delay") { model, server };
        verb.SetAction((parsed, cancellation) => ShowAsync(global.Shell(parsed), parsed.GetValue(model), parsed.GetValue(server), cancellation));
        return verb;
    }

    private static async Task<int> ShowAsync(Shell shell, string? model, string? where, CancellationToken cancellation)
    {
        using var server = ServerClient.Open(where);
        var name = model is null ? null : ReleaseVerb.ModelName(model);
        var alerts = await server.GetAsync(name is null ? "/api/v1/alerts" : $"/api/v1/models/{name}/alerts", MonitoringJson.Default.ImmutableArrayAlert, cancellation);
        var rules = name is null ? [] : await server.GetAsync($"/api/v1/models/{name}/retraining", MonitoringJson.Default.ImmutableArrayRetraining, cancellation);
        if (shell.Json)
        {
            shell.WriteJson(new JsonObject
            {
                ["alerts"] = JsonSerializer.SerializeToNode(alerts, MonitoringJson.Default.ImmutableArrayAlert),
                ["retraining"] = name is null ? null : JsonSerializer.SerializeToNode(rules, MonitoringJson.Default.ImmutableArrayRetraining),
            });
            return (int)ExitCode.Done;
        }

        foreach (var alert in alerts.OrderByDescending(alert => alert.State))
        {
            shell.Out.WriteLine($"{alert.State.Word(),-21}  {alert.Model} {alert.Channel}  {alert.Rule.Name} ({alert.Rule.Severity.Word()}): {alert.Rule.When}");
            shell.Out.WriteLine($"  since {RolloutText.Time(alert.Since)}: {alert.Reason}");
            if (alert.State == AlertState.Firing)
                shell.Out.WriteLine($"  incident {alert.Incident}{(alert.Rule.Remedy is { } remedy ? $"; what to do: {remedy}" : "")}");
        }

        Tell(shell, rules);
        if (alerts.IsEmpty && rules.IsEmpty)
            shell.Out.WriteLine("no plan has rules: the spec's monitor.alerts names them");
        return (int)ExitCode.Done;
    }

    private static void Tell(Shell shell, ImmutableArray<Retraining> rules)
    {
        foreach (var rule in rules)
        {
            shell.Out.WriteLine($"{rule.State.Word(),-21}  {rule.Model} {rule.Channel}  retraining {rule.Rule.Name} by {rule.Rule.Start}: {rule.Rule.When}");
            shell.Out.WriteLine($"  since {RolloutText.Time(rule.Since)}: {rule.Reason}");
            foreach (var run in rule.Runs)
                shell.Out.WriteLine($"  {RolloutText.Time(run.StartedAt)}  {run.Trigger} {run.Outcome.Word()}{(run.Detail is { } detail ? $": {detail}" : "")}");
        }
    }
}
