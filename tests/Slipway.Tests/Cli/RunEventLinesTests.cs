using System.Collections.Immutable;
using NJsonSchema;
using Slipway.Cli;
using Slipway.Documents.Runs;
using Slipway.Pipeline;
using Slipway.Pipeline.Execution;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;
using Slipway.Runtime.Sandbox;
using Slipway.Tests.Server.Alerting;

namespace Slipway.Tests.Cli;

public sealed class RunEventLinesTests
{
    private static readonly ImmutableSortedDictionary<string, Artifact> nothing = ImmutableSortedDictionary<string, Artifact>.Empty;

    private const string Run = "20260614-120000-3fa9c1";

    private static readonly DateTimeOffset noon = new(2026, 6, 14, 14, 0, 0, 7, TimeSpan.FromHours(2));

    private static readonly SlipwayException broken = new(ExitCode.UnusableInput, new Fault("stage-failed", "its command exited with 3", "slipway.yaml", 3, 7, "read the log"));

    private static readonly StageResult result = new("fit", StageSource.Executed, Digest.Of("k"u8), 1.5, 1 << 20, nothing, nothing) { Isolation = Isolation.Sandbox, Usage = new StageUsage(1, 0.5, 3, 4) { HostJoules = 12.5 }, Repeats = 1 };

    private static readonly PipelineEvent[] events =
    [
        new PhaseStarted("sealing"),
        new StageProgress(new StagesPlanned(["fit", "score"])),
        new StageProgress(new StageStarted("fit", ["never ran"], "/log")),
        new StageProgress(new StageProgressed("fit", new Progress(1, 2))),
        new StageProgress(new StageUsed("fit", new PresentUse(1 << 20, 1.256))),
        new StageProgress(new StageRetried("fit", 1, 2, broken)),
        new StageProgress(new StageFailed("fit", broken)),
        new StageProgress(new StageEnded(result)),
        new StageProgress(new StageEnded(result with { Source = StageSource.Cached, PeakMemory = null, Usage = null, Isolation = Isolation.None })),
        new StageProgress(new StageSent("fit", "/mnt/cache", 12)),
        new StageProgress(new StageRemark("fit", "little")),
        new Remark("much"),
    ];

    [Fact]
    public async Task Every_line_is_as_the_schema_says()
    {
        var schema = await Schema();
        var lines = Lines();
        Assert.Equal(events.Length + 2, lines.Count);
        Assert.All(lines, line => Assert.True(schema.Validate(line).Count == 0, line));
        Assert.All(lines, line => Assert.NotEmpty(schema.Validate(line.Replace("\"event\":\"", "\"event\":\"x"))));
        Assert.All(lines, line => Assert.NotEmpty(schema.Validate(line.Replace("\"time\":\"2026", "\"time\":\"26"))));
        Assert.All(lines, line => Assert.NotEmpty(schema.Validate(line.Insert(1, "\"more\":1,"))));
    }

    [Fact]
    public void The_page_names_every_event_and_every_member()
    {
        var page = GuideTests.Read("docs/format/run-events.md");
        foreach (var line in Lines())
        {
            var document = System.Text.Json.JsonDocument.Parse(line).RootElement;
            var row = Assert.Single(page.Split('\n'), row => row.StartsWith($"| `{document.GetProperty("event").GetString()}` |", StringComparison.Ordinal));
            Assert.All(document.EnumerateObject().Select(member => member.Name).Except(["event", "time", "run", "stage"]), name => Assert.Contains($"`{name}`", row));
        }
    }

    [Fact]
    public void A_line_begins_with_what_it_is()
    {
        Assert.Equal("""{"event":"stage-progressed","time":"2026-06-14T12:00:00.007Z","run":"20260614-120000-3fa9c1","stage":"fit","done":1,"total":2}""", Lines()[4]);
        Assert.Equal("""{"event":"run-ended","time":"2026-06-14T12:00:00.007Z","run":"20260614-120000-3fa9c1","exit":1,"seconds":2.5,"executed":1,"cached":1,"failed":0,"unfinished":1}""", Lines()[^1]);
    }

    [Fact]
    public void Progress_is_told_once_a_second_and_stage()
    {
        var lines = new RunEventLines(Run);
        Assert.Equal([0, 1000, 2000], Enumerable.Range(0, 2999).Where(ms => Told("fit", ms) is not null));
        Assert.NotNull(Told("score", 2999));

        string? Told(string stage, int ms) => lines.Of(new StageProgress(new StageProgressed(stage, new Progress(1, 2))), noon, TimeSpan.FromMilliseconds(ms));
    }

    [Fact]
    public void No_text_breaks_the_line_or_works_on_a_terminal()
    {
        var line = new RunEventLines(Run).Of(new Remark("a\n{\"event\":\"run-ended\"}\u001b[2J\u009b\u202e数"), noon, default)!;
        Assert.All(line, c => Assert.InRange(c, ' ', '~'));
        Assert.Equal("a\n{\"event\":\"run-ended\"}\u001b[2J\u009b\u202e数", System.Text.Json.JsonDocument.Parse(line).RootElement.GetProperty("text").GetString());
    }

    private static List<string> Lines()
    {
        var lines = new RunEventLines(Run);
        return [lines.Begun(noon), .. events.Select(what => lines.Of(what, noon, TimeSpan.FromSeconds(1))).OfType<string>(), lines.Ended(1, new RunPicture { Planned = 3, Executed = 1, Cached = 1 }, noon, TimeSpan.FromSeconds(2.5))];
    }

    private static Task<JsonSchema> Schema() => JsonSchema.FromJsonAsync(GuideTests.Read("docs/format/run-events.schema.json"), TestContext.Current.CancellationToken);
}
