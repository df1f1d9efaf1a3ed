using System.Collections.Immutable;
using Slipway.Documents.Evaluations;
using Slipway.Documents.Runs;
using Slipway.Primitives.Bytes;

namespace Slipway.Documents.Differences;

/// <summary>What differs between two runs of a project. Seconds and memory were measured once each, and depend on what else the machine did.</summary>
/// <remarks>Compares collections by identity.</remarks>
/// <param name="Stages">Of both runs, in the order of the former; then those that only the latter has.</param>
/// <param name="Metrics">The differences' intervals are those of independent figures: <c>slipway diff</c> of the two bundles pairs them.</param>
public sealed record RunComparison(RunSide A, RunSide B, ImmutableArray<StageComparison> Stages, ImmutableArray<MetricChange> Metrics)
{
    private const string WhyNotPaired = "a run's record has no replicates";

    /// <param name="changes">What changed in what could influence a stage's outputs, given its results in both runs.</param>
    public static RunComparison Of(RunRecord a, RunRecord b, Func<StageResult, StageResult, ImmutableArray<string>> changes)
    {
        var (was, now) = (a.Stages.ToDictionary(stage => stage.Name, StringComparer.Ordinal), b.Stages.ToDictionary(stage => stage.Name, StringComparer.Ordinal));
        return new RunComparison(
            RunSide.Of(a),
            RunSide.Of(b),
            [.. a.Stages.Concat(b.Stages.Where(stage => !was.ContainsKey(stage.Name))).Select(stage => Of(stage.Name, was.GetValueOrDefault(stage.Name), now.GetValueOrDefault(stage.Name), changes))],
            MetricChange.Between(a.Evaluation, b.Evaluation, WhyNotPaired));
    }

    private static StageComparison Of(string stage, StageResult? was, StageResult? now, Func<StageResult, StageResult, ImmutableArray<string>> changes) => new(
        stage,
        was,
        now,
        was is null || now is null || was.Key == now.Key ? [] : changes(was, now),
        was is null || now is null ? [] : [.. was.Outputs.Keys.Union(now.Outputs.Keys).Where(output => was.Outputs.GetValueOrDefault(output)?.Digest != now.Outputs.GetValueOrDefault(output)?.Digest).Order(StringComparer.Ordinal)],
        was is null || now is null ? [] : FigureChange.Between(was.Metrics, now.Metrics));
}

/// <param name="Verdict">Of the gates together; null where none were judged.</param>
public sealed record RunSide(string Id, RunState State, DateTimeOffset Started, DateTimeOffset? Finished, Digest? Bundle, Verdict? Verdict)
{
    internal static RunSide Of(RunRecord run) => new(run.Id, run.State, run.Started, run.Finished, run.Bundle, run.Verdict);
}

/// <param name="A">Null where that run did not come to the stage, or failed in it; likewise <paramref name="B"/>.</param>
/// <param name="Changes">Of what could influence the outputs, in the spec's words; empty where the step key is the same.</param>
/// <param name="Outputs">Names of the outputs whose content differs.</param>
/// <param name="Metrics">Of both, the figures that differ; by name.</param>
public sealed record StageComparison(string Stage, StageResult? A, StageResult? B, ImmutableArray<string> Changes, ImmutableArray<string> Outputs, ImmutableArray<FigureChange> Metrics);

/// <summary>A figure of a stage's own metrics, which has no interval.</summary>
/// <param name="A">Null where that run's stage has no such figure; likewise <paramref name="B"/>.</param>
/// <param name="Difference">B − A; null where one is missing, or the difference is beyond a 64-bit float.</param>
public sealed record FigureChange(string Name, double? A, double? B, double? Difference)
{
    internal static ImmutableArray<FigureChange> Between(IReadOnlyDictionary<string, double>? was, IReadOnlyDictionary<string, double>? now) =>
    [
        .. (was?.Keys ?? []).Union(now?.Keys ?? []).Order(StringComparer.Ordinal)
            .Select(name => Of(name, Figure(was, name), Figure(now, name)))
            .Where(change => change.A != change.B),
    ];

    private static FigureChange Of(string name, double? a, double? b) => new(name, a, b, b - a is { } difference && double.IsFinite(difference) ? difference : null);

    private static double? Figure(IReadOnlyDictionary<string, double>? figures, string name) => figures is not null && figures.TryGetValue(name, out var figure) ? figure : null;
}
