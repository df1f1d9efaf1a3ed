using System.Collections.Immutable;
using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Slipway.Documents.Policies;
using Slipway.Documents.Rollouts;
using Slipway.Documents.Runs;
using Slipway.Primitives.Faults;

namespace Slipway.Cli.Verbs;

/// <summary><c>slipway policy show|set|test</c>.</summary>
internal static class PolicyVerb
{
    public static Command Build(GlobalOptions global) => new("policy", "What the server holds every release to.\nExample: slipway policy test policy.yaml") { Show(global), Set(global), Test(global) };

    private static Command Show(GlobalOptions global)
    {
        var model = new Argument<string?>("model") { Description = "Only what this model is held to", Arity = ArgumentArity.ZeroOrOne };
        var server = ServerClient.ServerOption();
        var verb = new Command("show", "Prints the policy that is in force.\nExample: slipway policy show flight-delay") { model, server };
        verb.SetAction((parsed, cancellation) => ShowAsync(global.Shell(parsed), parsed.GetValue(model), parsed.GetValue(server), cancellation));
        return verb;
    }

    private static Command Set(GlobalOptions global)
    {
        var file = new Argument<string>("file") { Description = "The policy file; all of the policy is set anew" };
        var (reason, server) = (ServerClient.ReasonOption(), ServerClient.ServerOption());
        var verb = new Command("set", "Sets the policy, for an administrator of all models.\nExample: slipway policy set policy.yaml --reason 'two eyes more for production'") { file, reason, server };
        verb.SetAction((parsed, cancellation) => SetAsync(global.Shell(parsed), parsed.GetRequiredValue(file), parsed.GetRequiredValue(reason), parsed.GetValue(server), cancellation));
        return verb;
    }

    private static Command Test(GlobalOptions global)
    {
        var file = new Argument<string>("file") { Description = "The policy file" };
        var verb = new Command("test", "Tells, without a server, whether the spec's release plan fits a policy, and what would be wanted.\nExample: slipway policy test policy.yaml") { file };
        verb.SetAction(parsed => TestPlan(global.Shell(parsed), parsed.GetRequiredValue(file)));
        return verb;
    }

    private static async Task<int> ShowAsync(Shell shell, string? model, string? where, CancellationToken cancellation)
    {
        using var server = ServerClient.Open(where);
        var policy = await server.GetAsync("/api/v1/policy", PolicyJson.Default.PolicyVersion, cancellation);
        if (shell.Json)
        {
            shell.WriteJson(model is null ? JsonSerializer.SerializeToNode(policy, PolicyJson.Default.PolicyVersion)! : Floors(policy.Policy, model));
            return (int)ExitCode.Done;
        }

        shell.Out.WriteLine(policy.Number == 0 ? "no policy is set: the default holds" : $"policy {policy.Number}, set by {policy.SetByName}: {policy.Reason}");
        foreach (var name in model is null ? policy.Policy.Models.Keys.Prepend(Policy.AllModels).Distinct() : [model])
        {
            foreach (var channel in ReleasePlan.ChannelNames)
                Tell(shell, $"{name}, {channel}", policy.Policy.Floor(name, channel));
        }

        return (int)ExitCode.Done;
    }

    private static async Task<int> SetAsync(Shell shell, string file, string reason, string? where, CancellationToken cancellation)
    {
        var policy = PolicyParser.Load(shell.Folder, file);
        using var server = ServerClient.Open(where);
        var set = await server.PutAsync("/api/v1/policy", new PolicyRequest(policy, reason), PolicyJson.Default.PolicyRequest, PolicyJson.Default.PolicyVersion, cancellation);
        if (shell.Json)
            shell.WriteJson(JsonSerializer.SerializeToNode(set, PolicyJson.Default.PolicyVersion)!);
        else
            shell.Out.WriteLine($"policy {set.Number} holds from now on; what is approved already is judged by it again when it is released");
        return (int)ExitCode.Done;
    }

    private static int TestPlan(Shell shell, string file)
    {
        var policy = PolicyParser.Load(shell.Folder, file);
        var spec = shell.LoadSpec();
        var plan = spec.Release ?? ReleasePlan.Default;
        var results = ReleasePlan.ChannelNames.Select(channel => (Channel: channel, Floor: policy.Floor(spec.Name, channel), Result: policy.Floor(spec.Name, channel).Tighten(plan.Channels[channel]))).ToArray();
        var lacking = results.SelectMany(result => result.Floor.RequiredGates.Where(gate => spec.Gates.All(declared => declared.Name != gate)).Select(gate => (result.Channel, Gate: gate))).ToArray();
        var fits = lacking.Length == 0 && results.All(result => result.Result.Faults.IsEmpty);
        if (shell.Json)
        {
            shell.WriteJson(new JsonObject
            {
                ["verdict"] = fits ? "pass" : "fail",
                ["model"] = spec.Name,
                ["reasons"] = new JsonArray([.. results.SelectMany(result => result.Result.Faults.Select(fault => (JsonNode)$"{result.Channel}: {fault.Message}")), .. lacking.Select(lack => (JsonNode)Lacks(lack))]),
                ["approvals"] = new JsonObject(results.Select(result => KeyValuePair.Create(result.Channel, (JsonNode?)new JsonArray([.. result.Result.Approvals.Select(rule => (JsonNode)rule.ToString())])))),
                ["notes"] = new JsonArray([.. results.SelectMany(result => result.Result.Notes.Select(note => (JsonNode)$"{result.Channel}: {note}"))]),
            });
            return (int)(fits ? ExitCode.Done : ExitCode.BadVerdict);
        }

        foreach (var (channel, floor, result) in results)
        {
            shell.Out.WriteLine($"{spec.Name}, {channel}: {(result.Faults.IsEmpty ? "fits" : "does not fit")}");
            foreach (var fault in result.Faults)
                shell.Out.WriteLine($"  refused: {fault.Message}{(fault.Help is { } help ? $"\n    → {help}" : "")}");
            foreach (var note in result.Notes)
                shell.Out.WriteLine($"  stricter: {note}");
            shell.Out.WriteLine($"  approvals: {Approvals(result.Approvals)}");
            foreach (var gate in floor.RequiredGates)
                shell.Out.WriteLine($"  gate: {gate} must pass");
        }

        foreach (var lack in lacking)
            shell.Out.WriteLine("refused: " + Lacks(lack));
        return (int)(fits ? ExitCode.Done : ExitCode.BadVerdict);
    }

    private static string Lacks((string Channel, string Gate) lack) => $"{lack.Channel}: the policy wants the gate '{lack.Gate}', which the spec does not declare";

    private static JsonObject Floors(Policy policy, string model) =>
        new(ReleasePlan.ChannelNames.Select(channel => KeyValuePair.Create(channel, JsonSerializer.SerializeToNode(policy.Floor(model, channel), PolicyJson.Default.ChannelPolicy))));

    private static void Tell(Shell shell, string what, ChannelPolicy floor)
    {
        shell.Out.WriteLine(what);
        shell.Out.WriteLine($"  approvals: {Approvals(floor.Approvals ?? [])}");
        if (floor.Strategies is { } strategies)
            shell.Out.WriteLine($"  strategies: {string.Join(", ", strategies.Select(strategy => strategy.Word()))}");
        if (floor.WidestFirstStep is { } widest)
            shell.Out.WriteLine($"  widest first step: {Weight.Text(widest)}");
        if (floor.ShortestAtLeast is { } shortest)
            shell.Out.WriteLine($"  shortest at-least: {shortest}");
        if (floor.LongestAtMost is { } longest)
            shell.Out.WriteLine($"  longest at-most: {longest}");
        if (floor.LargestErrorRate is { } errorRate)
            shell.Out.WriteLine($"  largest error-rate: {errorRate}");
        if (floor.LargestFalseAlarm is { } falseAlarm)
            shell.Out.WriteLine($"  largest false-alarm: {falseAlarm}");
        if (floor.LargestToleratedRatio is { } ratio)
            shell.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  largest tolerated-ratio: {ratio}"));
        if (floor.LargestPromoteMargin is { } margin)
            shell.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  largest promote-margin: {margin}"));
        if (floor.LeastIsolation is { } isolation)
            shell.Out.WriteLine($"  least isolation: {isolation.Word()}");
        if (!floor.RequiredGates.IsEmpty)
            shell.Out.WriteLine($"  required gates: {string.Join(", ", floor.RequiredGates)}");
    }

    private static string Approvals(ImmutableArray<ApprovalRule> rules) => rules.IsEmpty ? "none" : string.Join(", ", rules);
}
