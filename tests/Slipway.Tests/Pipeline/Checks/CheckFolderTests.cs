using Slipway.Documents.Runs;
using Slipway.Pipeline.Checks;
using Slipway.Tests.Pipeline.Execution;

namespace Slipway.Tests.Pipeline.Checks;

public sealed class CheckFolderTests : IDisposable
{
    private readonly TestProject project = new();

    public void Dispose() => project.Dispose();

    [Fact]
    public void The_tree_holds_what_is_declared_the_outputs_and_nothing_else()
    {
        project.Write("a.txt", "a");
        project.Write("sub/b.txt", "b");
        var folder = new CheckFolder(project.Folder);
        Fill(folder, "a.txt", "sub/b.txt");
        Directory.CreateDirectory(Path.Combine(folder.Project.Root, "build"));
        File.WriteAllText(Path.Combine(folder.Project.Root, "build/model"), "kept");
        File.WriteAllText(Path.Combine(folder.Project.Root, "build/stray"), "");
        Directory.CreateDirectory(folder.Project.State);
        Fill(folder, "a.txt");
        Assert.Equal(["a.txt", "build/model"], Files(folder));
        Assert.Equal("a", File.ReadAllText(Path.Combine(folder.Project.Root, "a.txt")));
        Assert.False(Directory.Exists(Path.Combine(folder.Project.Root, "sub")));
        Assert.True(Directory.Exists(folder.Project.State));
        Assert.Equal("b", project.Read("sub/b.txt"));
    }

    [Fact]
    public void A_link_that_leads_elsewhere_is_set_anew_and_one_at_an_output_s_place_goes()
    {
        project.Write("a.txt", "a");
        project.Write("b.txt", "b");
        var folder = new CheckFolder(project.Folder);
        folder.Fill(new Dictionary<string, string> { ["x"] = project.PathOf("a.txt"), ["build/model"] = project.PathOf("a.txt") }, []);
        folder.Fill(new Dictionary<string, string> { ["x"] = project.PathOf("b.txt") }, ["build/model"]);
        Assert.Equal("b", File.ReadAllText(Path.Combine(folder.Project.Root, "x")));
        Assert.Equal(["x"], Files(folder));
    }

    [Theory]
    [InlineData(Isolation.None)]
    [InlineData(Isolation.Sandbox)]
    public async Task A_stage_is_given_a_linked_input_too_large_to_be_copied(Isolation isolation)
    {
        project.Write("elsewhere/a.txt", "large");
        File.CreateSymbolicLink(project.PathOf("a.txt"), project.PathOf("elsewhere/a.txt"));
        await project.Run(TestProject.Spec(TestProject.Stage("s", "cat a.txt > b.txt", ["a.txt"], "b=b.txt")), run => run with { LinkAbove = 0, Isolation = isolation }, TestContext.Current.CancellationToken);
        Assert.Equal("large", project.Read("b.txt"));
    }

    private void Fill(CheckFolder folder, params string[] files) => folder.Fill(files.ToDictionary(file => file, project.PathOf), ["build/model"]);

    private static IEnumerable<string> Files(CheckFolder folder) =>
        Directory.EnumerateFiles(folder.Project.Root, "*", SearchOption.AllDirectories).Select(file => Path.GetRelativePath(folder.Project.Root, file)).Order(StringComparer.Ordinal);
}
