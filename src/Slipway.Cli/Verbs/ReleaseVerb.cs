using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Slipway.Documents.Registry;
using Slipway.Documents.Rollouts;
using Slipway.Documents.Specs;
using Slipway.Primitives.Faults;

namespace Slipway.Cli.Verbs;

/// <summary><c>slipway release MODEL[@VERSION]</c>, and <c>pause</c>, <c>resume</c> and <c>abort</c> of the release that runs.</summary>
internal static class ReleaseVerb
{
    public static Command Build(GlobalOptions global)
    {
        var version = new Argument<string?>("version") { Description = "MODEL@NUMBER; MODEL for its newest version that is approved; in the model's project a NUMBER or nothing", Arity = ArgumentArity.ZeroOrOne };
        var (to, reason, server) = (ChannelOption("--to"), ServerClient.ReasonOption(), ServerClient.ServerOption());
        var wait = new Option<bool>("--wait") { Description = "Follow it to its end: exit 0 when it is promoted, 1 when it was taken back" };
        var strategy = new Option<string?>("--strategy") { Description = "Other than the plan's: shadow beforehand; or any that the policy allows, after the plan's own shadow", HelpName = "NAME" };
        strategy.AcceptOnlyFromAmong([.. Enum.GetValues<Strategy>().Select(known => known.Word())]);
        var verb = new Command("release", "Releases a version that is approved: gateways load it, it gets its traffic by the plan, and evidence decides.\nExample: slipway release flight-delay@3 --to production --reason 'better by 0.01 AUC' --wait")
        {
            version, to, reason, wait, strategy, server,
            ReleasePlanVerb.BuildPlan(global),
            BuildOrder(global, "pause", "Keeps a rollout at its weight until it is resumed; harm still takes it back.\nExample: slipway release pause flight-delay --reason 'a holiday: the traffic is odd'"),
            BuildOrder(global, "resume", "Lets a paused rollout go on; its step begins anew.\nExample: slipway release resume flight-delay --reason 'the traffic is back'"),
            BuildOrder(global, "abort", "Ends a rollout: the version before gets everything.\nExample: slipway release abort flight-delay --reason 'the wrong version'"),
        };
        verb.SetAction((parsed, cancellation) => ReleaseAsync(
            global.Shell(parsed), parsed.GetValue(version), parsed.GetRequiredValue(to), parsed.GetRequiredValue(reason), StrategyOf(parsed.GetValue(strategy)),
            parsed.GetValue(wait), parsed.GetValue(server), cancellation));
        return verb;
    }

    public static Option<string> ChannelOption(string name)
    {
        var channel = new Option<string>(name, name == "--to" ? ["--channel"] : []) { Description = "staging or production", HelpName = "CHANNEL", DefaultValueFactory = _ => ReleasePlan.Production };
        channel.AcceptOnlyFromAmong([.. ReleasePlan.ChannelNames]);
        return channel;
    }

    /// <summary>Tells where a rollout stands, having followed it to its end if that is asked; the exit code is its verdict.</summary>
    public static async Task<int> AnswerAsync(Shell shell, ServerClient server, RolloutState state, bool wait, CancellationToken cancellation)
    {
        if (!shell.Json)
            shell.Out.WriteLine(RolloutText.Title(state));
        if (wait)
            state = (await new RolloutFollower(shell, server).FollowAsync(state, cancellation)).State;
        if (shell.Json)
        {
            shell.WriteJson(JsonSerializer.SerializeToNode(state, RolloutJson.Default.RolloutState)!);
        }
        else
        {
            shell.Out.WriteLine(RolloutText.Standing(state));
            foreach (var note in wait ? [] : state.Notes)
                shell.Out.WriteLine("note: " + note);
            if (!state.IsOver)
                shell.Out.WriteLine($"next  slipway history {state.Model}");
        }

        return (int)(state.IsOver && !RolloutText.IsGood(state) && wait ? ExitCode.BadVerdict : ExitCode.Done);
    }

    private static Command BuildOrder(GlobalOptions global, string order, string description)
    {
        var model = new Argument<string>("model") { Description = "The model's name" };
        var (to, reason, server) = (ChannelOption("--to"), ServerClient.ReasonOption(), ServerClient.ServerOption());
        var verb = new Command(order, description) { model, to, reason, server };
        verb.SetAction(async (parsed, cancellation) =>
        {
            var shell = global.Shell(parsed);
            using var client = ServerClient.Open(parsed.GetValue(server));
            var (name, channel) = (ModelName(parsed.GetRequiredValue(model)), parsed.GetRequiredValue(to));
            var running = (await ChannelAsync(client, name, channel, cancellation)).Rollout
                ?? throw new SlipwayException(ExitCode.BadVerdict, new Fault("no-rollout", $"no rollout of {name} runs on {channel}", Help: $"slipway history {name}"));
            var state = await client.PostAsync(
                $"/api/v1/models/{name}/channels/{channel}/rollouts/{running}/{order}", new RolloutCommand(parsed.GetRequiredValue(reason)), RolloutJson.Default.RolloutCommand, RolloutJson.Default.RolloutState, cancellation);
            return await AnswerAsync(shell, client, state, wait: false, cancellation);
        });
        return verb;
    }

    private static async Task<int> ReleaseAsync(
        Shell shell, string? version, string channel, string reason, Strategy? strategy, bool wait, string? where, CancellationToken cancellation)
    {
        using var server = ServerClient.Open(where);
        var named = version ?? shell.LoadSpec().Name;
        var name = Spec.IsName(named) ? await NewestAsync(server, named, channel, cancellation) : VersionName.Parse(shell, named);
        var state = await server.PostAsync(
            $"/api/v1/models/{name.Model}/channels/{channel}/releases", new ReleaseRequest(name.Number, reason, strategy), RolloutJson.Default.ReleaseRequest, RolloutJson.Default.RolloutState, cancellation);
        return await AnswerAsync(shell, server, state, wait, cancellation);
    }

    private static async Task<VersionName> NewestAsync(ServerClient server, string model, string channel, CancellationToken cancellation)
    {
        var promotions = await server.GetAsync($"/api/v1/models/{model}/promotions", RegistryJson.Default.ImmutableArrayPromotion, cancellation);
        return promotions.Where(promotion => promotion.Channel == channel && promotion.State == PromotionState.Approved).MaxBy(promotion => promotion.Version) is { } newest
            ? new VersionName(model, newest.Version)
            : throw new SlipwayException(ExitCode.BadVerdict, new Fault("not-approved", $"no version of {model} is approved for {channel}", Help: $"slipway promote {model}@NUMBER --to {channel} --reason TEXT"));
    }

    public static async Task<ChannelState> ChannelAsync(ServerClient server, string model, string channel, CancellationToken cancellation) =>
        (await server.GetAsync($"/api/v1/models/{model}/channels", RegistryJson.Default.ImmutableArrayChannelState, cancellation)).Single(state => state.Channel == channel);

    public static string ModelName(string text) =>
        Spec.IsName(text) ? text : throw new SlipwayException(ExitCode.UnusableInput, new Fault("bad-model", $"'{text}' is no model's name", Help: "`slipway models` lists them"));

    private static Strategy? StrategyOf(string? name) => name is null ? null : Enum.GetValues<Strategy>().Single(known => known.Word() == name);
}
