using System.CommandLine;
using System.Text.Json;
using Slipway.Documents.Incidents;
using Slipway.Documents.Rollouts;
using Slipway.Primitives.Faults;

namespace Slipway.Cli.Verbs;

/// <summary><c>slipway incidents list|show|note|close</c>.</summary>
internal static class IncidentsVerb
{
    public static Command Build(GlobalOptions global) => new("incidents", "What went wrong in production: what was known, what people found, and why it was.\nExample: slipway incidents list --open") { List(global), Show(global), Note(global), Close(global) };

    private static Command List(GlobalOptions global)
    {
        var model = new Argument<string?>("model") { Description = "Only this model's", Arity = ArgumentArity.ZeroOrOne };
        var open = new Option<bool>("--open") { Description = "Only those that are not closed" };
        var server = ServerClient.ServerOption();
        var verb = new Command("list", "Lists incidents, newest first.\nExample: slipway incidents list flight-delay --open") { model, open, server };
        verb.SetAction(async (parsed, cancellation) =>
        {
            var shell = global.Shell(parsed);
            using var client = ServerClient.Open(parsed.GetValue(server));
            var query = (parsed.GetValue(model) is { } name ? $"model={ReleaseVerb.ModelName(name)}&" : "") + (parsed.GetValue(open) ? "open=true" : "");
            var incidents = await client.GetAsync("/api/v1/incidents?" + query, IncidentJson.Default.ImmutableArrayIncidentSummary, cancellation);
            if (shell.Json)
                shell.WriteJson(JsonSerializer.SerializeToNode(incidents, IncidentJson.Default.ImmutableArrayIncidentSummary)!);
            foreach (var incident in shell.Json ? [] : incidents)
            {
                shell.Out.WriteLine($"{incident.Id}  {RolloutText.Time(incident.OpenedAt)}  {(incident.ClosedAt is null ? "open" : "closed"),-6}  {incident.Severity.Word(),-8}  {incident.Title}");
                foreach (var line in incident.Cause is { } cause ? IncidentText.Lines("cause: ", cause) : [])
                    shell.Out.WriteLine(line);
            }

            if (!shell.Json && incidents.IsEmpty)
                shell.Out.WriteLine("there are none");
            return (int)ExitCode.Done;
        });
        return verb;
    }

    private static Command Show(GlobalOptions global)
    {
        var (id, server) = (Id(), ServerClient.ServerOption());
        var verb = new Command("show", "Shows an incident: what was known when it was opened, and what was found since.\nExample: slipway incidents show inc-000042") { id, server };
        verb.SetAction(async (parsed, cancellation) =>
        {
            using var client = ServerClient.Open(parsed.GetValue(server));
            return Tell(global.Shell(parsed), await client.GetAsync(PathOf(parsed.GetRequiredValue(id)), IncidentJson.Default.Incident, cancellation));
        });
        return verb;
    }

    private static Command Note(GlobalOptions global)
    {
        var (id, server) = (Id(), ServerClient.ServerOption());
        var text = new Argument<string>("text") { Description = "What you found" };
        var verb = new Command("note", "Adds to an incident's timeline.\nExample: slipway incidents note inc-000042 'the carrier sends kilometres since 14:00'") { id, text, server };
        verb.SetAction(async (parsed, cancellation) =>
        {
            using var client = ServerClient.Open(parsed.GetValue(server));
            var noted = await client.PostAsync(PathOf(parsed.GetRequiredValue(id)) + "/notes", new NoteRequest(parsed.GetRequiredValue(text)), IncidentJson.Default.NoteRequest, IncidentJson.Default.Incident, cancellation);
            return Tell(global.Shell(parsed), noted, $"noted in {noted.Id}, as note {noted.Timeline.Length}: {noted.Title}");
        });
        return verb;
    }

    private static Command Close(GlobalOptions global)
    {
        var (id, server, reason) = (Id(), ServerClient.ServerOption(), ServerClient.ReasonOption());
        var cause = new Option<string>("--cause") { Description = "Why it went wrong, for those who read it later", HelpName = "TEXT", Required = true };
        var verb = new Command("close", "Closes an incident with its cause.\nExample: slipway incidents close inc-000042 --cause 'the carrier changed units' --reason 'version 4 takes both'") { id, cause, reason, server };
        verb.SetAction(async (parsed, cancellation) =>
        {
            using var client = ServerClient.Open(parsed.GetValue(server));
            var request = new CloseRequest(parsed.GetRequiredValue(cause), parsed.GetRequiredValue(reason));
            var closed = await client.PostAsync(PathOf(parsed.GetRequiredValue(id)) + "/close", request, IncidentJson.Default.CloseRequest, IncidentJson.Default.Incident, cancellation);
            return Tell(global.Shell(parsed), closed, $"closed {closed.Id} {RolloutText.Time(closed.ClosedAt!.Value)}: {closed.Title}");
        });
        return verb;
    }

    /// <param name="done">What was just done to it, in a line; null shows it whole.</param>
    private static int Tell(Shell shell, Incident incident, string? done = null)
    {
        if (shell.Json)
            shell.WriteJson(JsonSerializer.SerializeToNode(incident, IncidentJson.Default.Incident)!);
        foreach (var line in shell.Json ? [] : done is null ? IncidentText.Of(incident) : [done])
            shell.Out.WriteLine(line);
        return (int)ExitCode.Done;
    }

    private static Argument<string> Id() => new("incident") { Description = "Its id, such as inc-000042" };

    private static string PathOf(string id) => $"/api/v1/incidents/{Uri.EscapeDataString(id)}";
}
