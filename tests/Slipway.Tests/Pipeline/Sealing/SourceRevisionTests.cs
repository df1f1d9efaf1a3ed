using Slipway.Pipeline.Sealing;
using Slipway.Primitives.Processes;
using Slipway.Tests.Primitives;

namespace Slipway.Tests.Pipeline.Sealing;

public sealed class SourceRevisionTests : IDisposable
{
    private readonly TestFolder folder = new();
    private readonly Dictionary<string, string> variables = new() { ["PATH"] = Environment.GetEnvironmentVariable("PATH") ?? "/usr/bin:/bin", ["HOME"] = "/nonexistent" };

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task A_work_tree_is_told_with_commit_remote_and_changes()
    {
        await Git("init", "--quiet", ".");
        Assert.Null(await Find());                  // nothing committed yet
        folder.Write("tree/slipway.yaml", "slipway: 1");
        await Git("add", ".");
        await Git("-c", "user.name=a", "-c", "user.email=a@example.org", "commit", "--quiet", "-m", "one");

        var clean = await Find();
        Assert.Matches("^[0-9a-f]{40}$", clean!.Commit);
        Assert.Equal((null, false), (clean.Remote, clean.IsDirty));

        await Git("remote", "add", "origin", "https://user:token@example.org/team/p.git");
        folder.Write("tree/new.py", "x");
        Assert.Equal(clean with { Remote = "https://example.org/team/p.git", IsDirty = true }, await Find());
    }

    [Fact]
    public async Task An_ignored_project_is_not_of_the_tree_around_it()
    {
        await Git("init", "--quiet", ".");
        folder.Write("tree/.gitignore", "/data/");
        folder.Write("tree/data/slipway.yaml", "slipway: 1");
        await Git("add", ".");
        await Git("-c", "user.name=a", "-c", "user.email=a@example.org", "commit", "--quiet", "-m", "one");
        Assert.NotNull(await Find());
        Assert.Null(await Find("tree/data"));
    }

    [Fact]
    public async Task Outside_a_tree_and_without_git_there_is_none()
    {
        Directory.CreateDirectory(folder["tree"]);
        Assert.Null(await Find());
        variables["PATH"] = "/nonexistent";
        Assert.Null(await Find());
        Assert.Equal(["tree"], Directory.GetFileSystemEntries(folder.Root).Select(Path.GetFileName));
    }

    [Theory]
    [InlineData("https://user:token@example.org/team/p.git?x=1", "https://example.org/team/p.git")]
    [InlineData("https://example.org:8443/p.git", "https://example.org:8443/p.git")]
    [InlineData("git@example.org:team/p.git", "ssh://example.org/team/p.git")]
    [InlineData("ssh://git@example.org/p.git", "ssh://example.org/p.git")]
    [InlineData("/srv/git/p.git", null)]
    [InlineData("../p.git", null)]
    [InlineData("file:///srv/git/p.git", null)]
    [InlineData("./a:b", null)]
    public void A_remote_is_published_without_secrets_and_machine_paths(string remote, string? published) => Assert.Equal(published, SourceRevision.Public(remote));

    private Task<SourceRevision?> Find(string at = "tree") => SourceRevision.FindAsync(folder[at], folder.Root, variables, TestContext.Current.CancellationToken);

    private async Task Git(params string[] arguments)
    {
        Directory.CreateDirectory(folder["tree"]);
        using var log = new TestFolder();
        var exit = await ChildProcess.RunAsync(new ChildCommand(["git", .. arguments], folder["tree"], variables, log["log"], log["log"]), TimeSpan.FromSeconds(1), TestContext.Current.CancellationToken);
        Assert.True(exit.Succeeded, File.ReadAllText(log["log"]));
    }
}
