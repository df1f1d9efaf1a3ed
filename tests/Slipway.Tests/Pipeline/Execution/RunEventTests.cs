using Slipway.Pipeline.Execution;
using Slipway.Primitives.Faults;
using Slipway.Primitives.Units;
using Slipway.Runtime.Sandbox;

namespace Slipway.Tests.Pipeline.Execution;

public sealed class RunEventTests : IDisposable
{
    private readonly TestProject project = new();

    public void Dispose() => project.Dispose();

    [Fact]
    public async Task The_stages_of_a_run_are_told_before_the_first_begins()
    {
        await project.Run(TestProject.Spec(TestProject.Stage("a", "echo a > build/a.txt", [], "a=build/a.txt"), TestProject.Stage("b", "echo b > build/b.txt", ["a.a"], "b=build/b.txt")));
        Assert.Equal(["a", "b"], Assert.IsType<StagesPlanned>(project.Events[0]).Stages);
        Assert.Single(project.Events.OfType<StagesPlanned>());
    }

    [Fact]
    public async Task A_stage_that_failed_is_told_when_it_fails_and_after_its_last_attempt()
    {
        var spec = TestProject.Spec(TestProject.Stage("bad", "exit 3", [], "o=build/o.txt") with { Retries = 1 }, TestProject.Stage("good", "echo g > build/g.txt", [], "g=build/g.txt"));
        await project.Faults(spec, options: set => set with { KeepGoing = true });
        var told = project.Events.OfType<StageEvent>().Where(what => what.Stage == "bad").ToList();
        Assert.Collection(
            told,
            what => Assert.IsType<StageStarted>(what),
            what => Assert.IsType<StageRetried>(what),
            what => Assert.IsType<StageStarted>(what),
            what => Assert.Equal("stage-failed", Assert.IsType<StageFailed>(what).Failure.Faults[0].Code));
        Assert.DoesNotContain(project.Events.OfType<StageFailed>(), what => what.Stage == "good");
    }

    [Fact]
    public async Task What_a_stage_uses_is_told_while_it_runs()
    {
        if (ControlGroup.TryMake("slipway-test-use", ResourceLimits.Of(null, 1L << 30), ControlGroup.MountPoint, File.ReadAllText("/proc/self/cgroup"), out var why) is not { } group)
        {
            Assert.Skip(why);
            return;
        }

        group.Dispose();
        // It holds 64 MiB, and waits for what only a sample can bring about.
        var seen = project.PathOf("seen");
        var spec = TestProject.Spec(TestProject.Stage("s", $"x=$(head -c 67108864 /dev/zero | tr '\\0' x); until [ -e {seen} ]; do sleep 0.1; done; echo ${{#x}} > build/o.txt", [], "o=build/o.txt") with { Timeout = new Duration(TimeSpan.FromMinutes(1)) });
        var run = project.Run(spec, TestProject.Open);
        while (!run.IsCompleted)
        {
            if (project.Events.ToArray().OfType<StageUsed>().Any(used => used.Use.Memory >= 64 << 20))
                await File.WriteAllTextAsync(seen, "", TestContext.Current.CancellationToken);
            await Task.Delay(50, TestContext.Current.CancellationToken);
        }

        await run;
        Assert.All(project.Events.OfType<StageUsed>(), used => Assert.InRange(used.Use.Processors, 0, Environment.ProcessorCount * 2));
        Assert.IsType<StageEnded>(project.Events[^1]);
    }
}
