using System.Collections.Immutable;
using System.Text.Json.Serialization;
using Slipway.Primitives.Bytes;

namespace Slipway.Documents.Runs;

/// <summary>What a run would do now, and why.</summary>
/// <param name="Stages">In plan order.</param>
public sealed record StatusReport(ImmutableArray<StageStatus> Stages)
{
    [JsonIgnore]
    public bool IsUpToDate => Stages.All(stage => stage.State is StageState.Cached or StageState.Manual);
}

/// <param name="Key">The step key; null where it hangs on outputs that are not known yet.</param>
/// <param name="Reasons">Why it would run, in the spec's words: <c>params.rate 0.1 → 0.2</c>; also why the outputs of a manual one are not known; empty when they are.</param>
public sealed record StageStatus(string Name, StageState State, Digest? Key, ImmutableArray<string> Reasons);

[JsonConverter(typeof(NamedEnum<StageState>))]
public enum StageState
{
    [JsonStringEnumMemberName("would-run")] WouldRun,
    [JsonStringEnumMemberName("cached")] Cached,

    /// <summary>Its outputs are not known for what it would take in now, and it runs only when a person names it.</summary>
    [JsonStringEnumMemberName("manual")] Manual,
}
