using System.Text.Json;
using Slipway.Documents.Environments;
using Slipway.Documents.Runs;
using Slipway.Documents.Specs;

namespace Slipway.Pipeline.Execution.Steps;

/// <summary>Which parts of a step key changed, in the words of the spec: <c>params.rate 0.1 → 0.2</c>, <c>pipeline/train.py</c>.</summary>
internal static class StepDifferences
{
    /// <summary>Package changes that are named; further ones are counted.</summary>
    private const int MaximumPackages = 5;

    /// <param name="environments">The fingerprint of a digest, as far as it is still known.</param>
    public static IReadOnlyList<string> Between(StepKeyDocument was, StepKeyDocument now, Func<Primitives.Bytes.Digest, HostFingerprint?> environments)
    {
        var found = new List<string>();
        if (was.Version != now.Version)
            found.Add($"the stage contract {was.Version} → {now.Version}");
        if (Command(was) != Command(now))
            found.Add($"command {Command(was)} → {Command(now)}");
        if (was.Engine != now.Engine)
            found.Add($"{was.Engine} → {now.Engine}");
        found.AddRange(Changes(was.Inputs, now.Inputs, "input ", InputChange));
        found.AddRange(Changes(was.Params, now.Params, "params.", (name, before, after) => Text(before) == Text(after) ? null : $"params.{name} {Text(before)} → {Text(after)}"));
        found.AddRange(Changes(was.Outputs, now.Outputs, "output ", (name, before, after) => before == after ? null : $"output {name} {before} → {after}"));
        if (was.Seed != now.Seed)
            found.Add($"determinism.seed {was.Seed} → {now.Seed}");
        if (was.Epoch != now.Epoch)
            found.Add($"determinism.epoch {DateOf(was.Epoch)} → {DateOf(now.Epoch)}");
        if (was.Threads != now.Threads)
            found.Add($"threads {was.Threads} → {now.Threads}");
        if (was.FixedAddresses != now.FixedAddresses)
            found.Add($"determinism.addresses {(was.FixedAddresses ? "fixed" : "random")} → {(now.FixedAddresses ? "fixed" : "random")}");
        if (was.Hardware?.ToString() != now.Hardware?.ToString())
            found.Add($"hardware {was.Hardware?.ToString() ?? "any"} → {now.Hardware?.ToString() ?? "any"}");
        if (was.Network != now.Network)
            found.Add($"network {Word(was.Network)} → {Word(now.Network)}");
        found.AddRange((now.Secrets ?? []).Except(was.Secrets ?? []).Select(name => $"secret {name} is new"));
        found.AddRange((was.Secrets ?? []).Except(now.Secrets ?? []).Select(name => $"secret {name} is gone"));
        if (was.Environment != now.Environment)
            found.AddRange(Environment(was.Environment is { } before ? environments(before) : null, now.Environment is { } after ? environments(after) : null));
        return found;
    }

    private static string? InputChange(string name, KeyInput was, KeyInput now)
    {
        if (was.Digest == now.Digest && was.Kind == now.Kind)
            return was.Path == now.Path ? null : $"{name} is at {now.Path}, was at {was.Path}";
        if (was.Digest == now.Digest)
            return $"{name} {(now.Kind == ArtifactKind.Program ? "became" : "is no longer")} executable";
        return now.Kind == ArtifactKind.Dataset ? $"dataset {name}" : name;
    }

    private static IEnumerable<string> Changes<T>(IReadOnlyDictionary<string, T> was, IReadOnlyDictionary<string, T> now, string what, Func<string, T, T, string?> change) =>
        was.Keys.Union(now.Keys).Order(StringComparer.Ordinal).Select(name => (was.TryGetValue(name, out var before), now.TryGetValue(name, out var after)) switch
        {
            (false, _) => $"new {what}{name}",
            (_, false) => $"no more {what}{name}",
            _ => change(name, before!, after!),
        }).OfType<string>();

    private static IEnumerable<string> Environment(HostFingerprint? was, HostFingerprint? now)
    {
        if (was is null || now is null)
            return ["the environment"];
        var all = HostFingerprint.Differences(was, now);
        return all.Count <= MaximumPackages ? all : [.. all.Take(MaximumPackages), $"and {all.Count - MaximumPackages} more packages"];
    }

    private static string Command(StepKeyDocument step) => step.Run is { } run ? string.Join(' ', run) : step.Sql!;

    private static string Word(StageNetwork? network) => (network ?? StageNetwork.None).Word();

    private static string Text(JsonElement value) => StageParams.Text(value);

    private static string DateOf(long epoch) => DateTime.UnixEpoch.AddSeconds(epoch).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", System.Globalization.CultureInfo.InvariantCulture);
}
