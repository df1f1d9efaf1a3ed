using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Slipway.Documents.Access;
using Slipway.Documents.Monitoring;
using Slipway.Primitives.Faults;

namespace Slipway.Cli.Verbs;

/// <summary><c>slipway webhooks add|list|remove|dead|retry</c>.</summary>
internal static class WebhooksVerb
{
    public static Command Build(GlobalOptions global) => new("webhooks", "Where events are sent: alerts, incidents, rollouts, retraining. For administrators of all models.\nExample: slipway webhooks list") { Add(global), List(global), Remove(global), Dead(global), Retry(global) };

    private static Command Add(GlobalOptions global)
    {
        var name = Name();
        var url = new Argument<string>("url") { Description = "https, or http on the server's own machine" };
        var model = new Option<string>("--model") { Description = "Only this model's events; default: all", HelpName = "MODEL", DefaultValueFactory = _ => RoleGrant.AllModels };
        var (reason, server) = (ServerClient.ReasonOption(), ServerClient.ServerOption());
        var verb = new Command("add", "Sends events to an address, and shows once what their signatures are made with.\nExample: slipway webhooks add ops https://hooks.example.org/slipway --reason 'the desk wants to know'") { name, url, model, reason, server };
        verb.SetAction(async (parsed, cancellation) =>
        {
            var shell = global.Shell(parsed);
            if (!Uri.TryCreate(parsed.GetRequiredValue(url), UriKind.Absolute, out var address))
                throw new SlipwayException(ExitCode.UnusableInput, new Fault("bad-webhook-url", $"'{parsed.GetRequiredValue(url)}' is no address", Help: "write one such as https://hooks.example.org/slipway"));
            using var client = ServerClient.Open(parsed.GetValue(server));
            var request = new WebhookRequest(parsed.GetRequiredValue(name), address, parsed.GetRequiredValue(model), parsed.GetRequiredValue(reason));
            var added = await client.PostAsync("/api/v1/webhooks", request, MonitoringJson.Default.WebhookRequest, MonitoringJson.Default.WebhookAdded, cancellation);
            if (shell.Json)
                shell.WriteJson(JsonSerializer.SerializeToNode(added, MonitoringJson.Default.WebhookAdded)!);
            else
                shell.Out.WriteLine($"{added.Webhook.Name} gets events from now on\nsecret {added.Secret}  (it is shown this once; the receiver checks signatures with it)");
            return (int)ExitCode.Done;
        });
        return verb;
    }

    private static Command List(GlobalOptions global)
    {
        var server = ServerClient.ServerOption();
        var verb = new Command("list", "Lists where events are sent, and how that goes.\nExample: slipway webhooks list") { server };
        verb.SetAction(async (parsed, cancellation) =>
        {
            var shell = global.Shell(parsed);
            using var client = ServerClient.Open(parsed.GetValue(server));
            var webhooks = await client.GetAsync("/api/v1/webhooks", MonitoringJson.Default.ImmutableArrayWebhook, cancellation);
            if (shell.Json)
                shell.WriteJson(JsonSerializer.SerializeToNode(webhooks, MonitoringJson.Default.ImmutableArrayWebhook)!);
            foreach (var webhook in shell.Json ? [] : webhooks)
                Tell(shell, webhook);
            if (!shell.Json && webhooks.IsEmpty)
                shell.Out.WriteLine("there are none");
            return (int)ExitCode.Done;
        });
        return verb;
    }

    private static Command Remove(GlobalOptions global)
    {
        var (name, reason, server) = (Name(), ServerClient.ReasonOption(), ServerClient.ServerOption());
        var verb = new Command("remove", "Sends nothing to it any more; what waits for it is gone.\nExample: slipway webhooks remove ops --reason 'the desk has moved'") { name, reason, server };
        verb.SetAction(async (parsed, cancellation) => await ChangeAsync(
            global.Shell(parsed), parsed.GetValue(server), parsed.GetRequiredValue(name), "remove", new WebhookRemoval(parsed.GetRequiredValue(reason)), MonitoringJson.Default.WebhookRemoval, "is removed", cancellation));
        return verb;
    }

    private static Command Dead(GlobalOptions global)
    {
        var (name, server) = (Name(), ServerClient.ServerOption());
        var verb = new Command("dead", "Lists the events that were given up, newest first.\nExample: slipway webhooks dead ops") { name, server };
        verb.SetAction(async (parsed, cancellation) =>
        {
            var shell = global.Shell(parsed);
            using var client = ServerClient.Open(parsed.GetValue(server));
            var dead = await client.GetAsync($"{PathOf(parsed.GetRequiredValue(name))}/deliveries?state=dead", MonitoringJson.Default.ImmutableArrayWebhookDelivery, cancellation);
            if (shell.Json)
                shell.WriteJson(JsonSerializer.SerializeToNode(dead, MonitoringJson.Default.ImmutableArrayWebhookDelivery)!);
            foreach (var delivery in shell.Json ? [] : dead)
            {
                shell.Out.WriteLine($"{delivery.Id}  {RolloutText.Time(delivery.At)}  {delivery.Tries} tries  {delivery.Event.GetProperty("type").GetString()}: {delivery.Event.GetProperty("data").GetProperty("title").GetString()}");
                shell.Out.WriteLine($"  {delivery.Error}");
            }

            if (!shell.Json && dead.IsEmpty)
                shell.Out.WriteLine("there are none");
            return (int)ExitCode.Done;
        });
        return verb;
    }

    private static Command Retry(GlobalOptions global)
    {
        var (name, reason, server) = (Name(), ServerClient.ReasonOption(), ServerClient.ServerOption());
        var id = new Option<string?>("--event") { Description = "Only this event; default: all that were given up", HelpName = "ID" };
        var verb = new Command("retry", "Tries events again that were given up.\nExample: slipway webhooks retry ops --reason 'the receiver is back'") { name, id, reason, server };
        verb.SetAction(async (parsed, cancellation) => await ChangeAsync(
            global.Shell(parsed), parsed.GetValue(server), parsed.GetRequiredValue(name), "retry", new WebhookRetry(parsed.GetRequiredValue(reason), parsed.GetValue(id)), MonitoringJson.Default.WebhookRetry, null, cancellation));
        return verb;
    }

    private static async Task<int> ChangeAsync<T>(Shell shell, string? where, string name, string order, T request, JsonTypeInfo<T> type, string? done, CancellationToken cancellation)
    {
        using var client = ServerClient.Open(where);
        var webhook = await client.PostAsync($"{PathOf(name)}/{order}", request, type, MonitoringJson.Default.Webhook, cancellation);
        if (shell.Json)
            shell.WriteJson(JsonSerializer.SerializeToNode(webhook, MonitoringJson.Default.Webhook)!);
        else if (done is not null)
            shell.Out.WriteLine($"{webhook.Name} {done}");
        else
            Tell(shell, webhook);
        return (int)ExitCode.Done;
    }

    private static void Tell(Shell shell, Webhook webhook)
    {
        var next = webhook.NextAt is { } at ? $", next try {(at > TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds() ? RolloutText.Time(at) : "now")}" : "";
        var dropped = webhook.Dropped > 0 ? $", {webhook.Dropped} dropped for lack of room" : "";
        shell.Out.WriteLine($"{webhook.Name,-16}  {webhook.Url}  {(webhook.Model == RoleGrant.AllModels ? "all models" : webhook.Model)}  {webhook.Waiting} waiting{next}, {webhook.Dead} dead{dropped}");
        if (webhook.LastError is { } error)
            shell.Out.WriteLine($"  last try: {error}");
    }

    private static Argument<string> Name() => new("name") { Description = "The webhook's name" };

    private static string PathOf(string name) => $"/api/v1/webhooks/{Uri.EscapeDataString(name)}";
}
