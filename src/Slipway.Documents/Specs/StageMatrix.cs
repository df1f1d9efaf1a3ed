using System.Collections.Immutable;
using System.Text.Json;
using Slipway.Documents.Reading;
using Slipway.Primitives.Bytes;

namespace Slipway.Documents.Specs;

/// <summary>The combinations of every stage with a <c>foreach</c>, by the stage's name: each becomes a stage of its own, called <c>fit@leaves=15,rate=0.1</c>.</summary>
internal sealed class StageMatrix
{
    /// <summary>Stages that one foreach may make; what is more is a sweep that wants a program of its own.</summary>
    private const int MostCombinations = 1000;

    /// <summary>Characters of a combination's name; it also names files, whose names have at most 255.</summary>
    private const int LongestName = 150;

    /// <summary>Hex digits that stand for what cannot be in a file's name; of a few thousand values no two have the same 12.</summary>
    private const int DigestLength = 12;

    /// <summary>Combinations that a message lists.</summary>
    private const int MostListed = 8;

    private readonly Dictionary<string, ImmutableArray<Combination>> stages = new(StringComparer.Ordinal);

    /// <param name="drafts">Null when the stages could not be read.</param>
    public StageMatrix(ImmutableArray<Named<StageDraft>>? drafts, FaultList faults)
    {
        foreach (var draft in drafts ?? [])
        {
            if (draft.Value?.Foreach is { Length: > 0 } keys && keys.All(key => key.Value is { Values.Length: > 0 }))
                stages[draft.Name] = Combinations(draft.Name, draft.At, [.. keys.OrderBy(key => key.Name, StringComparer.Ordinal)], faults);
        }
    }

    /// <summary>Of a stage without a foreach, none.</summary>
    public ImmutableArray<Combination> Of(string stage) => stages.GetValueOrDefault(stage, []);

    /// <summary>The name of the stage whose combination has this name; the name itself where it is none.</summary>
    public static string BaseOf(string name) => name.IndexOf('@') is > 0 and var at ? name[..at] : name;

    /// <summary>For messages: the first few references to an output of each combination.</summary>
    public string Listed(string stage, string output)
    {
        var all = Of(stage);
        return string.Join(", ", all.Take(MostListed).Select(combination => $"{combination.Name}.{output}")) + (all.Length > MostListed ? ", …" : "");
    }

    private static ImmutableArray<Combination> Combinations(string stage, Place at, ImmutableArray<Named<ForeachValues>> keys, FaultList faults)
    {
        var count = keys.Aggregate(1L, (product, key) => Math.Min(product * key.Value!.Values.Length, long.MaxValue / MostCombinations));
        if (count > MostCombinations)
        {
            faults.Add(at, "bad-value", $"foreach of stage '{stage}' has {string.Join(" × ", keys.Select(key => key.Value!.Values.Length))} combinations, allowed at most {MostCombinations}", "Give fewer values.");
            return [];
        }

        IEnumerable<ImmutableArray<Setting>> all = [[]];
        foreach (var key in keys)
        {
            var settings = Settings(stage, key, faults);
            all = all.SelectMany(before => settings.Select(before.Add));
        }

        return [.. all.Select(settings => new Combination(NameOf(stage, settings), settings))];
    }

    private static ImmutableArray<Setting> Settings(string stage, Named<ForeachValues> key, FaultList faults)
    {
        var settings = key.Value!.Values.Select(value => new Setting(key.Name, value, Word(value))).ToList();
        // File systems that take Adam and adam for one name are common.
        var clashing = settings.GroupBy(setting => setting.Word, StringComparer.OrdinalIgnoreCase).Where(group => group.Count() > 1).Select(group => group.Key).ToHashSet(StringComparer.OrdinalIgnoreCase);
        ImmutableArray<Setting> apart = [.. settings.Select(setting => clashing.Contains(setting.Word) ? setting with { Word = Short(setting.Value) } : setting)];
        if (apart.GroupBy(setting => setting.Word, StringComparer.Ordinal).FirstOrDefault(group => group.Count() > 1) is not { } twice)
            return apart;
        faults.Add(key.At, "duplicate-value", $"{key.Name} in foreach of stage '{stage}' has the value {StageParams.Text(twice.First().Value)} twice", "Keep one of the two.");
        return [.. apart.DistinctBy(setting => setting.Word)];
    }

    private static string NameOf(string stage, ImmutableArray<Setting> settings)
    {
        var words = string.Join(',', settings.Select(setting => $"{setting.Param}={setting.Word}"));
        return stage.Length + 1 + words.Length <= LongestName ? $"{stage}@{words}" : $"{stage}@{Digest.Of(System.Text.Encoding.UTF8.GetBytes(words)).Hex[..DigestLength]}";
    }

    /// <summary>The value where every file system takes it as a part of a name; else a few digits of its digest.</summary>
    private static string Word(JsonElement value)
    {
        const int longest = 40;
        var text = StageParams.Text(value);
        return text.Length is >= 1 and <= longest && text[0] != '.' && text[^1] != '.' && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '+' or '-') ? text : Short(value);
    }

    private static string Short(JsonElement value) => Digest.Of(CanonicalJson.Write(value)).Hex[..DigestLength];
}

/// <param name="Name">Of the stage that it becomes.</param>
/// <param name="Settings">By param, sorted.</param>
internal sealed record Combination(string Name, ImmutableArray<Setting> Settings)
{
    /// <summary>Whether every param that both set has the same value in both.</summary>
    public bool Fits(Combination other) =>
        Settings.All(mine => other.Settings.FirstOrDefault(theirs => theirs.Param == mine.Param) is not { Param: not null } same || same.Word == mine.Word);
}

/// <param name="Word">The value as names of stages and paths have it.</param>
internal readonly record struct Setting(string Param, JsonElement Value, string Word);
