using System.Text;

namespace Slipway.EndToEnd;

/// <summary>What people read first. A change of it is meant: write <c>help.txt</c> anew and look at the difference.</summary>
public sealed class HelpTests : IDisposable
{
    private static readonly string[][] Verbs =
    [
        [], ["run"], ["status"], ["dag"], ["runs"], ["runs", "list"], ["runs", "show"], ["runs", "compare"], ["lock"], ["verify"], ["inspect"], ["unpack"], ["diff"], ["lineage"], ["serve"], ["push"], ["models"], ["promote"], ["approve"], ["reject"],
        ["release"], ["release", "plan"], ["release", "pause"], ["release", "resume"], ["release", "abort"], ["rollback"], ["history"],
        ["alerts"], ["incidents"], ["incidents", "list"], ["incidents", "show"], ["incidents", "note"], ["incidents", "close"],
        ["webhooks"], ["webhooks", "add"], ["webhooks", "list"], ["webhooks", "dead"], ["webhooks", "retry"],
        ["policy"], ["policy", "show"], ["policy", "set"], ["policy", "test"], ["up"], ["server"], ["gateway"], ["login"],
        ["access"], ["access", "principal", "add"], ["access", "token", "new"], ["access", "key", "add"],
        ["audit"], ["audit", "verify"], ["audit", "prove"], ["judge"], ["labels"], ["monitor"], ["replay"], ["keys"], ["keys", "new"], ["keys", "show"], ["schema"],
    ];

    private readonly TinyProject project = new();

    public void Dispose() => project.Dispose();

    [Fact]
    public void Help_is_as_it_was_looked_at()
    {
        var shown = new StringBuilder();
        foreach (var verb in Verbs)
        {
            var help = project.Run([.. verb, "--help"]);
            Assert.True(help.Code == 0, help.All);
            shown.Append("$ slipway ").AppendJoin(' ', [.. verb, "--help"]).Append('\n').Append(help.Output.TrimEnd()).Append("\n\n");
        }

        var file = Path.Combine(RepositoryRoot.Folder, "tests/Slipway.EndToEnd/help.txt");
        if (Environment.GetEnvironmentVariable("SLIPWAY_ACCEPT") == "1")
            File.WriteAllText(file, shown.ToString());
        Assert.Equal(File.ReadAllText(file), shown.ToString());
    }

    [Fact]
    public void The_version_is_that_of_the_build()
    {
        var properties = File.ReadAllText(Path.Combine(RepositoryRoot.Folder, "Directory.Build.props"));
        var version = properties.Split("<Version>")[1].Split("</Version>")[0];
        Assert.Equal($"slipway {version}\n", project.Run("--version").Output);
    }

    [Fact]
    public void Every_verb_shows_an_example()
    {
        foreach (var verb in Verbs.Skip(1))
            Assert.Contains("Example: slipway ", project.Run([.. verb, "--help"]).Output);
    }

    [Fact]
    public void Json_is_one_document_and_nothing_else_on_stdout()
    {
        project.MakeKey();
        foreach (var line in new[] { "status --json", "run --json", "run --json -v", "lock --check --json", "verify tiny --json", "keys show --json", "verify nothing --json", "run --json --nonsense" })
        {
            var ended = project.Run(line.Split(' '));
            Assert.True(ended.Json.ValueKind == System.Text.Json.JsonValueKind.Object, $"{line}: {ended.All}");
        }
    }
}
