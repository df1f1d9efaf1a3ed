using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Slipway.Documents;
using Slipway.Documents.Runs;
using Slipway.Pipeline;
using Slipway.Pipeline.Execution;
using Slipway.Primitives.Faults;

namespace Slipway.Cli;

/// <summary>What happens in a run as lines of JSON: <c>docs/format/run-events.md</c>. All but ASCII is escaped, so that no text works on a terminal.</summary>
/// <param name="run">Its id.</param>
internal sealed class RunEventLines(string run)
{
    /// <summary>At most one of a kind and stage in that time; those between are left out.</summary>
    private static readonly TimeSpan progressEvery = TimeSpan.FromSeconds(1), useEvery = TimeSpan.FromSeconds(10);

    private readonly Dictionary<(string Event, string Stage), TimeSpan> told = [];

    public string Begun(DateTimeOffset time) => Line("run-started", time, []);

    /// <param name="exit">As the program will exit.</param>
    /// <param name="last">The run as it was left.</param>
    public string Ended(int exit, RunPicture last, DateTimeOffset time, TimeSpan now) => Line("run-ended", time, new JsonObject
    {
        ["exit"] = exit,
        ["seconds"] = Seconds(now),
        ["executed"] = last.Executed,
        ["cached"] = last.Cached,
        ["failed"] = last.Failed,
        ["unfinished"] = last.Waiting + last.Running.Length,
    });

    /// <param name="now">Since the run began.</param>
    /// <returns>Null where that is no line.</returns>
    public string? Of(PipelineEvent what, DateTimeOffset time, TimeSpan now) => what switch
    {
        PhaseStarted phase => Line("phase", time, new JsonObject { ["doing"] = phase.Doing }),
        Remark remark => Line("remark", time, new JsonObject { ["text"] = remark.Text }),
        StageProgress { What: StagesPlanned planned } => Line("stages-planned", time, new JsonObject { ["stages"] = Texts(planned.Stages) }),
        StageProgress { What: StageEvent stage } => Of(stage, time, now),
        _ => null,
    };

    private string? Of(StageEvent what, DateTimeOffset time, TimeSpan now) => what switch
    {
        StageStarted started => Stage("stage-started", what, time, new JsonObject { ["reasons"] = Texts(started.Reasons), ["log"] = started.Log }),
        StageProgressed { Progress: var at } when IsDue("stage-progressed", what.Stage, progressEvery, now) =>
            Stage("stage-progressed", what, time, new JsonObject { ["done"] = at.Done, ["total"] = at.Total }),
        StageUsed { Use: var use } when IsDue("stage-used", what.Stage, useEvery, now) =>
            Stage("stage-used", what, time, new JsonObject { ["memory"] = use.Memory, ["processors"] = Math.Round(use.Processors, 2) }),
        StageRetried retried => Stage("stage-retried", what, time, new JsonObject { ["attempt"] = retried.Attempt, ["attempts"] = retried.Attempts, ["faults"] = Faults(retried.Failure) }),
        StageSent sent => Stage("stage-sent", what, time, new JsonObject { ["to"] = sent.Place, ["bytes"] = sent.Bytes }),
        StageRemark remark => Stage("remark", what, time, new JsonObject { ["text"] = remark.Text }),
        StageFailed failed => Stage("stage-failed", what, time, new JsonObject { ["faults"] = Faults(failed.Failure) }),
        StageEnded { Result: var result } => Stage("stage-ended", what, time, Of(result)),
        _ => null,
    };

    private static JsonObject Of(StageResult result)
    {
        var members = new JsonObject
        {
            ["source"] = result.Source.Word(),
            ["key"] = result.Key.ToString(),
            ["seconds"] = Math.Round(result.Seconds, 6),
            ["repeats"] = result.Repeats,
            ["isolation"] = result.Isolation.Word(),
        };
        if (result.PeakMemory is { } memory)
            members["peakMemory"] = memory;
        if (result.Usage is { } usage)
            members["usage"] = JsonSerializer.SerializeToNode(usage, DocumentJson.Default.StageUsage);
        return members;
    }

    private bool IsDue(string kind, string stage, TimeSpan every, TimeSpan now)
    {
        if (told.TryGetValue((kind, stage), out var last) && now - last < every)
            return false;
        told[(kind, stage)] = now;
        return true;
    }

    private string Stage(string kind, StageEvent what, DateTimeOffset time, JsonObject members)
    {
        members.Insert(0, "stage", what.Stage);
        return Line(kind, time, members);
    }

    private string Line(string kind, DateTimeOffset time, JsonObject members)
    {
        members.Insert(0, "run", run);
        members.Insert(0, "time", time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture));
        members.Insert(0, "event", kind);
        return members.ToJsonString();
    }

    private static double Seconds(TimeSpan time) => Math.Round(time.TotalSeconds, 3);

    private static JsonArray Texts(IEnumerable<string> texts) => new([.. texts.Select(text => (JsonNode)text)]);

    private static JsonArray Faults(SlipwayException failure) => new([.. failure.Faults.Select(Shell.Render)]);
}
