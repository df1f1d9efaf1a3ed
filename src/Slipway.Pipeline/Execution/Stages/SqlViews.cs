using System.Collections.Immutable;
using Slipway.Documents.Specs;
using Slipway.Engines.DuckDb.Tables;
using Slipway.Primitives.Faults;

namespace Slipway.Pipeline.Execution.Stages;

/// <summary>Which view of an SQL stage is made of which files.</summary>
internal static class SqlViews
{
    /// <exception cref="SlipwayException">Two inputs would be one view (exit 2).</exception>
    public static ImmutableSortedDictionary<string, ImmutableArray<string>> Of(StageSpec stage, IEnumerable<(StageInputContent Input, IEnumerable<PlacedFile> Files)> inputs)
    {
        var views = ImmutableSortedDictionary.CreateBuilder<string, ImmutableArray<string>>(StringComparer.OrdinalIgnoreCase);
        foreach (var (input, files) in inputs)
        {
            // A path may be there for other reasons than its rows: the script itself, or what it reads in.
            if (input.From == InputKind.Path && !files.All(file => IsTable(file.Path)))
                continue;
            var view = input.From == InputKind.Path ? NameOf(input.Path) : input.Name;
            if (!views.TryAdd(view, [.. files.Select(file => file.Path)]))
                throw new SlipwayException(ExitCode.UnusableInput, stage.At.Fault("two-views", $"stage {stage.Name}: two inputs would both be the view '{view}'", "declare one of them as a dataset with a name of its own"));
        }

        return views.ToImmutable();
    }

    private static string NameOf(string path)
    {
        var names = path.Split('/', StringSplitOptions.RemoveEmptyEntries);
        var plain = names.LastOrDefault(name => !Glob.IsPattern(name)) ?? "files";
        return plain == names[^1] && !path.EndsWith('/') ? (plain.IndexOf('.', 1) is > 0 and var end ? plain[..end] : plain) : plain;
    }

    private static bool IsTable(string path)
    {
        try
        {
            _ = TableSource.FormatOf(path);
            return true;
        }
        catch (SlipwayException)
        {
            return false;
        }
    }
}
