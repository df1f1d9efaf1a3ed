using System.Collections.Immutable;
using System.Text.Json.Serialization;
using Slipway.Primitives.Bytes;

namespace Slipway.Documents.Datasets;

/// <summary>What a dataset's expectations found. It shows rows, so it stays with the run and is never sealed.</summary>
public sealed record ValidationReport(string Dataset, Digest Digest, long Rows, ImmutableArray<ExpectationResult> Results)
{
    /// <summary>Whether the run may go on: every expectation of severity error was checked and holds.</summary>
    [JsonIgnore]
    public bool Passed => !Results.Any(result => result.StopsTheRun());
}

[JsonConverter(typeof(NamedEnum<ExpectationVerdict>))]
public enum ExpectationVerdict
{
    /// <summary>Could not be checked, which is never a pass. The zero value, so an unset verdict is not trust.</summary>
    [JsonStringEnumMemberName("not-checked")] NotChecked,
    [JsonStringEnumMemberName("holds")] Holds,
    [JsonStringEnumMemberName("broken")] Broken,
}

/// <param name="Name">For people: <c>distance in [0, 6000]</c>.</param>
/// <param name="Column">Null when it is about rows as a whole.</param>
/// <param name="Checked">Rows that were looked at.</param>
/// <param name="Bad">Rows that break it.</param>
/// <param name="Allowed">Rows that may break it.</param>
/// <param name="Detail">What was found where a count of rows does not say it; or why it could not be checked.</param>
/// <param name="Examples">At most five bad rows as text, by column.</param>
public sealed record ExpectationResult(
    string Name,
    string? Column,
    Severity Severity,
    ExpectationVerdict Verdict,
    long Checked,
    long Bad,
    long Allowed,
    string? Detail,
    ImmutableArray<ImmutableSortedDictionary<string, string>> Examples)
{
    /// <summary>Of severity error, and broken or not checked.</summary>
    public bool StopsTheRun() => Severity == Severity.Error && Verdict != ExpectationVerdict.Holds;
}
