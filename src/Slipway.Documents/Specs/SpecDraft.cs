using System.Collections.Immutable;
using System.Text.Json;
using Slipway.Documents.Hardware;
using Slipway.Documents.Reading;
using Slipway.Documents.Rollouts;
using Slipway.Documents.Serving;
using Slipway.Primitives.Units;

namespace Slipway.Documents.Specs;

/// <summary>A spec as written: each value is sound by itself, and nothing is known yet of how they fit together.</summary>
/// <remarks>What could not be read is null here, so that one mistake is told once: nobody misses a name in a list that is null.</remarks>
internal sealed record SpecDraft(
    Placed<string>? Requires,
    string? Name,
    string? Description,
    ImmutableArray<string> Owners,
    string? License,
    ImmutableArray<Named<DatasetSpec>>? Data,
    ImmutableArray<Named<EnvironmentSpec>>? Environments,
    ImmutableArray<Named<HardwareProfile>>? Hardware,
    DeterminismSpec? Determinism,
    ParamsDraft Params,
    ImmutableArray<Named<StageDraft>>? Stages,
    ModelDraft? Model,
    bool HasModel,
    EvaluateDraft? Evaluate,
    bool HasEvaluate,
    ImmutableArray<GateSpec> Gates,
    Place? GatesAt,
    ReleaseDraft? Release,
    Sound<MonitorDraft>? Monitor,
    CachePlace? Cache);

/// <summary>Either the values or the file that holds them.</summary>
/// <param name="Values">Null when they could not be read.</param>
internal sealed record ParamsDraft(ImmutableArray<Param>? Values, Placed<string>? File);

/// <param name="Name">Dotted where it is nested.</param>
/// <param name="Value">Undefined when it could not be read.</param>
internal readonly record struct Param(string Name, JsonElement Value, Place At);

/// <param name="At">Where the text of the command begins.</param>
internal sealed record Command(ImmutableArray<string> Arguments, Place At);

internal sealed record StageDraft(
    Command? Run,
    bool HasRun,
    Placed<string>? Sql,
    bool HasSql,
    ImmutableArray<Placed<string>> Inputs,
    ImmutableArray<Named<string>>? Outputs,
    ImmutableArray<Placed<string>>? Params,
    Placed<string>? Environment,
    Placed<string>? Hardware,
    Duration? Timeout)
{
    public int Retries { get; init; }

    public ImmutableArray<string> Secrets { get; init; } = [];

    public Place? SecretsAt { get; init; }

    public StageNetwork Network { get; init; }

    public Place? NetworkAt { get; init; }

    public StageWhen When { get; init; }

    public ImmutableArray<Placed<string>> Metrics { get; init; } = [];

    public ImmutableArray<Named<ForeachValues>> Foreach { get; init; } = [];
}

/// <summary>The values that a foreach gives to one param: text, numbers, true and false.</summary>
internal sealed record ForeachValues(ImmutableArray<JsonElement> Values);

/// <param name="HasReference">Whether one is named, sound or not.</param>
internal sealed record ModelDraft(Placed<string>? Artifact, RuntimeDraft? Runtime, string? Task, SignatureDraft? Signature, Placed<string>? Reference, bool HasReference, Place At);

internal sealed record RuntimeDraft(Command? Process, ImmutableArray<Placed<string>> Inputs, Placed<string>? Environment);

internal sealed record SignatureDraft(ImmutableArray<Placed<TensorSpec>> Inputs, ImmutableArray<Placed<TensorSpec>> Outputs);

/// <param name="HasBaseline">Whether one is named, sound or not.</param>
internal sealed record EvaluateDraft(
    Placed<string>? Predictions,
    string? Label,
    string? Score,
    string? Unit,
    string? Baseline,
    bool HasBaseline,
    ImmutableArray<string> Metrics,
    ImmutableArray<string> Slices,
    Ratio Confidence,
    int Resamples,
    Place At);
