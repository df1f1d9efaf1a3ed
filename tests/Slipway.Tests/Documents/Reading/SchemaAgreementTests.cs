using System.Text;
using NJsonSchema;
using Slipway.Documents.Datasets;
using Slipway.Documents.Reading;
using Slipway.Documents.Specs;
using Slipway.Primitives.Faults;
using Slipway.Tests.Documents.Specs;

namespace Slipway.Tests.Documents.Reading;

/// <summary>An independent schema checker must judge every document as the parser's first step does.</summary>
public sealed class SchemaAgreementTests
{
    private static readonly string Expectations = File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Documents/Datasets/vectors/flights.yaml"));

    /// <summary>What the documented example has no room for.</summary>
    private const string Rest = """
        {"slipway": 1, "name": "rest", "params": {"a": {"b": [1, "x", true, [2]], "c": "t"}, "d": 1.5, "x-own": null},
         "determinism": {"seed": 0, "epoch": "2024-02-29T12:00:00Z"}, "data": {"d": {"path": "d.csv", "sample": {"rows": 7, "seed": 0}}},
         "model": {"artifact": "fit.model", "runtime": "onnx", "task": "ranking", "signature": {
           "inputs": [{"name": "x", "type": "string", "shape": [-1]}], "outputs": [{"name": "y", "type": "bool", "shape": [1, 2, 3]}]}},
         "evaluate": {"predictions": "a.b", "label": "l", "score": "s", "confidence": 0.9, "baseline": "none", "unit": "row"},
         "release": {"staging": {"strategy": "shadow", "guard": {"error-rate": 0.01, "latency": {"p99.9": "1 s"}}}}}
        """;

    private const string RestOfExpectations = """
        {"slipway-expectations": 1, "rows": {"min": 1, "max": 2, "severity": "warn"},
         "columns": {"A b": {"values": [1, "x", true], "distinct": {"min": 1}, "range": [null, 1.5]}, "x-y": {"range": ["12:00:00", "12:00:00.5"]}}}
        """;

    [Fact]
    public async Task The_schema_of_the_spec_agrees_with_the_parser()
    {
        var schema = await JsonSchema.FromJsonAsync(SpecSchema.Json, TestContext.Current.CancellationToken);
        Agree(schema, SpecText.Full, SpecGrammar.Spec);
        Agree(schema, SpecText.Small, SpecGrammar.Spec);
        Agree(schema, Rest, SpecGrammar.Spec);
    }

    [Fact]
    public async Task The_schema_of_expectations_agrees_with_the_parser()
    {
        var schema = await JsonSchema.FromJsonAsync(ExpectationsSchema.Json, TestContext.Current.CancellationToken);
        Agree(schema, Expectations, ExpectationsGrammar.File);
        Agree(schema, RestOfExpectations, ExpectationsGrammar.File);
    }

    [Fact]
    public async Task Whatever_the_parser_accepts_the_schema_accepts()
    {
        var schema = await JsonSchema.FromJsonAsync(SpecSchema.Json, TestContext.Current.CancellationToken);
        var accepted = Yaml.Mutations(Yaml.ToJson(SpecText.Small)).Select(each => Yaml.FromJson(each.Document)).Where(yaml => IsAccepted(() => SpecText.Parse(yaml))).ToArray();
        Assert.NotEmpty(accepted);
        Assert.All(accepted, yaml => Assert.Empty(schema.Validate(yaml)));
    }

    [Fact]
    public void Every_key_that_is_taken_in_changes_what_is_read()
    {
        // A key in a grammar's list whose value nobody reads would be refused by no one and do nothing.
        // Values that are defaults are replaced first, since leaving them out rightly changes nothing.
        var whole = Yaml.ToJson(SpecText.Full
            .Replace("{ seed: 42, epoch: 1980-01-01 }", "{ seed: 43, epoch: 1990-01-01 }", StringComparison.Ordinal)
            .Replace("count: 1", "count: 2", StringComparison.Ordinal)
            .Replace("log_loss, ", "", StringComparison.Ordinal)
            .Replace("95 %", "90 %", StringComparison.Ordinal)
            .Replace("resamples: 2000", "resamples: 3000", StringComparison.Ordinal)
            .Replace("accelerator: none, ", "", StringComparison.Ordinal)
            .Replace("x-note: a key of our own", "", StringComparison.Ordinal)
            .Replace("{ false-alarm: 1 %, tolerated-ratio: 1.0, promote-margin: 0.5, on-insufficient: hold }", "{ false-alarm: 2 %, tolerated-ratio: 1.5, promote-margin: 0.7, on-insufficient: rollback }", StringComparison.Ordinal)
            .Replace("keep-warm: 1 h", "keep-warm: 2 h", StringComparison.Ordinal)
            .Replace("    on-harm: rollback\n", "", StringComparison.Ordinal));      // says what is always so
        var before = Read(Yaml.FromJson(whole));
        var dropped = Yaml.Mutations(whole).Where(each => each.What.StartsWith("own at", StringComparison.Ordinal)).ToArray();
        Assert.True(dropped.Length > 80);
        Assert.All(dropped, each => Assert.NotEqual((each.What, before), (each.What, IsAccepted(() => SpecText.Parse(Yaml.FromJson(each.Document))) ? Read(Yaml.FromJson(each.Document)) : "refused")));

        static string Read(string yaml) => Encoding.UTF8.GetString(Slipway.Primitives.Bytes.CanonicalJson.Serialize(SpecText.Parse(yaml), Slipway.Documents.DocumentJson.Default.Spec));
    }

    internal static void Agree<T>(JsonSchema schema, string yaml, Shape<T> shape)
    {
        var document = Yaml.ToJson(yaml);
        Assert.Empty(schema.Validate(Yaml.FromJson(document)));
        var (refused, all) = (0, 0);
        foreach (var (what, mutant) in Yaml.Mutations(document))
        {
            var text = Yaml.FromJson(mutant);
            var faults = new FaultList();
            shape.TryRead(YamlTree.Read("f", Encoding.UTF8.GetBytes(text), "spec", faults), new Label("it", new Place("f", 1, 1)), faults, out _);
            var errors = schema.Validate(text);
            Assert.True(
                faults.Any == errors.Count > 0,
                $"{what}: the parser says '{string.Join("; ", faults.InOrder)}', the schema '{string.Join("; ", errors)}'");
            (refused, all) = (refused + (faults.Any ? 1 : 0), all + 1);
        }

        Assert.InRange(refused, all / 4, all - all / 20);
    }

    private static bool IsAccepted(Action parse)
    {
        try
        {
            parse();
            return true;
        }
        catch (SlipwayException)
        {
            return false;
        }
    }
}
