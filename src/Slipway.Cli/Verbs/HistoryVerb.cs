using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Slipway.Documents.Rollouts;
using Slipway.Primitives.Faults;

namespace Slipway.Cli.Verbs;

/// <summary><c>slipway history MODEL</c>.</summary>
internal static class HistoryVerb
{
    public static Command Build(GlobalOptions global)
    {
        var model = new Argument<string?>("model") { Description = "The model; default: the project's", Arity = ArgumentArity.ZeroOrOne };
        var channel = new Option<string?>("--channel") { Description = "staging or production; default: both", HelpName = "CHANNEL" };
        channel.AcceptOnlyFromAmong([.. ReleasePlan.ChannelNames]);
        var limit = new Option<int>("--limit") { Description = "Entries at most, 1 to 500", HelpName = "N", DefaultValueFactory = _ => 50 };
        var server = ServerClient.ServerOption();
        var verb = new Command("history", "Shows what happened to a model's channels: who, when, why, from which version to which, on which evidence.\nExample: slipway history flight-delay --channel production") { model, channel, limit, server };
        verb.SetAction((parsed, cancellation) => ShowAsync(
            global.Shell(parsed), parsed.GetValue(model), parsed.GetValue(channel), parsed.GetValue(limit), parsed.GetValue(server), cancellation));
        return verb;
    }

    private static async Task<int> ShowAsync(Shell shell, string? named, string? channel, int limit, string? where, CancellationToken cancellation)
    {
        var model = ReleaseVerb.ModelName(named ?? shell.LoadSpec().Name);
        using var server = ServerClient.Open(where);
        var query = string.Create(CultureInfo.InvariantCulture, $"/api/v1/models/{model}/history?limit={limit}{(channel is null ? "" : $"&channel={channel}")}");
        var history = await server.GetAsync(query, RolloutJson.Default.ImmutableArrayHistoryEntry, cancellation);
        if (shell.Json)
            shell.WriteJson(JsonSerializer.SerializeToNode(history, RolloutJson.Default.ImmutableArrayHistoryEntry)!);
        foreach (var entry in shell.Json ? [] : history)
        {
            shell.Out.WriteLine($"{RolloutText.Time(entry.At)}  {entry.Channel,-10}  {entry.Action["rollout.".Length..],-14}  {Versions(entry)}  by {entry.ByName}");
            shell.Out.WriteLine($"  {entry.Reason}");
            if (entry.Report is { } report)
                shell.Out.WriteLine($"  evidence {entry.Evidence!.Value.Short}  {RolloutText.Evidence(report)}");
            foreach (var note in entry.Notes)
                shell.Out.WriteLine("  note: " + note);
        }

        if (!shell.Json && history.IsEmpty)
            shell.Out.WriteLine($"nothing happened to {model}{(channel is null ? "" : $" on {channel}")} yet");
        return (int)ExitCode.Done;
    }

    private static string Versions(HistoryEntry entry) =>
        $"version {entry.From?.Number.ToString(CultureInfo.InvariantCulture) ?? "none"} → {entry.To.Number}, live: {entry.Live?.Number.ToString(CultureInfo.InvariantCulture) ?? "none"}";
}
