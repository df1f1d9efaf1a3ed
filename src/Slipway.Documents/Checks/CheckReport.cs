using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;
using Slipway.Documents.Evaluations;
using Slipway.Documents.Runs;
using Slipway.Primitives.Faults;

namespace Slipway.Documents.Checks;

/// <summary>What <c>slipway check</c> found: nothing sealed, nothing signed, about samples of the data.</summary>
/// <param name="Project">The spec's name; null when the spec cannot be read.</param>
/// <param name="Seconds">Wall clock, of all of it.</param>
/// <param name="Checks">In the order in which they were made.</param>
/// <param name="Samples">By dataset name.</param>
/// <param name="Stages">Those that ended well, in the order in which they ended.</param>
/// <param name="Evaluation">On the samples, so no statement about the model; null when nothing was evaluated.</param>
public sealed record CheckReport(
    string? Project,
    double Seconds,
    ImmutableArray<CheckResult> Checks,
    ImmutableArray<DatasetSample> Samples,
    ImmutableArray<CheckedStage> Stages,
    Evaluation? Evaluation)
{
    /// <summary>Failed when anything failed; else an error when anything could not be checked; else passed.</summary>
    public CheckVerdict Verdict =>
        Checks.Any(check => check.Verdict == CheckVerdict.Failed) ? CheckVerdict.Failed
        : Checks.IsEmpty || Checks.Any(check => check.Verdict == CheckVerdict.Error) ? CheckVerdict.Error
        : CheckVerdict.Passed;

    /// <summary>A spec that cannot be used is unusable input; what could not be checked lacks something.</summary>
    [JsonIgnore]
    public ExitCode Exit =>
        Checks.Any(check => check is { Group: CheckGroup.Spec, Verdict: CheckVerdict.Failed }) ? ExitCode.UnusableInput
        : Verdict switch
        {
            CheckVerdict.Passed => ExitCode.Done,
            CheckVerdict.Failed => ExitCode.BadVerdict,
            _ => ExitCode.NotThere,
        };

    public int Count(CheckVerdict verdict) => Checks.Count(check => check.Verdict == verdict);

    /// <summary>The document of <c>--json</c>.</summary>
    public JsonElement ToJson() => JsonSerializer.SerializeToElement(this, CheckJson.Default.CheckReport);
}

/// <param name="Name">Tells it from the others of its group: a dataset and what is expected of it, a stage, a request.</param>
/// <param name="Seconds">Wall clock; 0 for what was found beside another.</param>
/// <param name="Message">What was found, in one sentence; of a skipped one, why. Null when there is nothing to say.</param>
/// <param name="Faults">What is wrong, each with its place and the next step where there is one; empty when it passed or was skipped.</param>
public sealed record CheckResult(CheckGroup Group, string Name, CheckVerdict Verdict, double Seconds, string? Message, ImmutableArray<Fault> Faults);

[JsonConverter(typeof(NamedEnum<CheckGroup>))]
public enum CheckGroup
{
    [JsonStringEnumMemberName("spec")] Spec,
    [JsonStringEnumMemberName("lock")] Lock,
    [JsonStringEnumMemberName("data")] Data,
    [JsonStringEnumMemberName("expectations")] Expectations,
    [JsonStringEnumMemberName("stages")] Stages,
    [JsonStringEnumMemberName("evaluation")] Evaluation,
    [JsonStringEnumMemberName("gates")] Gates,
    [JsonStringEnumMemberName("model")] Model,
}

[JsonConverter(typeof(NamedEnum<CheckVerdict>))]
public enum CheckVerdict
{
    /// <summary>Could not be checked, which is never a pass. The zero value, so an unset verdict is not trust.</summary>
    [JsonStringEnumMemberName("error")] Error,
    [JsonStringEnumMemberName("failed")] Failed,
    [JsonStringEnumMemberName("skipped")] Skipped,
    [JsonStringEnumMemberName("passed")] Passed,
}

/// <param name="Rows">Of the sample.</param>
/// <param name="Of">Rows of the whole dataset.</param>
/// <param name="Whole">Why all of it was taken; null when a part was.</param>
public sealed record DatasetSample(string Dataset, long Rows, long Of, string? Whole);

/// <param name="Seconds">Of the command; of a cached one, the time to look.</param>
public sealed record CheckedStage(string Name, StageSource Source, double Seconds);

public static class CheckWords
{
    public static string Word(this CheckGroup group) => NamedEnum<CheckGroup>.Word(group);

    public static string Word(this CheckVerdict verdict) => NamedEnum<CheckVerdict>.Word(verdict);
}

[JsonSourceGenerationOptions(JsonSerializerDefaults.Strict, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(CheckReport))]
internal sealed partial class CheckJson : JsonSerializerContext;
