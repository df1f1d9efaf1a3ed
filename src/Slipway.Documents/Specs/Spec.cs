using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;
using Slipway.Documents.Hardware;
using Slipway.Documents.Monitoring;
using Slipway.Documents.Reading;
using Slipway.Documents.Rollouts;
using Slipway.Documents.Serving;
using Slipway.Primitives.Units;

namespace Slipway.Documents.Specs;

/// <summary><c>slipway.yaml</c>, parsed and checked: every name in it resolves, every amount is in range.</summary>
/// <remarks>
/// Built by <see cref="SpecParser"/> only. The sealed form is <see cref="ForSeal"/>. Records here compare collections by
/// identity; compare their canonical JSON instead.
/// </remarks>
/// <param name="Requires">Condition on the program's version, such as <c>>=0.1</c>.</param>
/// <param name="Params">Values by name; a nested value is reached as <c>a.b</c>.</param>
/// <param name="Stages">In the order of the file.</param>
public sealed record Spec(
    string Name,
    string? Requires,
    string? Description,
    ImmutableArray<string> Owners,
    string? License,
    ImmutableSortedDictionary<string, DatasetSpec> Data,
    ImmutableSortedDictionary<string, EnvironmentSpec> Environments,
    ImmutableSortedDictionary<string, HardwareProfile> Hardware,
    DeterminismSpec Determinism,
    ImmutableSortedDictionary<string, JsonElement> Params,
    ImmutableArray<StageSpec> Stages,
    ModelSpec? Model,
    EvaluateSpec? Evaluate,
    ImmutableArray<GateSpec> Gates)
{
    /// <summary>Whether a model, a stage and the like may be called so: a lower-case letter, then up to 62 lower-case letters, digits, - and _.</summary>
    public static bool IsName(string text) => NameRule.IsIdentifier(text);

    /// <summary>Files that it was read from, as the user names them; empty in a document that was read back.</summary>
    [JsonIgnore]
    public ImmutableArray<string> Sources { get; init; } = [];

    /// <summary>How it is released; null when the file does not say.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public ReleasePlan? Release { get; init; }

    /// <summary>Where outputs of stages are shared with other machines; null for nowhere. No part of the document.</summary>
    [JsonIgnore]
    public CachePlace? Cache { get; init; }

    /// <summary>What of the spec is inside the bundle's digest: all but owners, description, cache, release and monitor, which is a part of the release plan.</summary>
    public Spec ForSeal() => this with { Description = null, Owners = [], Release = null, Cache = null };

    /// <summary>The hardware profile that a stage declares; null for none.</summary>
    public HardwareProfile? ProfileOf(StageSpec stage) => stage.Hardware is { } name ? Hardware.GetValueOrDefault(name) : null;

    /// <summary>Longest time that a stage's command may take: the shorter of its own timeout and its hardware profile's time; null for any.</summary>
    public Duration? TimeLimitOf(StageSpec stage) => new[] { stage.Timeout, ProfileOf(stage)?.Time }.Min();

    /// <summary>Who may see the values of an input or output: what the most sensitive column of that name in any dataset is.</summary>
    /// <param name="isOutput">An output that no column is called like is public; an input is what the datasets' most sensitive default is.</param>
    public Sensitivity SensitivityOf(string name, bool isOutput)
    {
        var named = Data.Values.Where(dataset => dataset.Sensitivity?.Columns.ContainsKey(name) == true).Select(dataset => dataset.Sensitivity!.Columns[name]).ToList();
        if (named.Count > 0)
            return named.Min();
        return isOutput ? Sensitivity.Public : Data.Values.Select(dataset => dataset.Sensitivity?.Default ?? Sensitivity.Public).DefaultIfEmpty(Sensitivity.Public).Min();
    }

    /// <summary>The declared path of an output; a folder's ends in a slash.</summary>
    /// <param name="output">As <c>stage.output</c>.</param>
    /// <returns>Null when there is no such output.</returns>
    public string? PathOf(string output)
    {
        var (stage, name) = StageSpec.Split(output);
        return Stages.FirstOrDefault(declared => declared.Name == stage)?.Outputs.GetValueOrDefault(name);
    }
}

/// <param name="Path">File, folder or glob, relative to the project's root.</param>
/// <param name="Expect">Expectations file, relative to the project's root; null when nothing is expected.</param>
public sealed record DatasetSpec(string Name, string Path, string? Expect, DatasetSource? Source)
{
    /// <summary>Who may see its values; null when nothing is said: all is public.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public DataSensitivity? Sensitivity { get; init; }

    /// <summary>What a check takes of it; no part of the document.</summary>
    [JsonIgnore]
    public SampleSpec Sample { get; init; } = SampleSpec.Default;

    /// <summary>Where it stands in the user's file; empty in a document that was read back.</summary>
    [JsonIgnore]
    public Place At { get; init; }
}

/// <summary>The rows of a dataset that <c>slipway check</c> looks at.</summary>
/// <param name="Rows">1 to <see cref="MostRows"/>; a dataset with no more is taken whole.</param>
/// <param name="Seed">Chooses other rows; 0 to 2^32−1.</param>
public sealed record SampleSpec(long Rows, long Seed)
{
    public const long MostRows = 100_000_000;

    /// <summary>10,000 rows, seed 42: seconds for most pipelines.</summary>
    public static SampleSpec Default { get; } = new(10_000, 42);
}

/// <param name="Default">Of every column that is not among <paramref name="Columns"/>.</param>
public sealed record DataSensitivity(Sensitivity Default, ImmutableSortedDictionary<string, Sensitivity> Columns);

/// <summary>Where a dataset came from, for the reader; nothing is fetched.</summary>
public sealed record DatasetSource(string Url, string? License);

/// <param name="HostPackages">Debian packages that the host must have; with all that they depend on, they are the fingerprint.</param>
public sealed record EnvironmentSpec(string Name, ImmutableArray<string> HostPackages)
{
    /// <summary>Where it stands in the user's file; empty in a document that was read back.</summary>
    [JsonIgnore]
    public Place At { get; init; }
}

/// <param name="Seed">Handed to every stage as <c>SLIPWAY_SEED</c>; 0 to 2^32−1, which every library takes.</param>
/// <param name="Epoch">Whole seconds since 1970: SOURCE_DATE_EPOCH and archive times.</param>
public sealed record DeterminismSpec(long Seed, long Epoch)
{
    /// <summary>Whether addresses are the same in every process of a stage: programs that order by address, or hash it, then repeat.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool FixedAddresses { get; init; }

    /// <summary>Seed 42, 1980-01-01T00:00:00Z.</summary>
    public static DeterminismSpec Default { get; } = new(42, 315_532_800);
}

/// <summary>One command or SQL file with declared inputs and outputs.</summary>
/// <param name="Run">Argument list; null for an SQL stage. A shell line is <c>["/bin/sh", "-c", line]</c>.</param>
/// <param name="Sql">SQL file, relative to the project's root; null for a command.</param>
/// <param name="Outputs">Path by output name, relative to the project's root; a folder ends in a slash.</param>
/// <param name="Params">Names of the params that this stage uses; only these reach it, and its step key.</param>
/// <param name="Environment">Name of an environment; null runs in the host's plain PATH.</param>
/// <param name="Hardware">Name of a hardware profile.</param>
public sealed record StageSpec(
    string Name,
    ImmutableArray<string>? Run,
    string? Sql,
    ImmutableArray<StageInput> Inputs,
    ImmutableSortedDictionary<string, string> Outputs,
    ImmutableArray<string> Params,
    string? Environment,
    string? Hardware,
    Duration? Timeout)
{
    /// <summary>Most times that its command is repeated after it failed or ran into its timeout, 0 to 10.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public int Retries { get; init; }

    /// <summary>Names of the secrets that it gets as variables, sorted; null for none. Values come at run time and are in no document.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public ImmutableArray<string>? Secrets { get; init; }

    /// <summary>Whether it may use the network.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public StageNetwork Network { get; init; }

    /// <summary>When it runs.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public StageWhen When { get; init; }

    /// <summary>Names of its outputs that are JSON files with figures, which a run records; null for none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public ImmutableArray<string>? Metrics { get; init; }

    /// <summary>Which combination of a <c>foreach</c> it is; null for a stage that stands for itself.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public StageCombination? Combination { get; init; }

    /// <summary>Whether its outputs are never taken from what is known: by its own word, or because it reads from a network that answers as it likes.</summary>
    [JsonIgnore]
    public bool RunsAlways => When == StageWhen.Always || Network == StageNetwork.Host;

    /// <summary>Where it stands in the user's file; empty in a document that was read back.</summary>
    [JsonIgnore]
    public Place At { get; init; }

    /// <summary>Whether a person who names <paramref name="name"/> means this stage: by its own name, or by that of the stage whose combination it is.</summary>
    public bool IsCalled(string name) => Name == name || Combination?.Of == name;

    /// <summary>Stage and output of <c>stage.output</c>: an output's name has no dot, the values in a combination's name may.</summary>
    public static (string Stage, string Output) Split(string reference)
    {
        var dot = reference.LastIndexOf('.');
        return dot < 0 ? (reference, "") : (reference[..dot], reference[(dot + 1)..]);
    }
}

/// <summary>One combination of a <c>foreach</c>.</summary>
/// <param name="Of">The stage's name in the user's file.</param>
/// <param name="Values">Of the params that this combination sets, for this stage alone.</param>
public sealed record StageCombination(string Of, ImmutableSortedDictionary<string, JsonElement> Values);

/// <summary>Whether a stage may use the network.</summary>
[JsonConverter(typeof(NamedEnum<StageNetwork>))]
public enum StageNetwork
{
    [JsonStringEnumMemberName("none")] None,

    /// <summary>The host's; what it answers is not known, so that the stage always runs.</summary>
    [JsonStringEnumMemberName("host")] Host,

    /// <summary>The host's; the author vouches that what is fetched is fixed by the inputs, so that outputs are taken from what is known.</summary>
    [JsonStringEnumMemberName("pinned")] Pinned,
}

public static class StageWords
{
    public static string Word(this StageNetwork network) => NamedEnum<StageNetwork>.Word(network);

    public static string Word(this StageWhen when) => NamedEnum<StageWhen>.Word(when);
}

/// <summary>When a stage runs.</summary>
[JsonConverter(typeof(NamedEnum<StageWhen>))]
public enum StageWhen
{
    /// <summary>When anything changed that can influence its outputs.</summary>
    [JsonStringEnumMemberName("changed")] Changed,
    [JsonStringEnumMemberName("always")] Always,

    /// <summary>When a person names it.</summary>
    [JsonStringEnumMemberName("manual")] Manual,
}

/// <summary>What an input names.</summary>
[JsonConverter(typeof(NamedEnum<InputKind>))]
public enum InputKind
{
    /// <summary>A dataset by its name.</summary>
    [JsonStringEnumMemberName("dataset")] Dataset,

    /// <summary>Another stage's output, <c>stage.output</c>.</summary>
    [JsonStringEnumMemberName("output")] Output,

    /// <summary>A file, a folder (ends in a slash) or a glob of the project.</summary>
    [JsonStringEnumMemberName("path")] Path,
}

/// <param name="Name">As written: a dataset's name, <c>stage.output</c>, or a path.</param>
public sealed record StageInput(InputKind Kind, string Name)
{
    /// <summary>Where it stands in the user's file; empty in a document that was read back.</summary>
    [JsonIgnore]
    public Place At { get; init; }
}

/// <param name="Artifact">The output that is the model, <c>stage.output</c>.</param>
public sealed record ModelSpec(string Artifact, RuntimeSpec Runtime, string Task, ModelSignature Signature)
{
    /// <summary>The dataset or output whose profile is sealed as the reference of live traffic; null for none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public StageInput? Reference { get; init; }

    /// <summary>Where it stands in the user's file; empty in a document that was read back.</summary>
    [JsonIgnore]
    public Place At { get; init; }
}

/// <summary>How the model is hosted: ONNX Runtime in process, or a command that answers on a socket.</summary>
/// <param name="Process">Argument list; null means ONNX.</param>
/// <param name="Inputs">Files, folders or globs of the project that the command needs; sealed as the bundle's code.</param>
/// <param name="Environment">Name of an environment; null for ONNX or the host's plain PATH.</param>
public sealed record RuntimeSpec(ImmutableArray<string>? Process, ImmutableArray<StageInput> Inputs, string? Environment)
{
    public bool IsOnnx => Process is null;
}

/// <param name="Predictions">The output that holds one row per example, <c>stage.output</c>.</param>
/// <param name="Label">Column of 0 and 1.</param>
/// <param name="Score">Column of probabilities, 0 to 1.</param>
/// <param name="Unit">Column whose values are resampled as a whole; null resamples rows.</param>
/// <param name="Baseline">Reference of a bundle; null for none.</param>
/// <param name="Metrics">Of auc, accuracy, log_loss, brier, ece.</param>
/// <param name="Slices">Columns by whose values the metrics are repeated.</param>
public sealed record EvaluateSpec(
    string Predictions,
    string Label,
    string Score,
    string? Unit,
    string? Baseline,
    ImmutableArray<string> Metrics,
    ImmutableArray<string> Slices,
    Ratio Confidence,
    int Resamples)
{
    /// <summary>Where it stands in the user's file; empty in a document that was read back.</summary>
    [JsonIgnore]
    public Place At { get; init; }
}

/// <param name="Require">An expression of <c>Slipway.Expressions</c>, syntax and names already checked.</param>
/// <param name="WithoutBaseline">What becomes of it when there is no baseline.</param>
public sealed record GateSpec(string Name, string Require, WithoutBaseline WithoutBaseline)
{
    /// <summary>Where it stands in the user's file; empty in a document that was read back.</summary>
    [JsonIgnore]
    public Place At { get; init; }

    /// <summary>Where the first character of the expression stands, for faults inside it.</summary>
    [JsonIgnore]
    public Place RequireAt { get; init; }
}

[JsonConverter(typeof(NamedEnum<WithoutBaseline>))]
public enum WithoutBaseline
{
    /// <summary>A gate that needs a baseline and has none is an error. The default.</summary>
    [JsonStringEnumMemberName("refuse")] Refuse,

    /// <summary>It is recorded as not evaluated.</summary>
    [JsonStringEnumMemberName("skip")] Skip,
}
