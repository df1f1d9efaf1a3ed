using System.Collections.Immutable;
using Slipway.Documents.Evaluations;
using Slipway.Documents.Runs;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;
using Slipway.Tests.Primitives;

namespace Slipway.Tests.Documents.Runs;

public sealed class RunRecordTests : IDisposable
{
    private static readonly DateTimeOffset start = new(2026, 3, 14, 9, 26, 53, TimeSpan.FromHours(2));

    private readonly TestFolder folder = new();

    private ProjectFolder Project => new(folder.Root);

    public void Dispose() => folder.Dispose();

    [Fact]
    public void Ids_sort_by_time_and_are_in_UTC()
    {
        Assert.Equal("20260314-072653-00002a", RunRecord.NewId(start, 42));
        Assert.Equal("20260314-072653-ffffff", RunRecord.NewId(start, uint.MaxValue));
        Assert.True(string.CompareOrdinal(RunRecord.NewId(start, 9), RunRecord.NewId(start.AddSeconds(1), 0)) < 0);
    }

    [Fact]
    public void A_record_comes_back_as_it_was_written()
    {
        var artifact = new Artifact(Digest.Of("abc"u8), ArtifactKind.Folder, 3);
        var record = RunRecord.Begin(RunRecord.NewId(start, 1), start) with
        {
            State = RunState.Failed,
            Finished = start.AddMinutes(1),
            Validation = [new ValidationSummary("flights", artifact.Digest, 3, 2, 1, 0)],
            Stages = [new StageResult("fit", StageSource.Executed, artifact.Digest, 1.5, null, ImmutableSortedDictionary<string, Artifact>.Empty.Add("a.b", artifact), ImmutableSortedDictionary<string, Artifact>.Empty)],
            Faults = [new Fault("stage-failed", "no", "slipway.yaml", 3, 4, "help")],
            Bundle = artifact.Digest,
            Verdict = Verdict.Fail,
        };
        record.Write(Project);
        var read = RunRecord.Read(Project, record.Id)!;
        Assert.Equal(Json(record), Json(read));
        Assert.Equal((record.Faults[0], record.Validation[0], start), (read.Faults[0], read.Validation[0], read.Started));
        Assert.Contains("\"source\":\"executed\"", Json(read));
        Assert.Contains("\"state\":\"failed\"", Json(read));
    }

    [Fact]
    public void A_run_that_is_not_there_is_null_and_a_broken_record_is_told()
    {
        Assert.Null(RunRecord.Read(Project, "none"));
        folder.Write(".slipway/runs/x/run.json", "{\"id\":\"x\"}");
        Assert.Equal("bad-run-record", Assert.Throws<SlipwayException>(() => RunRecord.Read(Project, "x")).Faults[0].Code);
    }

    [Fact]
    public void A_run_that_began_is_not_a_success() => Assert.Equal(RunState.Running, RunRecord.Begin("x", start).State);

    private static string Json(RunRecord record) => System.Text.Encoding.UTF8.GetString(CanonicalJson.Serialize(record, Slipway.Documents.DocumentJson.Default.RunRecord));
}
