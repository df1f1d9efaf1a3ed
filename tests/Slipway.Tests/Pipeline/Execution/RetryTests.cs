using System.Collections.Immutable;
using Slipway.Documents.Hardware;
using Slipway.Documents.Runs;
using Slipway.Documents.Specs;
using Slipway.Pipeline.Execution;
using Slipway.Primitives.Faults;
using Slipway.Primitives.Units;
using Slipway.Runtime.Hardware;

namespace Slipway.Tests.Pipeline.Execution;

public sealed class RetryTests : IDisposable
{
    private readonly TestProject project = new();

    public void Dispose() => project.Dispose();

    [Fact]
    public async Task A_command_that_fails_is_repeated_and_every_attempt_is_told_and_logged()
    {
        var mark = project.PathOf("tries");
        var spec = TestProject.Spec(TestProject.Stage("s", $"echo try >> {mark}; [ $(wc -l < {mark}) -ge 3 ] && echo o > build/o.txt", [], "o=build/o.txt") with { Retries = 2 });
        var outcome = await project.Run(spec, TestProject.Open);
        Assert.Equal(2, outcome.Stages[0].Repeats);
        Assert.Equal([(1, 3), (2, 3)], project.Events.OfType<StageRetried>().Select(retried => (retried.Attempt, retried.Attempts)));
        var log = Directory.GetFiles(project.Folder.Runs, "s.log", SearchOption.AllDirectories).Single();
        Assert.Contains("slipway: attempt 2 of 3 failed; it is repeated", File.ReadAllText(log), StringComparison.Ordinal);
    }

    [Fact]
    public async Task One_attempt_too_few_fails_and_says_which_it_was()
    {
        var mark = project.PathOf("tries");
        var spec = TestProject.Spec(TestProject.Stage("s", $"echo try >> {mark}; [ $(wc -l < {mark}) -ge 3 ] && echo o > build/o.txt", [], "o=build/o.txt") with { Retries = 1 });
        var fault = Assert.Single(await project.Faults(spec, options: TestProject.Open));
        Assert.Equal("stage-failed", fault.Code);
        Assert.StartsWith("attempt 2 of 2: stage s: its command exited with 1, and wrote nothing", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_broken_declaration_is_not_repeated()
    {
        var spec = TestProject.Spec(TestProject.Stage("s", "true", [], "o=build/o.txt") with { Retries = 5 });
        Assert.Equal("missing-output", Assert.Single(await project.Faults(spec)).Code);
        Assert.Empty(project.Events.OfType<StageRetried>());
    }

    [Fact]
    public async Task A_timeout_is_repeated()
    {
        var spec = TestProject.Spec(TestProject.Stage("s", "sleep 30", [], "o=build/o.txt") with { Retries = 1, Timeout = new Duration(TimeSpan.FromMilliseconds(50)) });
        Assert.Equal("stage-timeout", Assert.Single(await project.Faults(spec)).Code);
        Assert.Single(project.Events.OfType<StageRetried>());
    }

    [Fact]
    public async Task An_accelerator_that_is_not_there_is_told_before_anything_runs_but_not_to_what_is_known()
    {
        var spec = TestProject.Spec(
            TestProject.Stage("a", "echo a > build/a.txt", [], "a=build/a.txt"),
            TestProject.Stage("fit", "cat build/a.txt > build/m.txt", ["a.a"], "m=build/m.txt") with { Hardware = "gpu" }) with
        {
            Hardware = ImmutableSortedDictionary<string, HardwareProfile>.Empty.Add("gpu", new HardwareProfile(null, null, null, null, [], new AcceleratorProfile("nvidia", 2, null, null, null), null, null, null, null)),
        };
        var bare = new HostCapacity(2, 1 << 30, ImmutableSortedDictionary<string, int>.Empty);
        var fault = Assert.Single(await project.Faults(spec, ExitCode.NotThere, options => options with { Host = bare }));
        Assert.Equal("stage fit needs 2 nvidia accelerators by its hardware profile gpu, and this host has none", fault.Message);
        Assert.Empty(project.Events);
        await project.Run(spec, options => options with { Host = bare with { Accelerators = bare.Accelerators.Add("nvidia", 2) } });
        Assert.Equal("", (await project.Run(spec, options => options with { Host = bare })).Executed());
    }

    [Fact]
    public async Task What_is_larger_than_the_host_runs_with_a_remark()
    {
        var spec = TestProject.Spec(TestProject.Stage("big", "echo a > build/a.txt", [], "a=build/a.txt") with { Hardware = "big" }) with
        {
            Hardware = ImmutableSortedDictionary<string, HardwareProfile>.Empty.Add("big", new HardwareProfile(64, null, null, null, [], null, null, null, null, null)),
        };
        await project.Run(spec, options => options with { Host = new HostCapacity(2, 1 << 30, ImmutableSortedDictionary<string, int>.Empty) });
        Assert.Contains("asks for more processors or memory than this host has", project.Events.OfType<StageRemark>().Single().Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_long_chain_runs_in_order_and_is_then_taken_from_what_is_known()
    {
        var spec = TestProject.Spec([.. Enumerable.Range(0, 40).Select(i => TestProject.Stage($"s{i:00}", $"echo {i} > build/{i}.txt", i == 0 ? [] : [$"s{i - 1:00}.o"], $"o=build/{i}.txt"))]);
        await project.Run(spec, options => options with { Jobs = 4 });
        Assert.Equal("", (await project.Run(spec, options => options with { Jobs = 4 })).Executed());
    }
}
