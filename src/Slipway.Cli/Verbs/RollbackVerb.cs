using System.CommandLine;
using Slipway.Documents.Rollouts;
using Slipway.Primitives.Faults;

namespace Slipway.Cli.Verbs;

/// <summary><c>slipway rollback MODEL</c>.</summary>
internal static class RollbackVerb
{
    public static Command Build(GlobalOptions global)
    {
        var model = new Argument<string>("model") { Description = "The model's name" };
        var (channel, reason, server) = (ReleaseVerb.ChannelOption("--channel"), ServerClient.ReasonOption(), ServerClient.ServerOption());
        var to = new Option<int?>("--to") { Description = "A version that was live there before; default: the one before the live one, or the live one while a rollout runs", HelpName = "NUMBER" };
        var wait = new Option<bool>("--wait") { Description = "Wait until every live gateway has gone back" };
        var verb = new Command("rollback", "Takes a channel back, at any moment and in any phase. A version that is still warm is back at once.\nExample: slipway rollback flight-delay --reason 'complaints from the desk'") { model, channel, to, reason, wait, server };
        verb.SetAction((parsed, cancellation) => RollBackAsync(
            global.Shell(parsed), ReleaseVerb.ModelName(parsed.GetRequiredValue(model)), parsed.GetRequiredValue(channel), parsed.GetValue(to), parsed.GetRequiredValue(reason),
            parsed.GetValue(wait), parsed.GetValue(server), cancellation));
        return verb;
    }

    private static async Task<int> RollBackAsync(
        Shell shell, string model, string channel, int? to, string reason, bool wait, string? where, CancellationToken cancellation)
    {
        using var server = ServerClient.Open(where);
        var seen = await ReleaseVerb.ChannelAsync(server, model, channel, cancellation);
        var from = seen.Rollout is { } running
            ? (await server.GetAsync($"/api/v1/models/{model}/channels/{channel}/rollouts/{running}", RolloutJson.Default.RolloutView, cancellation)).State.Candidate.Number
            : seen.Live?.Number;
        var state = await server.PostAsync(
            $"/api/v1/models/{model}/channels/{channel}/rollback", new RollbackRequest(reason, to, from), RolloutJson.Default.RollbackRequest, RolloutJson.Default.RolloutState, cancellation);
        var exit = await ReleaseVerb.AnswerAsync(shell, server, state, wait, cancellation);
        // That the rollout which ran ends rolled back is what was wanted.
        return state.Kind == RolloutKind.Return ? exit : (int)ExitCode.Done;
    }
}
