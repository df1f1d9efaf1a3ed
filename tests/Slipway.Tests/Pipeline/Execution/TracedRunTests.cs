using Slipway.Documents.Runs;
using Slipway.Documents.Specs;
using Slipway.Pipeline.Execution.Stages;
using Slipway.Primitives.Processes;
using Slipway.Primitives.Units;
using Slipway.Runtime.Sandbox;

namespace Slipway.Tests.Pipeline.Execution;

/// <summary>When a command that failed is run a second time, and what becomes of a second run that fails itself.</summary>
public sealed class TracedRunTests : IDisposable
{
    private static readonly StageSpec stage = TestProject.Stage("s", "exit 1", [], "o=build/o.txt");

    private readonly TestProject project = new();

    public void Dispose() => project.Dispose();

    [Fact]
    public void A_command_that_was_killed_and_one_that_is_given_secrets_run_once()
    {
        Assert.SkipUnless(Strace.IsHere, "strace is not installed");
        var failed = new ChildExit(1, null, TimeSpan.FromSeconds(1), default, default, 0, 0, 0);
        Assert.True(TracedRun.IsFor(stage, failed, Isolation.Sandbox));
        Assert.False(TracedRun.IsFor(stage, failed with { Code = null, Signal = 9 }, Isolation.Sandbox));
        Assert.False(TracedRun.IsFor(stage with { Secrets = ["TOKEN"] }, failed, Isolation.Sandbox));
        Assert.True(TracedRun.IsFor(stage with { Secrets = [] }, failed, Isolation.Sandbox));
    }

    [Theory]
    [InlineData(".trace-RUN-s")]
    [InlineData(".traced-s/stage.json")]
    public async Task What_goes_wrong_with_the_second_run_hides_no_failure_of_the_first(string inTheWay)
    {
        Assert.SkipUnless(Strace.IsHere, "strace is not installed");
        project.Write("other.txt", "x");
        var spec = TestProject.Spec(stage with { Run = ["/bin/sh", "-c", "cat other.txt 2> /dev/null; exit 7"] });
        Assert.Equal("undeclared-read", Assert.Single(await project.Faults(spec)).Code);

        var fault = Assert.Single(await project.Faults(spec, options: options => options with
        {
            Effect = effect =>
            {
                if (effect == "private folder made")
                    Directory.CreateDirectory(Path.Combine(project.Folder.Work, options.RunId, inTheWay.Replace("RUN", options.RunId, StringComparison.Ordinal)));
            },
        }));
        Assert.Equal(("stage-failed", "stage s: its command exited with 7, and wrote nothing"), (fault.Code, fault.Message));
    }

    [Theory]
    [InlineData(null, 120)]
    [InlineData(90, 90)]
    [InlineData(600, 120)]
    public async Task The_second_run_has_its_stages_time_and_two_minutes_at_most(int? timeout, int longest)
    {
        Assert.SkipUnless(Strace.IsHere, "strace is not installed");
        var clock = new NotedTimers();
        await project.Faults(TestProject.Spec(stage with { Timeout = timeout is { } seconds ? new Duration(TimeSpan.FromSeconds(seconds)) : null }), options: options => options with { Clock = clock });
        var expected = timeout is { } first ? new[] { first, longest } : [longest];
        Assert.Equal(expected, clock.Waits.Where(wait => wait >= TimeSpan.FromMinutes(1)).Select(wait => (int)wait.TotalSeconds));
    }

    /// <summary>The system's clock, which notes how long somebody asked it to wait.</summary>
    private sealed class NotedTimers : TimeProvider
    {
        private readonly Lock noting = new();
        private readonly List<TimeSpan> waits = [];

        public IReadOnlyList<TimeSpan> Waits
        {
            get
            {
                lock (noting)
                    return [.. waits];
            }
        }

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            Note(dueTime);
            return new Timer(this, base.CreateTimer(callback, state, dueTime, period));
        }

        private void Note(TimeSpan wait)
        {
            lock (noting)
                waits.Add(wait);
        }

        private sealed class Timer(NotedTimers clock, ITimer timer) : ITimer
        {
            public bool Change(TimeSpan dueTime, TimeSpan period)
            {
                clock.Note(dueTime);
                return timer.Change(dueTime, period);
            }

            public void Dispose() => timer.Dispose();

            public ValueTask DisposeAsync() => timer.DisposeAsync();
        }
    }
}
