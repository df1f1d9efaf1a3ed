using Slipway.Documents.Runs;
using Slipway.Pipeline;
using Slipway.Pipeline.Execution;
using Slipway.Primitives.Faults;
using Slipway.Primitives.Units;

namespace Slipway.Cli;

/// <summary>What happens in a run as lines for a person: above a live block those of what has ended, on a pipe of what begins as well.</summary>
/// <param name="isLive">Whether what runs is shown by a block.</param>
/// <param name="isVerbose">Whether to name the logs.</param>
internal sealed class RunLines(bool isLive, bool isVerbose)
{
    /// <summary>On a pipe a stage tells its progress at most this often, and only each further tenth: a log is read later, and by many.</summary>
    private static readonly TimeSpan progressEvery = TimeSpan.FromSeconds(30);

    private readonly Dictionary<string, (int Tenth, TimeSpan At)> told = new(StringComparer.Ordinal);

    /// <param name="before">The run as it was before that.</param>
    /// <param name="now">Since the run began.</param>
    /// <returns>Null where nothing is to be said.</returns>
    public string? Of(PipelineEvent what, RunPicture before, TimeSpan now) => what switch
    {
        PhaseStarted phase when !isLive => $"· {phase.Doing}",
        Remark remark => Of(remark),
        StageProgress { What: StageRemark remark } => $"warning: {remark.Stage}: {remark.Text}",
        StageProgress { What: StageStarted stage } when !isLive => Begun(stage, now),
        StageProgress { What: StageProgressed progressed } when !isLive => Progress(progressed, now),
        StageProgress { What: StageRetried retried } => $"↻ {retried.Stage}: attempt {retried.Attempt} of {retried.Attempts} failed: {First(retried.Failure)}",
        StageProgress { What: StageSent sent } => $"↑ {sent.Stage}  {new ByteSize(sent.Bytes)} to {sent.Place}",
        StageProgress { What: StageFailed failed } => Failed(failed),
        StageProgress { What: StageEnded { Result: var result } } => Ended(result, before.Stage(result.Name)),
        _ => null,
    };

    public static string Of(Remark remark) => "warning: " + remark.Text;

    private string Begun(StageStarted stage, TimeSpan now)
    {
        told[stage.Stage] = (0, now);
        return $"· {stage.Stage}: {string.Join(", ", stage.Reasons).ReplaceLineEndings(" ")}{Log(stage.Log)}";
    }

    private string? Progress(StageProgressed what, TimeSpan now)
    {
        var tenth = (int)(what.Progress.Share * 10 + 1e-9);
        var (last, at) = told.GetValueOrDefault(what.Stage);
        if (tenth <= last || now - at < progressEvery)
            return null;
        told[what.Stage] = (tenth, now);
        return $"· {what.Stage}: {RunFrame.Percent(what.Progress.Share)}";
    }

    private string Ended(StageResult result, RunningStage? ran)
    {
        told.Remove(result.Name);
        if (result.Source != StageSource.Executed)
            return $"✓ {result.Name}  {RunReport.Taken(result)}";
        var line = $"✓ {result.Name}  {Amounts.Seconds(result.Seconds)}  {Amounts.Memory(result.PeakMemory)}".TrimEnd();
        return isLive && ran is not null ? $"{line}  {ran.Why}{Log(ran.Log)}" : line;
    }

    private static string Failed(StageFailed failed)
    {
        var said = First(failed.Failure);
        return said.Contains(failed.Stage, StringComparison.Ordinal) ? $"✗ {said}" : $"✗ {failed.Stage}: {said}";
    }

    private string Log(string path) => isVerbose ? $"  (log: {path})" : "";

    private static string First(SlipwayException failure) => failure.Faults[0].Message.Split('\n')[0];
}
