using System.Collections.Immutable;
using Slipway.Cli;
using Slipway.Documents.Runs;
using Slipway.Pipeline;
using Slipway.Pipeline.Execution;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;
using Slipway.Runtime.Sandbox;

namespace Slipway.Tests.Cli;

public sealed class RunFrameTests
{
    private static readonly ImmutableSortedDictionary<string, Artifact> nothing = ImmutableSortedDictionary<string, Artifact>.Empty;

    private static readonly SlipwayException broken = new(ExitCode.UnusableInput, new Fault("stage-failed", "its command exited with 3"));

    [Fact]
    public void A_wide_terminal_shows_every_column_and_the_reason() => Assert.Equal(
        [
            "· fit    2:11  ██████████░░░░░░░░░░   50 %  ~2:01 left    1.21 GiB   3.9 cpus  params.depth 3 → 5",
            "· score  0:04                                                                  never ran",
            "  2:20  2 running, 3 waiting, 1 done, 4 cached",
        ],
        RunFrame.Of(Busy(), At(140), 200, 50));

    [Fact]
    public void A_narrower_one_leaves_out_what_matters_less() => Assert.Equal(
        [
            "· fit    2:11  █████░░░░░   50 %  ~2:01 left    1.21 GiB   3.9 cpus",
            "· score  0:04",
            "  2:20  2 running, 3 waiting, 1 done, 4 cached",
        ],
        RunFrame.Of(Busy(), At(140), 78, 50));

    [Fact]
    public void In_40_columns_there_is_the_bar() => Assert.Equal(
        [
            "· fit    2:11  █████░░░░░   50 %",
            "· score  0:04",
            "  2:20  2 running, 3 waiting, 1 done, …",
        ],
        RunFrame.Of(Busy(), At(140), 40, 50));

    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 2)]
    [InlineData(5, 3)]
    [InlineData(20, 4)]
    [InlineData(40, 24)]
    [InlineData(80, 24)]
    [InlineData(200, 60)]
    [InlineData(500, 2000)]
    public void No_frame_is_larger_than_its_terminal(int width, int height)
    {
        var picture = Planned(1000);
        for (var i = 0; i < 900; i++)
            picture = picture.After(Started($"stage-{i}-of-many-with-a-long-name", "数据 changed", "\u001b[2Jevil\nline"), At(i)).After(Progressed($"stage-{i}-of-many-with-a-long-name", i % 10, 10), At(i + 5));
        foreach (var each in new[] { picture, Busy(), new RunPicture().After(new PhaseStarted("validating " + new string('数', 300)), At(0)) })
        {
            var lines = RunFrame.Of(each, At(7200), width, height);
            Assert.True(lines.Count <= Math.Max(0, height - 1), $"{lines.Count} lines");
            Assert.All(lines, line => Assert.True(TerminalText.Width(line) < width, line));
            Assert.DoesNotContain(string.Concat(lines), ForeignText.IsHidden);
        }
    }

    [Fact]
    public void Of_more_stages_than_rows_the_first_are_shown_and_the_others_counted()
    {
        var picture = Planned(1000);
        for (var i = 0; i < 30; i++)
            picture = picture.After(Started($"s{i}", "never ran"), At(0));
        var lines = RunFrame.Of(picture, At(1), 80, 6);
        Assert.Equal(["· s0  0:01  never ran", "· s1  0:01  never ran", "· s2  0:01  never ran", "  and 27 more", "  0:01  30 running, 970 waiting"], lines);
        Assert.Equal(31, RunFrame.Of(picture, At(1), 80, 32).Count);
    }

    [Fact]
    public void A_phase_stands_alone_until_stages_are_known()
    {
        var picture = new RunPicture().After(new PhaseStarted("validating flights"), At(1));
        Assert.Equal(["· validating flights  0:03"], RunFrame.Of(picture, At(4.9), 80, 24));
        Assert.Equal(["  0:05  2 waiting"], RunFrame.Of(picture.After(new StageProgress(new StagesPlanned(["a", "b"])), At(5)), At(5), 80, 24));
        Assert.Empty(RunFrame.Of(new RunPicture(), At(5), 80, 24));
    }

    [Fact]
    public void A_failure_stands_first_and_nothing_is_said_to_wait_after_it()
    {
        var picture = Planned(4).After(Started("a", "never ran"), At(0)).After(Started("b", "never ran"), At(0)).After(new StageProgress(new StageFailed("a", broken)), At(1));
        Assert.Equal("  0:02  1 failed, 1 running, 2 not begun", RunFrame.Of(picture, At(2), 80, 24)[^1]);
        Assert.Equal("  0:02  stopping, 1 failed, 1 running, 2 not begun", RunFrame.Of(picture with { IsStopping = true }, At(2), 80, 24)[^1]);
    }

    [Fact]
    public void A_stage_that_is_begun_again_runs_once()
    {
        var picture = Planned(1).After(Started("a", "never ran"), At(0)).After(Progressed("a", 1, 2), At(5)).After(new StageProgress(new StageRetried("a", 1, 2, broken)), At(6));
        Assert.Empty(picture.Running);
        picture = picture.After(Started("a", "never ran"), At(7));
        Assert.Null(Assert.Single(picture.Running).Share);
        Assert.Equal((0, 0), (picture.Waiting, picture.Failed));
    }

    [Fact]
    public void The_time_left_follows_from_the_rate_since_the_first_word_of_it()
    {
        var stage = new RunningStage("fit", [], "", At(0));
        Assert.Null(stage.Rest(At(100)));
        // A minute of loading data says nothing of how fast it trains.
        stage = stage.At(0, At(60));
        Assert.Null(stage.Rest(At(61)));
        stage = stage.At(0.25, At(70));
        Assert.Equal(At(30), stage.Rest(At(70)));
        Assert.Equal(At(28), stage.Rest(At(72)));
    }

    [Fact]
    public void Where_the_time_left_cannot_be_known_none_is_told()
    {
        var stage = new RunningStage("fit", [], "", At(0)).At(0, At(0));
        Assert.Null(stage.At(0.04, At(10)).Rest(At(10)));      // too little
        Assert.Null(stage.At(0.5, At(1)).Rest(At(1)));         // too soon
        Assert.Null(stage.At(0.5, At(10)).Rest(At(21)));       // it stands still, and what was left is over
        Assert.NotNull(stage.At(0.5, At(10)).Rest(At(19)));
        Assert.Null(stage.At(0.9, At(10)).At(0.1, At(11)).Rest(At(12)));     // it began anew
        Assert.Null(stage.At(1, At(10)).Rest(At(10)));
    }

    [Theory]
    [InlineData("plain", 5)]
    [InlineData("数据", 4)]
    [InlineData("e\u0301", 1)]
    [InlineData("😀", 2)]
    [InlineData("█░·✓…", 5)]
    public void Text_is_measured_by_the_columns_that_it_takes(string text, int columns)
    {
        Assert.Equal(columns, TerminalText.Width(text));
        Assert.Equal(text, TerminalText.Cut(text, columns));
        Assert.EndsWith("…", TerminalText.Cut(text + "数", columns));
        for (var width = 0; width < 8; width++)
            Assert.True(TerminalText.Width(TerminalText.Cut(text + text, width)) <= width);
        Assert.Equal(9, TerminalText.Width(TerminalText.Fit(text, 9)));
    }

    [Fact]
    public void What_works_on_a_terminal_is_taken_out() => Assert.Equal("a\uFFFD[31mb\uFFFDc\uFFFD", TerminalText.Cut("a\u001b[31mb\nc\u202e", 40));

    private static TimeSpan At(double seconds) => TimeSpan.FromSeconds(seconds);

    private static StageProgress Started(string stage, params string[] reasons) => new(new StageStarted(stage, reasons, "/log"));

    private static StageProgress Progressed(string stage, double done, double total) => new(new StageProgressed(stage, new Progress(done, total)));

    private static StageProgress Ended(string stage, StageSource source) => new(new StageEnded(new StageResult(stage, source, Digest.Of("k"u8), 1, null, nothing, nothing)));

    private static RunPicture Planned(int count) => new RunPicture().After(new StageProgress(new StagesPlanned([.. Enumerable.Range(0, count).Select(i => $"s{i}")])), TimeSpan.Zero);

    private static RunPicture Busy()
    {
        var picture = Planned(10);
        foreach (var cached in new[] { "a", "b", "c" })
            picture = picture.After(Ended(cached, StageSource.Cached), At(1));
        picture = picture.After(Ended("d", StageSource.Shared), At(1));
        return picture
            .After(Started("features", "never ran"), At(2)).After(Ended("features", StageSource.Executed), At(9))
            .After(Started("fit", "params.depth 3 → 5"), At(9)).After(Progressed("fit", 0, 100), At(20)).After(Progressed("fit", 50, 100), At(140.5))
            .After(new StageProgress(new StageUsed("fit", new PresentUse(1_300_000_000, 3.94))), At(139))
            .After(Started("score", "never ran"), At(136));
    }
}
