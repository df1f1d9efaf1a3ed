using System.Collections.Immutable;
using System.Text.Json;
using Slipway.Documents.Runs;
using Slipway.Documents.Specs;
using Slipway.Primitives.Faults;
using Slipway.Store.Content;

namespace Slipway.Pipeline.Execution.Stages;

/// <summary>The figures in those outputs of a stage that it declares as metrics.</summary>
internal static class StageMetrics
{
    /// <summary>Bytes of such a file: figures for people to read, not curves.</summary>
    private const int MostBytes = 1 << 20;

    /// <summary>Figures of a stage; a run's record holds them all.</summary>
    private const int MostFigures = 10_000;

    /// <summary>Levels of maps and lists.</summary>
    private const int MostLevels = 16;

    /// <summary>Characters of a figure's name.</summary>
    private const int LongestName = 200;

    /// <summary>By dotted name, the output's first: <c>report.validation.auc</c>, <c>report.folds.0</c>. What is no number is passed over.</summary>
    /// <param name="outputs">Of the stage; in the store.</param>
    /// <returns>Null for a stage that declares none.</returns>
    /// <exception cref="SlipwayException">A file is too large, no JSON, or has more figures than are kept (exit 2).</exception>
    public static ImmutableSortedDictionary<string, double>? Read(StageSpec stage, IReadOnlyDictionary<string, Artifact> outputs, ContentStore objects)
    {
        if (stage.Metrics is not { } names)
            return null;
        var figures = ImmutableSortedDictionary.CreateBuilder<string, double>(StringComparer.Ordinal);
        foreach (var name in names)
        {
            var artifact = outputs[name];
            if (artifact.Size > MostBytes)
                throw Failure(stage, name, $"has {artifact.Size} bytes, allowed at most {MostBytes}", "write the figures that people compare, and keep curves and tables in another output");
            try
            {
                using var stream = objects.OpenRead(artifact.Digest, verify: true);
                using var document = JsonDocument.Parse(stream, new JsonDocumentOptions { MaxDepth = MostLevels, AllowDuplicateProperties = false });
                Gather(stage, name, document.RootElement, name, figures);
            }
            catch (JsonException e)
            {
                throw Failure(stage, name, $"is not JSON of at most {MostLevels} levels: {ForeignText.Shown(e.Message)}", "NaN and Infinity are no JSON: write null, which is passed over");
            }
        }

        return figures.ToImmutable();
    }

    private static void Gather(StageSpec stage, string output, JsonElement value, string name, ImmutableSortedDictionary<string, double>.Builder figures)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Object:
                foreach (var property in value.EnumerateObject())
                    Gather(stage, output, property.Value, $"{name}.{property.Name}", figures);
                break;
            case JsonValueKind.Array:
                foreach (var (i, item) in value.EnumerateArray().Index())
                    Gather(stage, output, item, $"{name}.{i}", figures);
                break;
            case JsonValueKind.Number:
                if (!value.TryGetDouble(out var figure) || !double.IsFinite(figure))
                    throw Failure(stage, output, $"has the number {ForeignText.Shown(value.GetRawText())}, allowed are those that a 64-bit float holds", null);
                if (name.Length > LongestName || name.Any(ForeignText.IsHidden))
                    throw Failure(stage, output, $"has a figure whose name is {(name.Length > LongestName ? $"{name.Length} characters long" : "not printable")}, allowed at most {LongestName} printable ones", null);
                if (!figures.TryAdd(name, figure))
                    throw Failure(stage, output, $"has two figures that are called {ForeignText.Shown(name)}, dots in names counting as levels", null);
                if (figures.Count > MostFigures)
                    throw Failure(stage, output, $"has more figures than are kept, {MostFigures} of all metrics of a stage", "keep lists and tables in another output");
                break;
        }
    }

    private static SlipwayException Failure(StageSpec stage, string output, string what, string? help) =>
        new(ExitCode.UnusableInput, stage.At.Fault("bad-metrics", $"stage {stage.Name}: its metrics {output} ({stage.Outputs[output]}) {what}", help));
}
