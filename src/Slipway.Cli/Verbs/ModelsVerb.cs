using System.Collections.Immutable;
using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Slipway.Documents.Evaluations;
using Slipway.Documents.Registry;
using Slipway.Documents.Specs;
using Slipway.Primitives.Faults;

namespace Slipway.Cli.Verbs;

/// <summary><c>slipway models [MODEL[@NUMBER]]</c>.</summary>
internal static class ModelsVerb
{
    public static Command Build(GlobalOptions global)
    {
        var name = new Argument<string?>("name") { Description = "MODEL for its versions and promotions, MODEL@NUMBER for the evidence of one; default: all models", Arity = ArgumentArity.ZeroOrOne };
        var server = ServerClient.ServerOption();
        var verb = new Command("models", "Lists what is registered: models, versions, where each is live, and what waits for approval.\nExample: slipway models flight-delay@3") { name, server };
        verb.SetAction((parsed, cancellation) => ShowAsync(global.Shell(parsed), parsed.GetValue(name), parsed.GetValue(server), cancellation));
        return verb;
    }

    private static Task<int> ShowAsync(Shell shell, string? name, string? where, CancellationToken cancellation)
    {
        if (name is null)
            return ShowAllAsync(shell, where, cancellation);
        if (name.Contains('@'))
            return ShowVersionAsync(shell, VersionName.Parse(shell, name), where, cancellation);
        return Spec.IsName(name)
            ? ShowModelAsync(shell, name, where, cancellation)
            : throw new SlipwayException(ExitCode.UnusableInput, new Fault("bad-model", $"'{name}' is no model's name"));
    }

    private static async Task<int> ShowAllAsync(Shell shell, string? where, CancellationToken cancellation)
    {
        using var server = ServerClient.Open(where);
        var models = await server.GetAsync("/api/v1/models", RegistryJson.Default.ImmutableArrayModelSummary, cancellation);
        if (shell.Json)
            shell.WriteJson(JsonSerializer.SerializeToNode(models, RegistryJson.Default.ImmutableArrayModelSummary)!);
        foreach (var model in shell.Json ? [] : models)
            shell.Out.WriteLine($"{model.Model,-24}  {Amounts.Count(model.Versions)} version{(model.Versions == 1 ? " " : "s")}  {string.Join("  ", model.Channels.Select(Live))}");
        if (!shell.Json && models.IsEmpty)
            shell.Out.WriteLine("nothing is registered that you may see");
        return (int)ExitCode.Done;
    }

    private static async Task<int> ShowModelAsync(Shell shell, string model, string? where, CancellationToken cancellation)
    {
        using var server = ServerClient.Open(where);
        var summary = await server.GetAsync($"/api/v1/models/{model}", RegistryJson.Default.ModelSummary, cancellation);
        var versions = await server.GetAsync($"/api/v1/models/{model}/versions", RegistryJson.Default.ImmutableArrayModelVersion, cancellation);
        var promotions = await server.GetAsync($"/api/v1/models/{model}/promotions", RegistryJson.Default.ImmutableArrayPromotion, cancellation);
        if (shell.Json)
        {
            shell.WriteJson(new JsonObject
            {
                ["model"] = JsonSerializer.SerializeToNode(summary, RegistryJson.Default.ModelSummary),
                ["versions"] = JsonSerializer.SerializeToNode(versions, RegistryJson.Default.ImmutableArrayModelVersion),
                ["promotions"] = JsonSerializer.SerializeToNode(promotions, RegistryJson.Default.ImmutableArrayPromotion),
            });
            return (int)ExitCode.Done;
        }

        foreach (var channel in summary.Channels)
            shell.Out.WriteLine(Live(channel));
        foreach (var version in versions)
            shell.Out.WriteLine($"{version.Model}@{version.Number,-4}  {version.Bundle.Short}  gates {version.Gates.Verdict.Word(),-21}  {Time(version.RegisteredAt)} by {version.PushedByName}: {version.Reason}");
        foreach (var promotion in promotions)
        {
            // Judged anew each time: what is live may be of a promotion that would not be let through now.
            var isLive = summary.Channels.Any(channel => channel.Channel == promotion.Channel && channel.Live?.Number == promotion.Version);
            var state = isLive && promotion.State == PromotionState.Waiting ? "live, and not to be released again as it is" : promotion.State.Word();
            shell.Out.WriteLine($"{promotion.Id}  {promotion.Model}@{promotion.Version} to {promotion.Channel}: {state}, asked by {promotion.RequestedByName}: {promotion.Reason}");
            foreach (var missing in promotion.Missing)
                shell.Out.WriteLine($"  {missing}");
        }

        return (int)ExitCode.Done;
    }

    private static async Task<int> ShowVersionAsync(Shell shell, VersionName name, string? where, CancellationToken cancellation)
    {
        using var server = ServerClient.Open(where);
        var detail = await server.GetAsync(string.Create(CultureInfo.InvariantCulture, $"/api/v1/models/{name.Model}/versions/{name.Number}"), RegistryJson.Default.ModelVersionDetail, cancellation);
        if (shell.Json)
        {
            shell.WriteJson(JsonSerializer.SerializeToNode(detail, RegistryJson.Default.ModelVersionDetail)!);
            return (int)ExitCode.Done;
        }

        var version = detail.Version;
        shell.Out.WriteLine($"{name}  {version.Bundle}");
        shell.Out.WriteLine($"pushed    {Time(version.RegisteredAt)} by {version.PushedByName}: {version.Reason}");
        shell.Out.WriteLine($"live on   {(detail.LiveOn.IsEmpty ? "no channel" : string.Join(", ", detail.LiveOn))}");
        shell.Out.WriteLine($"gates     {version.Gates.Verdict.Word()}");
        foreach (var gate in version.Gates.Gates)
            shell.Out.WriteLine($"          {gate.Verdict.Word(),-21}  {gate.Name}: {gate.Reason}");
        foreach (var metric in detail.Evaluation?.Metrics.AsEnumerable() ?? [])
            shell.Out.WriteLine($"metric    {metric.Key,-10}  {Amounts.Interval(metric.Value)}");
        foreach (var stage in detail.Lineage.Stages)
            shell.Out.WriteLine($"stage     {stage.Name}: {string.Join(", ", stage.Inputs.Select(input => $"{input.Key} {input.Value.Short}"))} → {string.Join(", ", stage.Outputs.Select(output => $"{output.Key} {output.Value.Short}"))}");
        foreach (var signer in detail.Signers)
            shell.Out.WriteLine($"signed    by '{signer.Name}' ({signer.Key[..12]}){(signer.RevokedAt is { } at ? $", REVOKED {Time(at)}: {signer.RevokedBecause}" : "")}");
        return (int)ExitCode.Done;
    }

    private static string Live(ChannelState channel) => $"{channel.Channel}: {(channel.Live is { } live ? $"version {live.Number}" : "nothing")}{(channel.Rollout is { } rollout ? $", rollout {rollout} runs" : "")}";

    private static string Time(long milliseconds) => DateTimeOffset.FromUnixTimeMilliseconds(milliseconds).ToString("yyyy-MM-dd HH:mm'Z'", CultureInfo.InvariantCulture);
}
