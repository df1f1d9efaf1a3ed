using System.Collections.Immutable;
using System.Text.Json;
using Slipway.Documents.Reading;

namespace Slipway.Documents.Specs;

/// <summary>Makes stages of drafts: inputs, environments, hardware profiles and params must be declared.</summary>
/// <param name="values">Null when the params could not be read; then nothing is said of them.</param>
internal sealed class StageResolver(ImmutableArray<Param>? values, SpecNames names, FaultList faults)
{
    private readonly Dictionary<string, JsonValueKind>? kinds = values?.ToDictionary(param => param.Name, param => param.Value.ValueKind, StringComparer.Ordinal);

    public ImmutableArray<StageSpec> Resolve(ImmutableArray<Named<StageDraft>> drafts) =>
        [.. drafts.Where(draft => draft.Value is not null).Select(draft => Stage(draft.Name, draft.At, draft.Value!))];

    private StageSpec Stage(string name, Place at, StageDraft draft)
    {
        if (draft.HasRun == draft.HasSql)
            faults.Add(at, "missing-key", draft.HasRun ? $"stage '{name}' has both run and sql, allowed is one" : $"stage '{name}' lacks the key 'run' or 'sql'", "Write run with a command, or sql with the path of a file.");
        if (draft is { HasSql: true, HasRun: false, Environment: { } environment })
            faults.Add(environment.At, "bad-value", $"stage '{name}' runs SQL in Slipway's own engine, which no environment reaches", "Remove env.");
        if (draft is { HasSql: true, HasRun: false, Secrets: [_, ..], SecretsAt: { } secrets })
            faults.Add(secrets, "bad-value", $"stage '{name}' runs SQL in Slipway's own engine, which no secret reaches", "Remove secrets.");
        if (draft is { HasSql: true, HasRun: false, Network: not StageNetwork.None, NetworkAt: { } network })
            faults.Add(network, "bad-value", $"stage '{name}' runs SQL in Slipway's own engine, which never uses the network", "Remove network.");
        foreach (var param in (draft.Params ?? []).Concat(draft.Foreach.Select(key => new Placed<string>(key.Name, key.At))))
        {
            if (kinds is not null && !kinds.ContainsKey(param.Value))
                Unknown(param.At, param.Value);
        }

        CheckMetrics(name, draft);

        if (draft.Run is { } command)
            CheckReferences(name, command, [.. draft.Foreach.Select(key => key.Name)], draft.Params);
        return new StageSpec(
            name,
            draft.Run?.Arguments,
            draft.Sql?.Value,
            Inputs(name, draft),
            (draft.Outputs ?? []).Where(output => output.Value is not null).ToImmutableSortedDictionary(output => output.Name, output => output.Value!, StringComparer.Ordinal),
            [.. (draft.Params ?? []).Select(param => param.Value).Union(draft.Foreach.Select(key => key.Name))],
            names.Environment(draft.Environment),
            names.Hardware(draft.Hardware),
            draft.Timeout)
        {
            Retries = draft.Retries,
            Secrets = draft.Secrets.IsEmpty ? null : draft.Secrets.Sort(StringComparer.Ordinal),
            Network = draft.Network,
            When = draft.When,
            Metrics = draft.Metrics.IsEmpty ? null : [.. draft.Metrics.Select(output => output.Value)],
            At = at,
        };
    }

    private ImmutableArray<StageInput> Inputs(string stage, StageDraft draft)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        ImmutableArray<StageInput> inputs = [.. draft.Inputs.Select(names.Input)];
        foreach (var input in inputs)
        {
            if (!seen.Add(input.Name))
                faults.Add(input.At, "duplicate-value", $"{Node.Quote(input.Name)} stands twice in the inputs of stage '{stage}'", "Keep one of the two, or give the file another name.");
        }

        return inputs;
    }

    private void CheckMetrics(string stage, StageDraft draft)
    {
        if (draft.Outputs is not { } outputs)
            return;
        foreach (var metric in draft.Metrics)
        {
            if (outputs.FirstOrDefault(output => output.Name == metric.Value) is not { } output)
                faults.Add(metric.At, "unknown-reference", $"metrics of stage '{stage}' names {Node.Quote(metric.Value)}{Node.Nearest(metric.Value, outputs.Select(known => known.Name))}, which is none of its outputs; {SpecNames.Listed("output", [.. outputs.Select(known => known.Name)])}");
            else if (output.Value?.EndsWith('/') == true)
                faults.Add(metric.At, "bad-value", $"metrics of stage '{stage}' names {Node.Quote(metric.Value)}, which is the folder {output.Value}; allowed is a JSON file");
        }
    }

    private void CheckReferences(string stage, Command command, ImmutableArray<string> set, ImmutableArray<Placed<string>>? declared)
    {
        foreach (var reference in command.Arguments.SelectMany(text => ParamReferences.In(text)))
        {
            if (reference.Source != "params")
                faults.Add(command.At, "unknown-reference", $"run of stage '{stage}' asks for ${{{reference.Source}.{reference.Name}}}{Node.Nearest(reference.Source, ["params"])}; allowed is ${{params.NAME}}");
            else if (kinds is null)
                continue;
            else if (!kinds.TryGetValue(reference.Name, out var kind))
                Unknown(command.At, reference.Name);
            else if (kind == JsonValueKind.Array)
                faults.Add(command.At, "wrong-type", $"run of stage '{stage}' asks for ${{params.{reference.Name}}}, which is a list and has no text", "Read a list from the file that SLIPWAY_STAGE names.");
            else if (declared is { } own && !own.Any(param => param.Value == reference.Name) && !set.Contains(reference.Name))
                faults.Add(command.At, "undeclared-param", $"run of stage '{stage}' asks for ${{params.{reference.Name}}}, which is not in the stage's params", $"Write params: [{string.Join(", ", own.Select(param => param.Value).Where(param => !reference.Name.StartsWith(param + ".", StringComparison.Ordinal)).Append(reference.Name))}]");
        }
    }

    private void Unknown(Place at, string name)
    {
        var group = kinds!.Keys.Where(known => known.StartsWith(name + ".", StringComparison.Ordinal)).Order(StringComparer.Ordinal).ToArray();
        faults.Add(
            at,
            "unknown-reference",
            $"there is no param {Node.Quote(name)}{Node.Nearest(name, kinds.Keys)}; {SpecNames.Listed("param", kinds.Keys)}",
            group.Length > 0 ? $"'{name}' is a map: name its values, such as {group[0]}." : null);
    }
}
