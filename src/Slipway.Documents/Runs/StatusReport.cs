using System.Collections.Immutable;
using System.Text.Json.Serialization;
using Slipway.Primitives.Bytes;

namespace Slipway.Documents.Runs;

/// <summary>What a run would do now, and why.</summary>
/// <param name="Stages">In plan order.</param>
public sealed record StatusReport(ImmutableArray<StageStatus> Stages)
{
    [JsonIgnore]
    public bool IsUpToDate => Stages.All(stage => stage.State == StageState.Cached);
}

/// <param name="Key">The step key; null where it hangs on outputs that are not known yet.</param>
/// <param name="Reasons">Why it would run, in the spec's words: <c>params.rate 0.1 → 0.2</c>; empty when it would not.</param>
public sealed record StageStatus(string Name, StageState State, Digest? Key, ImmutableArray<string> Reasons);

[JsonConverter(typeof(NamedEnum<StageState>))]
public enum StageState
{
    [JsonStringEnumMemberName("would-run")] WouldRun,
    [JsonStringEnumMemberName("cached")] Cached,
}
