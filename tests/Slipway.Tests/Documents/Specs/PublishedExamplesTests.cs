using System.Text;
using System.Text.RegularExpressions;
using Slipway.Documents.Datasets;
using Slipway.Documents.Policies;
using Slipway.Documents.Specs;
using Slipway.Primitives.Faults;

namespace Slipway.Tests.Documents.Specs;

/// <summary>What the guides show and what the sample holds is what the parsers take in.</summary>
public sealed partial class PublishedExamplesTests
{
    private static readonly string root = FindRoot();

    [Theory]
    [InlineData("slipway.yaml")]
    [InlineData("slipway.onnx.yaml")]
    public void The_samples_specs_and_expectations_are_sound(string file)
    {
        var sample = Path.Combine(root, "samples/flight-delay");
        var spec = SpecParser.Load(sample, file);
        Assert.NotEmpty(ExpectationsParser.Load(sample, spec.Data["flights"].Expect!).Columns);
    }

    [Fact]
    public void The_samples_two_specs_write_to_different_places_but_for_the_features_that_they_share()
    {
        var sample = Path.Combine(root, "samples/flight-delay");
        var (first, second) = (SpecParser.Load(sample), SpecParser.Load(sample, "slipway.onnx.yaml"));
        var shared = Outputs(first).Intersect(Outputs(second)).Select(output => output.Stage).Distinct();
        Assert.Equal(["features"], shared);
        Assert.Equal(first.Stages[0].Outputs, second.Stages[0].Outputs);

        static IEnumerable<(string Stage, string Path)> Outputs(Spec spec) => spec.Stages.SelectMany(stage => stage.Outputs.Values.Select(path => (stage.Name, path)));
    }

    [Fact]
    public void The_pieces_of_the_first_guide_make_a_sound_spec()
    {
        var spec = SpecParser.Parse("slipway.yaml", Yaml("docs/guide/first-model.md", _ => true));
        Assert.Equal("churn", spec.Name);
        Assert.Equal(["split", "fit", "score"], spec.Stages.Select(stage => stage.Name));
        Assert.Equal(2, spec.Gates.Length);
    }

    [Fact]
    public void A_guide_that_lost_a_piece_would_be_noticed() =>
        Assert.Throws<SlipwayException>(() => SpecParser.Parse("slipway.yaml", Yaml("docs/guide/first-model.md", piece => !piece.StartsWith("environments:", StringComparison.Ordinal))));

    [Fact]
    public void The_guide_to_validation_shows_a_sound_file() =>
        Assert.Equal(4, ExpectationsParser.Parse("flights.yaml", Yaml("docs/guide/validating-data.md", _ => true)).Columns.Length);

    [Fact]
    public void The_guide_to_canaries_shows_a_sound_release_plan() =>
        Assert.Equal(3, SpecParser.Parse("slipway.yaml", (byte[])[.. "slipway: 1\nname: example\n"u8, .. Yaml("docs/guide/canary.md", _ => true)]).Release!.Channels["production"].Steps.Length);

    [Fact]
    public void The_pages_on_releases_and_policies_show_sound_files()
    {
        const string rest = "slipway: 1\nname: flight-delay\n";
        var plan = SpecParser.Parse("slipway.yaml", Encoding.UTF8.GetBytes(rest).Concat(Yaml("docs/format/release.md", _ => true)).ToArray()).Release!;
        Assert.Equal(4, plan.Channels["production"].Steps.Length);
        var policy = PolicyParser.Parse("policy.yaml", Yaml("docs/format/policy.md", _ => true));
        Assert.Equal(2, policy.Models.Count);
        Assert.Empty(policy.Floor("flight-delay", "production").Tighten(plan.Channels["production"]).Faults);
    }

    private static byte[] Yaml(string page, Func<string, bool> keep) =>
        Encoding.UTF8.GetBytes(string.Concat(Fenced().Matches(File.ReadAllText(Path.Combine(root, page))).Select(match => match.Groups[1].Value).Where(keep)));

    [GeneratedRegex("```yaml\n(.*?)```", RegexOptions.Singleline | RegexOptions.CultureInvariant)]
    private static partial Regex Fenced();

    private static string FindRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Slipway.slnx")))
            folder = folder.Parent;
        return folder?.FullName ?? throw new InvalidOperationException("the tests were not started from a checkout");
    }
}
