using Slipway.Documents.Runs;
using Slipway.Pipeline.Execution.Plan;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;
using Slipway.Store.Content;

namespace Slipway.Tests.Pipeline.Execution;

public sealed class ProjectFilesTests : IDisposable
{
    private readonly TestProject project = new();

    public void Dispose() => project.Dispose();

    [Theory]
    [InlineData("code/run.sh")]
    [InlineData("code/")]
    [InlineData("code/*.sh")]
    public void What_is_no_longer_what_was_expected_is_refused_behind_the_last_file(string input)
    {
        project.Write("code/run.sh", "true");
        var expected = Files().Resolve(input);
        Assert.Single(Files().Files(input, expected));
        Assert.Equal("input-changed", Fault(expected with { Digest = Digest.Of("another"u8) }).Code);

        // The same bytes, and a program now.
        File.SetUnixFileMode(project.PathOf("code/run.sh"), FilePermissions.Program);
        Assert.Equal("input-changed", Fault(expected).Code);

        Fault Fault(Artifact expected) => Assert.Single(Assert.Throws<SlipwayException>(() => Files().Files(input, expected).ToList()).Faults);
    }

    private ProjectFiles Files() => new(project.Root, DigestIndex.Open(project.PathOf("index")));
}
