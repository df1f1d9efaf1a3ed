using System.CommandLine;
using System.Net.Http.Headers;
using System.Text.Json;
using Slipway.Documents.Monitoring;
using Slipway.Documents.Rollouts;
using Slipway.Documents.Specs;
using Slipway.Primitives.Faults;

namespace Slipway.Cli.Verbs;

/// <summary><c>slipway labels FILE</c>: tells what predictions turned out to be. Exit 1 where a label contradicts an earlier one or was refused.</summary>
internal static class LabelsVerb
{
    /// <summary>For one call of labels, which are stored in several changes.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    public static Command Build(GlobalOptions global)
    {
        var file = new Argument<string>("file") { Description = "CSV (with a header), Parquet or JSON lines with a row for each outcome" };
        var model = new Option<string?>("--model") { Description = "The model; default: the project's", HelpName = "MODEL" };
        var channel = new Option<string>("--channel") { Description = "Where it predicted: staging or production", HelpName = "CHANNEL", DefaultValueFactory = _ => ReleasePlan.Production };
        var id = new Option<string>("--id") { Description = "Column of the requests' ids; ID/ROW names a row of a request of several", HelpName = "COLUMN", DefaultValueFactory = _ => "id" };
        var label = new Option<string>("--label") { Description = "Column of what came true: 0 and 1, or numbers of a regression", HelpName = "COLUMN", DefaultValueFactory = _ => "label" };
        var server = ServerClient.ServerOption();
        var verb = new Command("labels", "Tells what predictions turned out to be, so that accuracy is known. Telling it again changes nothing.\nExample: slipway labels outcomes.csv --model flight-delay --label late") { file, model, channel, id, label, server };
        verb.SetAction((parsed, cancellation) =>
        {
            var shell = global.Shell(parsed);
            var labels = new LabelFile(shell.PathOf(parsed.GetRequiredValue(file)), parsed.GetRequiredValue(id), parsed.GetRequiredValue(label));
            return TellAsync(shell, labels, parsed.GetValue(model), parsed.GetRequiredValue(channel), parsed.GetValue(server), cancellation);
        });
        return verb;
    }

    private static async Task<int> TellAsync(Shell shell, LabelFile labels, string? named, string channel, string? where, CancellationToken cancellation)
    {
        var model = named ?? shell.LoadSpec().Name;
        if (!Spec.IsName(model))
            throw new SlipwayException(ExitCode.UnusableInput, new Fault("bad-model", $"'{model}' is no model's name"));
        if (ChannelName.Check(channel) is { } fault)
            throw new SlipwayException(ExitCode.UnusableInput, fault);
        using var server = ServerClient.Open(where);
        var path = $"/api/v1/models/{model}/labels?channel={channel}";
        var receipt = await labels.SendAsync(
            lines => server.SendAsync(new HttpRequestMessage(HttpMethod.Post, path) { Content = Lines(lines) }, MonitoringJson.Default.LabelReceipt, Patience, cancellation), cancellation);
        if (shell.Json)
            shell.WriteJson(JsonSerializer.SerializeToNode(receipt, MonitoringJson.Default.LabelReceipt)!);
        else
            Show(shell, receipt);
        return (int)(receipt is { Contradictory: 0, Refused: 0 } ? ExitCode.Done : ExitCode.BadVerdict);
    }

    private static ReadOnlyMemoryContent Lines(ReadOnlyMemory<byte> lines) => new(lines) { Headers = { ContentType = new MediaTypeHeaderValue("application/x-ndjson") } };

    private static void Show(Shell shell, LabelReceipt receipt)
    {
        Show(receipt.Matched, "matched", "found their prediction");
        Show(receipt.Repeated, "repeated", "were told before, or twice in this file, with the same value");
        Show(receipt.Contradictory, "contradictory", "were told before, or twice in this file, with another value; the first stays");
        Show(receipt.Waiting, "waiting", "no prediction is known yet; they are dropped after an hour");
        Show(receipt.Unsampled, "unsampled", "the plan keeps no prediction of theirs");
        Show(receipt.Dropped, "dropped", "there was no room to wait");
        Show(receipt.Refused, "refused", "are no labels of this model");
        foreach (var problem in receipt.Problems)
            shell.Out.WriteLine($"               {problem}");
        if (receipt.Refused > receipt.Problems.Length)
            shell.Out.WriteLine($"               and {Amounts.Count(receipt.Refused - receipt.Problems.Length)} more");
        if (receipt.Refused > 0)
            shell.Out.WriteLine("               rows are counted from 1, without a header; mend them and tell the file again: what was told before changes nothing");

        void Show(long count, string what, string meaning)
        {
            if (count > 0 || what == "matched")
                shell.Out.WriteLine($"{what,-13}  {Amounts.Count(count),12}  {meaning}");
        }
    }
}
