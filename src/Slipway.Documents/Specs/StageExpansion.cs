using System.Collections.Immutable;
using System.Text.Json;
using Slipway.Documents.Reading;

namespace Slipway.Documents.Specs;

/// <summary>Makes one stage per combination of each stage with a <c>foreach</c>, and says which combinations each input means.</summary>
/// <remarks>
/// A reference to a stage with a foreach means all of its combinations; but where the referring stage has a foreach over some of the
/// same params, those combinations only that have its own values of them. After this no other part need know of a foreach.
/// </remarks>
internal sealed class StageExpansion(SpecDraft draft, StageMatrix matrix, FaultList faults)
{
    /// <summary>Stages of a project; each has a key, a folder, and a log of its own.</summary>
    private const int MostStages = 10_000;

    /// <summary>Inputs of all stages together: a thousand combinations that take a thousand each would be a million.</summary>
    private const int MostInputs = 100_000;

    private int inputsLeft = MostInputs;

    public ImmutableArray<StageSpec> Expand(ImmutableArray<StageSpec> stages)
    {
        var count = stages.Sum(stage => Math.Max(1, matrix.Of(stage.Name).Length));
        if (count > MostStages)
        {
            faults.Add(stages.MaxBy(stage => matrix.Of(stage.Name).Length)!.At, "too-many-stages", $"with all combinations of foreach there are {count} stages, allowed at most {MostStages}", "Give fewer values.");
            return [];
        }

        foreach (var stage in stages)
            CheckPaths(stage);
        var expanded = stages.SelectMany(Expand).ToImmutableArray();
        if (inputsLeft < 0)
            faults.Add(stages[0].At, "too-many-inputs", $"with all combinations of foreach the stages have more than {MostInputs} inputs", "Give fewer values, or let the stage that takes all combinations be one stage.");
        return expanded;
    }

    private IEnumerable<StageSpec> Expand(StageSpec stage)
    {
        var combinations = matrix.Of(stage.Name);
        if (combinations.IsEmpty)
            return [stage with { Inputs = Inputs(stage, null) }];
        return combinations.Select(combination => stage with
        {
            Name = combination.Name,
            Inputs = Inputs(stage, combination),
            Outputs = Outputs(stage, combination),
            Combination = new StageCombination(stage.Name, combination.Settings.ToImmutableSortedDictionary(setting => setting.Param, setting => setting.Value, StringComparer.Ordinal)),
        });
    }

    private ImmutableArray<StageInput> Inputs(StageSpec stage, Combination? own)
    {
        var inputs = ImmutableArray.CreateBuilder<StageInput>();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var input in stage.Inputs.DistinctBy(input => input.Name).SelectMany(input => Meant(stage, input, own)))
        {
            if (--inputsLeft < 0)
                break;
            if (seen.Add(input.Name))
                inputs.Add(input);
            else if (own is null || own == matrix.Of(stage.Name)[0])
                faults.Add(input.At, "duplicate-value", $"{Node.Quote(input.Name)} stands twice in the inputs of stage '{stage.Name}', once for all combinations", "Keep one of the two.");
        }

        return inputs.ToImmutable();
    }

    private IEnumerable<StageInput> Meant(StageSpec stage, StageInput input, Combination? own)
    {
        var (maker, output) = StageSpec.Split(input.Name);
        if (input.Kind != InputKind.Output || matrix.Of(maker) is not { Length: > 0 } all)
            return [input];
        var meant = own is null ? all : [.. all.Where(own.Fits)];
        if (meant.IsEmpty)
            faults.Add(input.At, "unknown-reference", $"{own!.Name} takes {input.Name}, and no combination of '{maker}' has the same values; there are {matrix.Listed(maker, output)}", $"Give {stage.Name} and {maker} the same values, or name one combination.");
        return meant.Select(combination => input with { Name = $"{combination.Name}.{output}" });
    }

    private static ImmutableSortedDictionary<string, string> Outputs(StageSpec stage, Combination combination)
    {
        var words = combination.Settings.ToDictionary(setting => setting.Param, setting => setting.Word, StringComparer.Ordinal);
        return stage.Outputs.ToImmutableSortedDictionary(output => output.Key, output => ParamReferences.Fill(output.Value, name => words.GetValueOrDefault(name, "x")), StringComparer.Ordinal);
    }

    /// <summary>Each combination needs paths of its own, and a path names nothing but what tells combinations apart.</summary>
    private void CheckPaths(StageSpec stage)
    {
        var declared = draft.Stages!.Value.First(entry => entry.Name == stage.Name).Value!;
        var combinations = matrix.Of(stage.Name);
        foreach (var output in declared.Outputs ?? [])
        {
            if (output.Value is not { } path)
                continue;
            var named = ParamReferences.In(path).Select(reference => reference.Name).ToHashSet(StringComparer.Ordinal);
            foreach (var name in named.Where(name => declared.Foreach.All(key => key.Name != name)))
                faults.Add(output.At, "unknown-reference", $"the path of {stage.Name}.{output.Name} asks for ${{params.{name}}}, which is not in the stage's foreach", "A path tells combinations apart; write the value itself, or let foreach set it.");
            foreach (var key in declared.Foreach.Where(key => key.Value is { Values.Length: > 1 } && !named.Contains(key.Name)))
                faults.Add(output.At, "output-conflict", $"{stage.Name}.{output.Name} writes {Node.Quote(path)} for each of {key.Value!.Values.Length} values of {key.Name}; each needs a path of its own", $"Write {Suggestion(path, key.Name)}");
            if (combinations.Select(combination => Outputs(stage, combination)[output.Name]).FirstOrDefault(filled => !ProjectPath.IsOutput(filled)) is { } bad)
                faults.Add(output.At, "bad-path", $"with the values of foreach the path of {stage.Name}.{output.Name} is {Node.Quote(bad)}, which is no path inside the project of at most {ProjectPath.Longest} bytes");
        }
    }

    /// <summary>The path with the param before its extension, or at the end of a folder's name.</summary>
    private static string Suggestion(string path, string param)
    {
        var isFolder = path.EndsWith('/');
        var body = path.TrimEnd('/');
        var dot = body.LastIndexOf('.');
        var at = !isFolder && dot > body.LastIndexOf('/') + 1 ? dot : body.Length;
        return $"{body[..at]}-${{params.{param}}}{body[at..]}{(isFolder ? "/" : "")}";
    }
}
