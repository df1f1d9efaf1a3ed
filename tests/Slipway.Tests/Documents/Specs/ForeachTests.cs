using Slipway.Documents.Specs;
using Slipway.Primitives.Faults;

namespace Slipway.Tests.Documents.Specs;

/// <summary>A stage with a foreach stands for one stage per combination.</summary>
public sealed class ForeachTests
{
    private const string Text = """
        slipway: 1
        name: grid
        params: { leaves: 31, rate: 0.1, depth: 3 }
        stages:
          fit:
            run: python3 fit.py --leaves ${params.leaves}
            in: [fit.py]
            out: { model: 'build/fit-${params.leaves}-${params.rate}.pkl' }
            params: [depth]
            foreach: { leaves: [15, 31], rate: [0.1] }
          score:
            run: python3 score.py
            in: [score.py, fit.model]
            out: { rows: 'build/score-${params.leaves}.csv' }
            foreach: { leaves: [15, 31] }
          best:
            run: python3 best.py
            in: [best.py, score.rows]
            out: { table: build/best.csv }
        """;

    [Fact]
    public void A_foreach_makes_a_stage_of_each_combination_with_its_params_and_paths()
    {
        var spec = SpecText.Parse(Text);
        Assert.Equal(["fit@leaves=15,rate=0.1", "fit@leaves=31,rate=0.1", "score@leaves=15", "score@leaves=31", "best"], spec.Stages.Select(stage => stage.Name));
        var fit = spec.Stages[0];
        Assert.Equal("build/fit-15-0.1.pkl", fit.Outputs["model"]);
        Assert.Equal("build/fit-15-0.1.pkl", spec.PathOf("fit@leaves=15,rate=0.1.model"));
        Assert.Equal(["depth 3", "leaves 15", "rate 0.1"], StageParams.Of(spec, fit).Select(param => $"{param.Key} {StageParams.Text(param.Value)}"));
        Assert.Equal("31", StageParams.Text(spec.Params["leaves"]));
    }

    [Fact]
    public void A_stage_without_a_foreach_takes_all_combinations() =>
        Assert.Equal(["best.py", "score@leaves=15.rows", "score@leaves=31.rows"], SpecText.Parse(Text).Stages[^1].Inputs.Select(input => input.Name));

    [Fact]
    public void A_stage_with_a_foreach_takes_the_combinations_that_have_its_own_values()
    {
        Assert.Equal(["score.py", "fit@leaves=31,rate=0.1.model"], SpecText.Parse(Text).Stages[3].Inputs.Select(input => input.Name));
        // Of what only the other stage goes over, it takes all.
        var wide = SpecText.Parse(Text.Replace("rate: [0.1] }", "rate: [0.1, 0.2] }"));
        Assert.Equal(["score.py", "fit@leaves=31,rate=0.1.model", "fit@leaves=31,rate=0.2.model"], wide.Stages.Single(stage => stage.Name == "score@leaves=31").Inputs.Select(input => input.Name));
    }

    [Fact]
    public void One_combination_can_be_named() =>
        Assert.Equal(["best.py", "fit@leaves=15,rate=0.1.model"], SpecText.Parse(Text.Replace("[best.py, score.rows]", "[best.py, 'fit@leaves=15,rate=0.1.model']")).Stages[^1].Inputs.Select(input => input.Name));

    [Theory]
    [InlineData("-${params.leaves}-${params.rate}.pkl", "-${params.rate}.pkl", "output-conflict", "for each of 2 values of leaves", "Write build/fit-${params.rate}-${params.leaves}.pkl")]
    [InlineData("'build/fit-${params.leaves}-${params.rate}.pkl'", "'build/fit-${params.leaves}-${params.depth}.pkl'", "unknown-reference", "asks for ${params.depth}, which is not in the stage's foreach", null)]
    [InlineData("'build/fit-${params.leaves}-${params.rate}.pkl'", "'${params.leaves}/../x'", "bad-path", "allowed the path of a file", null)]
    [InlineData("table: build/best.csv", "table: 'build/${params.depth}.csv'", "unknown-reference", "asks for ${params.depth}", null)]
    [InlineData("[15, 31], rate", "[15, 15], rate", "duplicate-value", "'15' stands twice", null)]
    [InlineData("rate: [0.1]", "rate: [0.10, 0.1]", "duplicate-value", "rate in foreach of stage 'fit' has the value 0.1 twice", null)]
    [InlineData("rate: [0.1]", "rat: [0.1]", "unknown-reference", "no param 'rat', nearest is 'rate'", null)]
    [InlineData("rate: [0.1]", "rate: [[1]]", "wrong-type", "allowed text, a number, true or false", null)]
    [InlineData("rate: [0.1]", "rate: []", "bad-value", "has 0 items", null)]
    [InlineData("[best.py, score.rows]", "[best.py, score@leaves=16.rows]", "unknown-reference", "stage 'score' has no combination 'score@leaves=16', nearest is 'score@leaves=15'; there are score@leaves=15.rows, score@leaves=31.rows", null)]
    [InlineData("[best.py, score.rows]", "[best.py, score.rows, score@leaves=15.rows]", "duplicate-value", "'score@leaves=15.rows' stands twice", null)]
    [InlineData("foreach: { leaves: [15, 31] }", "foreach: { leaves: [15, 63] }", "unknown-reference", "score@leaves=63 takes fit.model, and no combination of 'fit' has the same values", null)]
    [InlineData("[best.py, score.rows]", "[best.py, best@x=1.table]", "unknown-reference", "stage 'best' has no combination 'best@x=1'; it has no foreach", null)]
    public void What_does_not_fit_together_is_told_once_with_a_way_out(string text, string replacement, string code, string says, string? help)
    {
        Assert.Contains(text, Text, StringComparison.Ordinal);
        var faults = SpecText.Faults(Text.Replace(text, replacement));
        var fault = faults.First(fault => fault.Code == code && fault.Message.Contains(says, StringComparison.Ordinal));
        Assert.NotNull(fault.Line);
        if (help is not null)
            Assert.Equal(help, fault.Help);
    }

    [Fact]
    public void A_model_that_could_be_any_of_the_combinations_is_refused_with_their_names()
    {
        const string model = """

            model:
              artifact: fit.model
              runtime: onnx
              task: regression
              signature:
                inputs: [{ name: x, type: float32, shape: [-1, 1] }]
                outputs: [{ name: y, type: float32, shape: [-1, 1] }]
            """;
        var fault = Assert.Single(SpecText.Faults(Text + model));
        Assert.Equal("ambiguous-reference", fault.Code);
        Assert.Contains("fit@leaves=15,rate=0.1.model, fit@leaves=31,rate=0.1.model", fault.Message, StringComparison.Ordinal);
        Assert.Empty(SpecText.Faults(Text + model.Replace("artifact: fit.model", "artifact: fit@leaves=31,rate=0.1.model")));
    }

    [Fact]
    public void A_circle_is_told_once_in_the_names_of_the_file()
    {
        var fault = Assert.Single(SpecText.Faults(Text.Replace("in: [fit.py]", "in: [fit.py, score.rows]")), fault => fault.Code == "circular-stages");
        Assert.Contains("fit → score → fit", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Values_that_no_file_name_holds_go_by_a_digest_and_names_stay_short_and_apart()
    {
        var names = SpecText.Parse(Text.Replace("leaves: [15, 31], rate: [0.1]", "leaves: ['a/b', '..', 'Adam', 'adam', 'x y'], rate: [0.1]").Replace("leaves: [15, 31] }", "leaves: ['a/b', '..', 'Adam', 'adam', 'x y'] }"))
            .Stages.Select(stage => stage.Name).Where(name => name.StartsWith("fit", StringComparison.Ordinal)).ToList();
        Assert.Equal(5, names.Distinct(StringComparer.OrdinalIgnoreCase).Count());
        Assert.All(names, name => Assert.Matches("^fit@leaves=[0-9a-f]{12},rate=0.1$", name));
        var longNames = SpecText.Parse(string.Join('\n', "slipway: 1", "name: grid", $"params: {{ {string.Join(", ", Keys.Select(key => key + ": 1"))} }}", "stages:", "  fit:", "    run: x", "    out: { a: build/a }", $"    foreach: {{ {string.Join(", ", Keys.Select(key => key + ": [1]"))} }}"));
        Assert.Matches("^fit@[0-9a-f]{12}$", Assert.Single(longNames.Stages).Name);
    }

    [Fact]
    public void Too_many_combinations_are_refused_before_they_are_made()
    {
        var many = string.Join(", ", Enumerable.Range(0, 1000));
        var text = Text.Replace("leaves: [15, 31], rate: [0.1]", $"leaves: [{many}], rate: [{many}], depth: [{many}]");
        Assert.Contains("1000 × 1000 × 1000 combinations, allowed at most 1000", SpecText.Faults(text).First(fault => fault.Code == "bad-value").Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Combinations_of_combinations_are_bounded_as_well()
    {
        var many = string.Join(", ", Enumerable.Range(0, 1000));
        var text = Text.Replace("leaves: [15, 31], rate: [0.1]", $"leaves: [{many}], rate: [0.1]").Replace("foreach: { leaves: [15, 31] }", $"foreach: {{ depth: [{many}] }}").Replace("score-${params.leaves}", "score-${params.depth}");
        Assert.Contains(SpecText.Faults(text), fault => fault.Code == "too-many-inputs");
    }

    private static string[] Keys => [.. Enumerable.Range(0, 16).Select(n => $"a-rather-long-name-of-a-param-{n}")];
}
