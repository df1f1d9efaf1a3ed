using Slipway.Pipeline.Execution.Plan;
using Slipway.Pipeline.Sealing;
using Slipway.Primitives.Faults;
using Slipway.Tests.Pipeline.Execution;

namespace Slipway.Tests.Pipeline.Sealing;

public sealed class SealedCodeTests : IDisposable
{
    private readonly TestProject project = new();

    public void Dispose() => project.Dispose();

    [Fact]
    public async Task A_file_that_is_not_what_its_stage_ran_with_is_not_sealed_and_told_as_everywhere()
    {
        project.Write("raw.txt", "before");
        var spec = TestProject.Spec(TestProject.Stage("s", "cat raw.txt > build/o.txt", ["raw.txt"], "o=build/o.txt"));
        var outcome = await project.Run(spec);
        var code = new SealedCode(spec, new ProjectFiles(project.Root, project.OpenIndex()), project.Root);
        Assert.Equal(["raw.txt"], code.Files(outcome).Select(file => file.Path));

        project.Write("raw.txt", "after it");
        var e = Assert.Throws<SlipwayException>(() => code.Files(outcome));
        Assert.Equal((ExitCode.UnusableInput, "input-changed"), (e.Exit, Assert.Single(e.Faults).Code));
    }
}
