using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Slipway.Documents.Registry;
using Slipway.Documents.Rollouts;
using Slipway.Documents.Specs;
using Slipway.Primitives.Faults;

namespace Slipway.Cli.Verbs;

/// <summary><c>slipway promote VERSION --to CHANNEL</c>, and <c>approve</c> and <c>reject</c> of what it asks for.</summary>
internal static class PromoteVerb
{
    public static Command Build(GlobalOptions global)
    {
        var version = new Argument<string>("version") { Description = "MODEL@NUMBER, or the NUMBER in the model's project" };
        var to = new Option<string>("--to", "--channel") { Description = "staging or production", HelpName = "CHANNEL", Required = true };
        to.AcceptOnlyFromAmong([.. ReleasePlan.ChannelNames]);
        var (reason, server) = (ServerClient.ReasonOption(), ServerClient.ServerOption());
        var verb = new Command("promote", "Asks that a version may go to a channel; its gates must have passed.\nExample: slipway promote flight-delay@3 --to production --reason 'better by 0.01 AUC'") { version, to, reason, server };
        verb.SetAction((parsed, cancellation) =>
        {
            var shell = global.Shell(parsed);
            var name = VersionName.Parse(shell, parsed.GetRequiredValue(version));
            var request = new PromotionRequest(name.Number, parsed.GetRequiredValue(to), parsed.GetRequiredValue(reason));
            return AskAsync(shell, parsed.GetValue(server), $"/api/v1/models/{name.Model}/promotions", request, RegistryJson.Default.PromotionRequest, cancellation);
        });
        return verb;
    }

    public static Command BuildApprove(GlobalOptions global) =>
        BuildVote(global, true, "approve", "Approves a promotion. Nobody approves what they pushed or signed.\nExample: slipway approve flight-delay.7 --reason 'reviewed the slices'");

    public static Command BuildReject(GlobalOptions global) =>
        BuildVote(global, false, "reject", "Rejects a promotion: it goes nowhere until you approve it after all, or somebody asks anew.\nExample: slipway reject flight-delay.7 --reason 'wait for the June data'");

    private static Command BuildVote(GlobalOptions global, bool approves, string name, string description)
    {
        var promotion = new Argument<string>("promotion") { Description = "As slipway promote names it, such as flight-delay.7" };
        var (reason, server) = (ServerClient.ReasonOption(), ServerClient.ServerOption());
        var verb = new Command(name, description) { promotion, reason, server };
        verb.SetAction((parsed, cancellation) =>
        {
            var (model, number) = Parse(parsed.GetRequiredValue(promotion));
            return AskAsync(
                global.Shell(parsed), parsed.GetValue(server), $"/api/v1/models/{model}/promotions/{number}/votes", new Vote(approves, parsed.GetRequiredValue(reason)), RegistryJson.Default.Vote, cancellation);
        });
        return verb;
    }

    private static async Task<int> AskAsync<T>(Shell shell, string? where, string path, T body, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type, CancellationToken cancellation)
    {
        using var server = ServerClient.Open(where);
        var promotion = await server.PostAsync(path, body, type, RegistryJson.Default.Promotion, cancellation);
        if (shell.Json)
            shell.WriteJson(JsonSerializer.SerializeToNode(promotion, RegistryJson.Default.Promotion)!);
        else
            Tell(shell, promotion);
        return (int)ExitCode.Done;
    }

    private static void Tell(Shell shell, Promotion promotion)
    {
        shell.Out.WriteLine($"{promotion.Id}  {promotion.Model}@{promotion.Version} to {promotion.Channel}: {promotion.State.Word()}");
        foreach (var approval in promotion.Approvals)
            shell.Out.WriteLine($"  {(approval.Approves ? "approved" : "rejected")} by {approval.ByName}: {approval.Reason}");
        foreach (var missing in promotion.Missing)
            shell.Out.WriteLine($"  {(promotion.State == PromotionState.Waiting ? "missing" : "stopped")}: {missing}");
        shell.Out.WriteLine("next  " + promotion.State switch
        {
            PromotionState.Approved => $"slipway release {promotion.Model}@{promotion.Version} --to {promotion.Channel} --reason TEXT",
            PromotionState.Rejected => $"who rejected it may approve it after all; or ask anew: slipway promote {promotion.Model}@{promotion.Version} --to {promotion.Channel} --reason TEXT",
            _ => $"slipway approve {promotion.Id} --reason TEXT, by somebody who may",
        });
    }

    private static (string Model, int Number) Parse(string text)
    {
        var dot = text.LastIndexOf('.');
        return dot > 0 && Spec.IsName(text[..dot]) && int.TryParse(text.AsSpan(dot + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? (text[..dot], number)
            : throw new SlipwayException(ExitCode.UnusableInput, new Fault("bad-promotion", $"'{text}' names no promotion, which is MODEL.NUMBER", Help: "`slipway models MODEL` lists those that there are"));
    }
}
