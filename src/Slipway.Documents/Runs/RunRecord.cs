using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Slipway.Documents.Datasets;
using Slipway.Documents.Evaluations;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;
using Slipway.Primitives.Files;

namespace Slipway.Documents.Runs;

/// <summary>One execution of the pipeline: <c>.slipway/runs/ID/run.json</c>. Measured and local, so never sealed.</summary>
/// <param name="Id">Of <see cref="NewId"/>; also the name of the run's folder.</param>
/// <param name="Finished">Null while it runs, and for ever when it was killed.</param>
/// <param name="Stages">In the order in which they ended; of a failed run, those that ended well.</param>
/// <param name="Faults">Why it did not succeed; empty otherwise.</param>
/// <param name="Bundle">Manifest digest of the sealed bundle.</param>
/// <param name="Verdict">Of the gates together.</param>
public sealed record RunRecord(
    string Id,
    RunState State,
    DateTimeOffset Started,
    DateTimeOffset? Finished,
    ImmutableArray<ValidationSummary> Validation,
    ImmutableArray<StageResult> Stages,
    ImmutableArray<Fault> Faults,
    Evaluation? Evaluation,
    Digest? Bundle,
    Verdict? Verdict)
{
    /// <summary>A run that begins now.</summary>
    public static RunRecord Begin(string id, DateTimeOffset now) => new(id, RunState.Running, now, null, [], [], [], null, null, null);

    /// <summary>An id that sorts by time: <c>20260314-092653-3fa9c1</c>, in UTC.</summary>
    /// <param name="random">Tells two runs of one second apart; from the composition root.</param>
    public static string NewId(DateTimeOffset now, uint random) =>
        string.Create(CultureInfo.InvariantCulture, $"{now.UtcDateTime:yyyyMMdd-HHmmss}-{random & 0xffffff:x6}");

    /// <summary>The folder of a run: its record, logs and reports.</summary>
    public static string FolderOf(ProjectFolder project, string id) => Path.Combine(project.Runs, id);

    /// <summary>Replaces the record on disk.</summary>
    public void Write(ProjectFolder project) =>
        AtomicFile.Write(Path.Combine(FolderOf(project, Id), "run.json"), CanonicalJson.Serialize(this, DocumentJson.Default.RunRecord));

    /// <summary>The ids of all runs, the newest first.</summary>
    public static IReadOnlyList<string> Ids(ProjectFolder project) =>
        Directory.Exists(project.Runs)
            ? [.. Directory.EnumerateDirectories(project.Runs).Select(path => Path.GetFileName(path)).Where(id => File.Exists(Path.Combine(FolderOf(project, id), "run.json"))).OrderDescending(StringComparer.Ordinal)]
            : [];

    /// <returns>Null when there is no such run.</returns>
    /// <exception cref="SlipwayException">The record cannot be read (exit 2).</exception>
    public static RunRecord? Read(ProjectFolder project, string id)
    {
        var path = Path.Combine(FolderOf(project, id), "run.json");
        if (!File.Exists(path))
            return null;
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(path), DocumentJson.Default.RunRecord);
        }
        catch (JsonException e)
        {
            throw new SlipwayException(ExitCode.UnusableInput, new Fault("bad-run-record", $"the record of run {id} cannot be read: {e.Message}", path), e);
        }
    }
}

[JsonConverter(typeof(NamedEnum<RunState>))]
public enum RunState
{
    /// <summary>Runs, or was killed. The zero value, so an unset state is no success.</summary>
    [JsonStringEnumMemberName("running")] Running,
    [JsonStringEnumMemberName("succeeded")] Succeeded,

    /// <summary>A stage failed, or the data broke an expectation of severity error.</summary>
    [JsonStringEnumMemberName("failed")] Failed,
    [JsonStringEnumMemberName("cancelled")] Cancelled,
}

/// <summary>A stage that ended well, whether it ran or was taken from a cache.</summary>
/// <param name="Key">Digest of all that could influence the outputs.</param>
/// <param name="Seconds">Wall-clock time of the command; of one that was not executed, the time to look and to fetch.</param>
/// <param name="PeakMemory">Bytes of the largest process; null when cached, or over too soon to be measured.</param>
/// <param name="Inputs">By input as written in the spec; the SQL file of a stage counts as one.</param>
/// <param name="Outputs">By output name.</param>
public sealed record StageResult(
    string Name,
    StageSource Source,
    Digest Key,
    double Seconds,
    long? PeakMemory,
    ImmutableSortedDictionary<string, Artifact> Inputs,
    ImmutableSortedDictionary<string, Artifact> Outputs)
{
    /// <summary>Figures of the outputs that it declares as metrics, by dotted name; null where it declares none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public ImmutableSortedDictionary<string, double>? Metrics { get; init; }

    /// <summary>How often its command was begun again after it failed.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public int Repeats { get; init; }

    /// <summary>What held it to its declaration when its outputs were made.</summary>
    public Isolation Isolation { get; init; }

    /// <summary>Null when it was not executed.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public StageUsage? Usage { get; init; }

    /// <summary>Whose word its outputs rest on when they came from a shared cache; null otherwise.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public SharedOrigin? Shared { get; init; }
}

/// <summary>Where outputs came from that another machine made.</summary>
/// <param name="Place">The shared cache.</param>
/// <param name="Key">Id of the key that signed for them.</param>
/// <param name="Signer">As the trust policy calls the key's owner.</param>
public sealed record SharedOrigin(string Place, string Key, string Signer);

/// <summary>What a command used, with all that it started.</summary>
/// <param name="UserSeconds">Of processors, in the program's own code.</param>
/// <param name="SystemSeconds">Of processors, in the kernel.</param>
/// <param name="BytesRead">From disk; what the kernel had in memory already does not count.</param>
/// <param name="BytesWritten">That are to go to disk.</param>
public sealed record StageUsage(double UserSeconds, double SystemSeconds, long BytesRead, long BytesWritten)
{
    /// <summary>Energy that the host's processors took meanwhile, whatever they did, in joules; null where the host does not tell, or stages ran side by side.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? HostJoules { get; init; }
}

/// <summary>Where a stage's outputs came from.</summary>
[JsonConverter(typeof(NamedEnum<StageSource>))]
public enum StageSource
{
    [JsonStringEnumMemberName("executed")] Executed,
    [JsonStringEnumMemberName("cached")] Cached,

    /// <summary>From a cache that several machines share: see <see cref="StageResult.Shared"/>.</summary>
    [JsonStringEnumMemberName("shared")] Shared,
}

/// <summary>A dataset's validation in figures, without the rows that the report shows.</summary>
/// <param name="Digest">The snapshot's.</param>
/// <param name="Broken">Expectations that do not hold, or could not be checked, by severity error.</param>
/// <param name="Warnings">The same, by severity warn.</param>
public sealed record ValidationSummary(string Dataset, Digest Digest, long Rows, int Expectations, int Broken, int Warnings)
{
    public static ValidationSummary Of(ValidationReport report) => new(
        report.Dataset,
        report.Digest,
        report.Rows,
        report.Results.Length,
        report.Results.Count(result => result.StopsTheRun()),
        report.Results.Count(result => result.Severity == Severity.Warn && result.Verdict != ExpectationVerdict.Holds));
}

public static class RunWords
{
    public static string Word(this RunState state) => NamedEnum<RunState>.Word(state);

    public static string Word(this StageSource source) => NamedEnum<StageSource>.Word(source);
}
