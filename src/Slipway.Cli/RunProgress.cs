using Slipway.Documents.Runs;
using Slipway.Pipeline;
using Slipway.Pipeline.Execution;
using Slipway.Primitives.Units;

namespace Slipway.Cli;

/// <summary>What happens in a run, on stderr: on a terminal one living line under those that are done, elsewhere a plain line each.</summary>
internal sealed class RunProgress : IDisposable
{
    private const string Back = "\r\u001b[K";

    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(120);

    private readonly Shell shell;
    private readonly TimeProvider clock;
    private readonly ITimer? redraw;
    private readonly Lock drawing = new();
    private readonly List<(string Doing, bool IsStage, long Since)> running = [];
    private int frame;

    public RunProgress(Shell shell, TimeProvider clock)
    {
        (this.shell, this.clock) = (shell, clock);
        if (shell is { Live: true, Quiet: false })
            redraw = clock.CreateTimer(_ => Redraw(), null, Tick, Tick);
    }

    public void Show(PipelineEvent what)
    {
        lock (drawing)
        {
            switch (what)
            {
                case PhaseStarted phase:
                    running.Clear();
                    running.Add((phase.Doing, false, clock.GetTimestamp()));
                    Line(redraw is null ? $"· {phase.Doing}" : null);
                    break;
                case StageProgress { What: StageStarted stage }:
                    running.RemoveAll(entry => !entry.IsStage);
                    running.Add((stage.Stage, true, clock.GetTimestamp()));
                    Line($"· {stage.Stage}: {string.Join(", ", stage.Reasons)}" + (shell.Verbose ? $"  (log: {stage.Log})" : ""));
                    break;
                case StageProgress { What: StageRetried retried }:
                    running.RemoveAll(entry => entry.IsStage && entry.Doing == retried.Stage);
                    Line($"↻ {retried.Stage}: attempt {retried.Attempt} of {retried.Attempts} failed: {retried.Failure.Faults[0].Message.Split('\n')[0]}");
                    break;
                case StageProgress { What: StageRemark remark }:
                    Clear();
                    shell.Warn($"{remark.Stage}: {remark.Text}");
                    break;
                case StageProgress { What: StageSent sent }:
                    Line($"↑ {sent.Stage}  {new ByteSize(sent.Bytes)} to {sent.Place}");
                    break;
                case StageProgress { What: StageEnded { Result: var result } }:
                    running.RemoveAll(entry => !entry.IsStage || entry.Doing == result.Name);
                    Line(result.Source != StageSource.Executed ? $"✓ {result.Name}  {RunReport.Taken(result)}" : $"✓ {result.Name}  {Amounts.Seconds(result.Seconds)}  {Amounts.Memory(result.PeakMemory)}");
                    break;
                case Remark remark:
                    Clear();
                    shell.Warn(remark.Text);
                    break;
            }
        }
    }

    public void Dispose()
    {
        redraw?.Dispose();
        lock (drawing)
        {
            running.Clear();
            Clear();
        }
    }

    private void Line(string? text)
    {
        Clear();
        if (text is not null)
            shell.Note(text);
    }

    private void Clear()
    {
        if (redraw is not null)
            shell.Err.WriteRaw(Back);
    }

    private void Redraw()
    {
        lock (drawing)
        {
            if (running.Count == 0)
                return;
            const string frames = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏";
            var doing = string.Join(", ", running.Select(entry => $"{entry.Doing} {clock.GetElapsedTime(entry.Since).TotalSeconds:0} s"));
            var text = $"{frames[frame++ % frames.Length]} {doing}";
            var width = Math.Max(20, Console.WindowWidth - 1);
            shell.Err.WriteRaw(Back);
            shell.Err.Write(text.Length > width ? text[..width] : text);
        }
    }
}
