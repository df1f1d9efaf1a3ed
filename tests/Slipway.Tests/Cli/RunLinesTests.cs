using System.Collections.Immutable;
using Slipway.Cli;
using Slipway.Documents.Runs;
using Slipway.Pipeline;
using Slipway.Pipeline.Execution;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;
using Slipway.Runtime.Sandbox;

namespace Slipway.Tests.Cli;

public sealed class RunLinesTests
{
    private static readonly ImmutableSortedDictionary<string, Artifact> nothing = ImmutableSortedDictionary<string, Artifact>.Empty;

    private static readonly SlipwayException broken = new(ExitCode.UnusableInput, new Fault("stage-failed", "stage fit: its command exited with 3:\nTraceback"));

    [Fact]
    public void On_a_pipe_each_begin_and_each_end_is_a_line() => Assert.Equal(
        ["· sealing", "· fit: never ran, forced", "↻ fit: attempt 1 of 2 failed: stage fit: its command exited with 3:", "✓ fit  1.5 s  1 MiB peak", "✓ fit  cached", "✗ stage fit: its command exited with 3:", "warning: fit: little", "warning: much"],
        Told(new RunLines(isLive: false, isVerbose: false)));

    [Fact]
    public void Above_a_block_an_end_says_why_it_ran() => Assert.Equal(
        ["↻ fit: attempt 1 of 2 failed: stage fit: its command exited with 3:", "✓ fit  1.5 s  1 MiB peak  never ran, forced  (log: /log)", "✓ fit  cached", "✗ stage fit: its command exited with 3:", "warning: fit: little", "warning: much"],
        Told(new RunLines(isLive: true, isVerbose: true)));

    [Fact]
    public void A_reason_of_several_lines_is_one()
    {
        var started = new StageProgress(new StageStarted("fit", ["command a\nb → c\r\nd"], "/log"));
        Assert.Equal("· fit: command a b → c d", new RunLines(isLive: false, isVerbose: false).Of(started, new RunPicture(), TimeSpan.Zero));
        Assert.Equal("command a b → c d", new RunPicture().After(started, TimeSpan.Zero).Stage("fit")!.Why);
    }

    [Fact]
    public void A_log_is_not_flooded_with_progress()
    {
        var lines = new RunLines(isLive: false, isVerbose: false);
        lines.Of(new StageProgress(new StageStarted("fit", [], "/log")), new RunPicture(), TimeSpan.Zero);
        // Ten thousand words in two hours, then again in ten seconds.
        Assert.Equal(["· fit: 10 %", "· fit: 20 %", "· fit: 30 %", "· fit: 40 %", "· fit: 50 %", "· fit: 60 %", "· fit: 70 %", "· fit: 80 %", "· fit: 90 %", "· fit: 100 %"], Said(lines, TimeSpan.FromHours(2)));
        lines.Of(new StageProgress(new StageStarted("fit", [], "/log")), new RunPicture(), TimeSpan.Zero);
        Assert.Empty(Said(lines, TimeSpan.FromSeconds(10)));
        Assert.Empty(Said(new RunLines(isLive: true, isVerbose: false), TimeSpan.FromHours(2)));
    }

    private static List<string> Said(RunLines lines, TimeSpan all) =>
        [.. Enumerable.Range(1, 10_000).Select(i => lines.Of(new StageProgress(new StageProgressed("fit", new Progress(i, 10_000))), new RunPicture(), all * (i / 10_000.0))).OfType<string>()];

    private static List<string> Told(RunLines lines)
    {
        var started = new StageProgress(new StageStarted("fit", ["never ran", "forced"], "/log"));
        var result = new StageResult("fit", StageSource.Executed, Digest.Of("k"u8), 1.5, 1 << 20, nothing, nothing);
        var running = new RunPicture().After(started, TimeSpan.Zero);
        PipelineEvent[] events =
        [
            new PhaseStarted("sealing"), new StageProgress(new StagesPlanned(["fit"])), started, new StageProgress(new StageProgressed("fit", new Progress(1, 2))), new StageProgress(new StageUsed("fit", default)),
            new StageProgress(new StageRetried("fit", 1, 2, broken)), new StageProgress(new StageEnded(result)), new StageProgress(new StageEnded(result with { Source = StageSource.Cached })),
            new StageProgress(new StageFailed("fit", broken)), new StageProgress(new StageRemark("fit", "little")), new Remark("much"),
        ];
        return [.. events.Select(what => lines.Of(what, running, TimeSpan.FromSeconds(1))).OfType<string>()];
    }
}
