using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;
using Slipway.Documents.Hardware;
using Slipway.Documents.Specs;
using Slipway.Primitives.Bytes;

namespace Slipway.Documents.Runs;

/// <summary>All that can influence a stage's outputs. Its canonical JSON's digest is the step key.</summary>
/// <remarks>No commit, no version of Slipway, no absolute path, no time: the same stage has the same key anywhere. Compares collections by identity.</remarks>
/// <param name="Version">Of this document and of what a stage finds around it: <see cref="CurrentVersion"/>.</param>
/// <param name="Run">The command as written, params not yet put in; null for SQL.</param>
/// <param name="Sql">The SQL file's path; its content is among the inputs. Null for a command.</param>
/// <param name="Engine">Name and version of the SQL engine, whose results may differ between versions; null for a command.</param>
/// <param name="Inputs">By input as written.</param>
/// <param name="Outputs">Declared path by output name.</param>
/// <param name="Params">The used ones only.</param>
/// <param name="Threads">What OMP_NUM_THREADS and its kind are set to.</param>
/// <param name="Environment">Digest of the host environment's fingerprint; null without an environment.</param>
public sealed record StepKeyDocument(
    int Version,
    string Stage,
    ImmutableArray<string>? Run,
    string? Sql,
    string? Engine,
    ImmutableSortedDictionary<string, KeyInput> Inputs,
    ImmutableSortedDictionary<string, string> Outputs,
    ImmutableSortedDictionary<string, JsonElement> Params,
    long Seed,
    long Epoch,
    int Threads,
    Digest? Environment)
{
    /// <summary>To be raised whenever a stage is given other variables, folders or arguments than before.</summary>
    public const int CurrentVersion = 2;

    /// <summary>Names of the secrets that it gets, sorted, never their values; null for none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public ImmutableArray<string>? Secrets { get; init; }

    /// <summary>How it may use the network; null for not at all.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public StageNetwork? Network { get; init; }

    /// <summary>Whether its processes get the same addresses every time.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool FixedAddresses { get; init; }

    /// <summary>The kind of host that its hardware profile asks for; null where it asks for none in particular.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public HardwareClass? Hardware { get; init; }

    public Digest Key() => Digest.Of(CanonicalJson.Serialize(this, DocumentJson.Default.StepKeyDocument));

    /// <param name="inputs">By input as written, each with the path at which the stage finds it.</param>
    /// <param name="environment">Digest of the fingerprint of the stage's environment; null without one.</param>
    /// <param name="engine">Used for SQL stages only.</param>
    public static StepKeyDocument Of(Spec spec, StageSpec stage, ImmutableSortedDictionary<string, KeyInput> inputs, Digest? environment, string engine) => new(
        CurrentVersion,
        stage.Name,
        stage.Run,
        stage.Sql,
        stage.Sql is null ? null : engine,
        inputs,
        stage.Outputs,
        StageParams.Of(spec, stage),
        spec.Determinism.Seed,
        spec.Determinism.Epoch,
        ThreadsOf(spec, stage),
        environment)
    {
        Secrets = stage.Secrets,
        Network = stage.Network == StageNetwork.None ? null : stage.Network,
        FixedAddresses = spec.Determinism.FixedAddresses,
        Hardware = HardwareClass.Of(spec.ProfileOf(stage)),
    };

    /// <summary>Threads that a stage's libraries may use: its hardware profile's, or one, which is what repeats.</summary>
    private static int ThreadsOf(Spec spec, StageSpec stage) =>
        stage.Hardware is { } name && spec.Hardware.TryGetValue(name, out var profile) ? profile.Threads ?? 1 : 1;
}

/// <param name="Path">Where the stage finds it, relative to its working directory.</param>
public sealed record KeyInput(string Path, ArtifactKind Kind, Digest Digest);

/// <summary>What of a hardware profile may change a result: the arithmetic and what does it. How much there is of it may not.</summary>
/// <param name="Features">CPU features, sorted.</param>
public sealed record HardwareClass(ImmutableArray<string> Features, AcceleratorProfile? Accelerator, string? Precision)
{
    /// <returns>Null for a profile that names none of these.</returns>
    public static HardwareClass? Of(HardwareProfile? profile) =>
        profile is null or { Features.IsEmpty: true, Accelerator: null, Precision: null } ? null : new([.. profile.Features.Order(StringComparer.Ordinal)], profile.Accelerator, profile.Precision);

    /// <summary>As people read it: <c>avx2, nvidia × 1, fp32</c>.</summary>
    public override string ToString() =>
        string.Join(", ", Features.Concat(Accelerator is { } accelerator ? [$"{accelerator.Kind} × {accelerator.Count}{Of(" ", accelerator.Compute)}{Of(" driver ", accelerator.Driver)}"] : []).Concat(Precision is { } precision ? [precision] : []));

    private static string Of(string label, string? condition) => condition is null ? "" : label + condition;
}

/// <summary>What a bundle needs beside its other documents for its stages to be run again: every step key's document.</summary>
/// <param name="Stages">In execution order, as the lineage has them.</param>
public sealed record RerunPlan(ImmutableArray<StepKeyDocument> Stages);
