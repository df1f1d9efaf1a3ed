using NJsonSchema;
using Slipway.Cli;
using Slipway.Primitives.Faults;
using Slipway.Tests.Documents.Reading;
using YamlDotNet.RepresentationModel;

namespace Slipway.Tests.Cli;

/// <summary>GitLab's schema is at hand. GitHub and Microsoft publish theirs where these tests cannot have them: there the shape is held to what their references say.</summary>
public class CiFileTests
{
    private static readonly CiSettings Plain = new() { Folder = "", SpecFile = "slipway.yaml", LockName = "slipway.lock" };

    private static readonly CiSettings Deep = new() { Folder = "models/late", SpecFile = "late.yaml", LockName = "late.lock", Branch = "trunk", Image = "registry.example.org/slipway:1@sha256:00" };

    public static TheoryData<string> Systems => new(CiFile.All.Select(file => file.System));

    [Theory, MemberData(nameof(Systems))]
    public void Nothing_of_the_template_is_left(string system)
    {
        foreach (var settings in new[] { Plain, Deep })
            Assert.DoesNotMatch("@[A-Z]+@", Write(system, settings));
        Assert.Contains("slipway check --report slipway-report", Write(system, Plain));
        Assert.Contains("slipway -C models/late --file late.yaml check --report slipway-report", Write(system, Deep));
        Assert.Contains("slipway -C models/late --file late.yaml run", Write(system, Deep));
        Assert.Contains("models/late/slipway-report", Write(system, Deep));
        Assert.Contains("trunk", Write(system, Deep));
        Assert.Contains(Deep.Image!, Write(system, Deep));
    }

    [Theory]
    [InlineData("github")]
    [InlineData("gitlab")]
    [InlineData("azure")]
    public void It_is_YAML_without_a_key_twice(string system)
    {
        foreach (var settings in new[] { Plain, Deep })
            Assert.NotEmpty(Root(Write(system, settings)).Children);
        Assert.ThrowsAny<Exception>(() => Root(Write(system, Plain) + "\n" + Write(system, Plain)));
    }

    [Fact]
    public async Task GitLab_s_published_schema_accepts_it()
    {
        var schema = await JsonSchema.FromFileAsync(Path.Combine(AppContext.BaseDirectory, "Cli/vectors/gitlab-ci.json"), TestContext.Current.CancellationToken);
        foreach (var settings in new[] { Plain, Deep })
        {
            var text = Write("gitlab", settings);
            Assert.Empty(schema.Validate(Json(text)));
            Assert.NotEmpty(schema.Validate(Json(text.Replace("when: always", "when: sometimes"))));
            Assert.NotEmpty(schema.Validate(Json(text.Replace("interruptible: true", "interruptible: maybe"))));
        }
    }

    [Theory]
    [InlineData("github", "GitHub's schema is in no JSON Schema that may be carried along, and its parser in a package that is not among the installed ones")]
    [InlineData("azure", "Azure's schema is served by each organization, and is in no package")]
    [InlineData("jenkins", "a Jenkinsfile is judged by a Jenkins server")]
    public void No_published_schema_is_at_hand(string system, string reason)
    {
        Assert.NotEmpty(Write(system, Plain));
        Assert.Skip(reason);
    }

    [Fact]
    public void GitHub_jobs_get_no_more_rights_than_they_need()
    {
        var root = Root(Write("github", Plain));
        Assert.Equal("{ { contents, read } }", root.Children["permissions"].ToString());
        var jobs = (YamlMappingNode)root.Children["jobs"];
        Assert.Equal(["check", "comment", "run"], jobs.Children.Keys.Select(key => key.ToString()));
        Assert.All(jobs.Children, job => Assert.Contains("runs-on", ((YamlMappingNode)job.Value).Children.Keys.Select(key => key.ToString())));
        Assert.Equal(["comment"], jobs.Children.Where(job => ((YamlMappingNode)job.Value).Children.ContainsKey("permissions")).Select(job => job.Key.ToString()));
        // The job that may write runs nothing of the pull request, and the one that has the key runs on no pull request.
        Assert.DoesNotContain("actions/checkout", jobs.Children["comment"].ToString());
        Assert.Equal(["run"], jobs.Children.Where(job => job.Value.ToString().Contains("secrets.SLIPWAY")).Select(job => job.Key.ToString()));
        Assert.Equal("github.event_name == 'push'", ((YamlMappingNode)jobs.Children["run"]).Children["if"].ToString());
        Assert.Contains("head.repo.full_name == github.repository", ((YamlMappingNode)jobs.Children["check"]).Children["if"].ToString());
    }

    [Theory, MemberData(nameof(Systems))]
    public void Secrets_stand_only_after_the_check(string system)
    {
        var text = string.Join('\n', Write(system, Plain).Split('\n').Where(line => !line.TrimStart().StartsWith('#') && !line.TrimStart().StartsWith("//")));
        var check = text.IndexOf("slipway check --report", StringComparison.Ordinal);
        var secret = text.IndexOf("SIGNING_KEY", StringComparison.OrdinalIgnoreCase);
        Assert.True(secret < 0 ? system == "gitlab" : secret > check);
    }

    [Fact]
    public void Braces_of_the_Jenkinsfile_match()
    {
        foreach (var settings in new[] { Plain, Deep })
        {
            var text = Write("jenkins", settings);
            foreach (var (open, close) in new[] { ('{', '}'), ('(', ')'), ('[', ']') })
                Assert.Equal(text.Count(c => c == open), text.Count(c => c == close));
            Assert.StartsWith("pipeline {", text.Split('\n').First(line => !line.StartsWith("//")));
        }
    }

    [Theory]
    [InlineData("a b")]
    [InlineData("main\"]\n")]
    [InlineData("$(rm -rf .)")]
    [InlineData("-x")]
    [InlineData("main\n")]
    public void What_would_have_to_be_quoted_is_refused(string text)
    {
        foreach (var settings in new[] { Plain with { Branch = text }, Plain with { Folder = text }, Plain with { Image = text }, Plain with { SpecFile = text } })
            Assert.Equal("bad-argument", Assert.Throws<SlipwayException>(settings.Check).Faults[0].Code);
        Plain.Check();
        Deep.Check();
    }

    private static string Write(string system, CiSettings settings) => CiFile.All.Single(file => file.System == system).Write(settings);

    private static YamlMappingNode Root(string text)
    {
        var yaml = new YamlStream();
        yaml.Load(new StringReader(text));
        return (YamlMappingNode)Assert.Single(yaml.Documents).RootNode;
    }

    private static string Json(string yaml) => Yaml.ToJson(yaml).ToJsonString();
}
