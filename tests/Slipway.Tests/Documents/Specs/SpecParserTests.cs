using System.Text;
using Slipway.Documents;
using Slipway.Documents.Reading;
using Slipway.Documents.Serving;
using Slipway.Documents.Specs;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;
using Slipway.Primitives.Units;

namespace Slipway.Tests.Documents.Specs;

public sealed class SpecParserTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("slipway-specs-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void The_documented_example_is_read_whole()
    {
        var spec = SpecText.Parse(SpecText.Full);

        Assert.Equal(("flight-delay", ">=0.1", "Apache-2.0"), (spec.Name, spec.Requires, spec.License));
        Assert.Equal(["ops@example.org"], spec.Owners.AsEnumerable());
        Assert.Equal(new DatasetSpec("flights", "data/flights.parquet", "expectations/flights.yaml", new("npm:vega-datasets@3.2.1", "BSD-3-Clause")) { At = new("slipway.yaml", 10, 3) }, spec.Data["flights"]);
        Assert.Equal(["python3-sklearn", "python3-pandas"], spec.Environments["py"].HostPackages.AsEnumerable());
        var serve = spec.Hardware["serve"];
        Assert.Equal((1, 1, new ByteSize(512 << 20), "avx2", "fp32"), (serve.Cpus!.Value, serve.Threads!.Value, serve.Memory!.Value, serve.Features[0], serve.Precision));
        Assert.Equal((new ByteRate(new(10_000_000)), TimeSpan.FromMilliseconds(20), 500), (serve.Bandwidth!.Value, serve.LatencyP99!.Value.Value, serve.Throughput!.Value.PerSecond));
        Assert.Null(serve.Accelerator);
        Assert.Equal(new("nvidia", 1, new ByteSize(16L << 30), ">=8.0", ">=550"), spec.Hardware["gpu"].Accelerator);
        Assert.Equal(DeterminismSpec.Default, spec.Determinism);
        Assert.Equal("cutoff-minutes=15 leaves=31 rate=0.1", string.Join(' ', spec.Params.Select(param => $"{param.Key}={param.Value.GetRawText()}")));
    }

    [Fact]
    public void The_documented_examples_stages_model_and_gates_are_read()
    {
        var spec = SpecText.Parse(SpecText.Full);

        Assert.Equal(["features", "fit", "score"], spec.Stages.Select(stage => stage.Name));
        var (features, fit, score) = (spec.Stages[0], spec.Stages[1], spec.Stages[2]);
        Assert.Equal(("pipeline/features.sql", null), (features.Sql, features.Run));
        Assert.Equal(new StageInput(InputKind.Dataset, "flights") { At = new("slipway.yaml", 33, 10) }, features.Inputs[0]);
        Assert.Equal(["/bin/sh", "-c", "python3 pipeline/train.py --leaves ${params.leaves}"], fit.Run!.Value.AsEnumerable());
        Assert.Equal([(InputKind.Output, "features.train"), (InputKind.Path, "pipeline/train.py")], fit.Inputs.Select(input => (input.Kind, input.Name)));
        Assert.Equal("model=build/model/ report=build/train.json", string.Join(' ', fit.Outputs.Select(output => $"{output.Key}={output.Value}")));
        Assert.Equal(("py", "train", TimeSpan.FromMinutes(20), "leaves rate"), (fit.Environment, fit.Hardware, fit.Timeout!.Value.Value, string.Join(' ', fit.Params)));
        Assert.Equal(["python3", "pipeline/score.py", "1"], score.Run!.Value.AsEnumerable());

        var model = spec.Model!;
        Assert.Equal(("fit.model", "binary-classification", "py", false), (model.Artifact, model.Task, model.Runtime.Environment, model.Runtime.IsOnnx));
        Assert.Equal((InputKind.Path, "serve/predict.py"), (model.Runtime.Inputs[0].Kind, model.Runtime.Inputs[0].Name));
        var hour = model.Signature.Inputs[1];
        Assert.Equal(("hour", Datatype.Int64, "-1 1", new ValueRange(0, 23)), (hour.Name, hour.Datatype, string.Join(' ', hour.Shape), hour.Range));

        var evaluate = spec.Evaluate!;
        Assert.Equal(("score.predictions", "late", "probability", "date", "oci:releases:production"), (evaluate.Predictions, evaluate.Label, evaluate.Score, evaluate.Unit, evaluate.Baseline));
        Assert.Equal((0.95, 2000, "origin hour"), (evaluate.Confidence.Value, evaluate.Resamples, string.Join(' ', evaluate.Slices)));
        Assert.Equal([WithoutBaseline.Refuse, WithoutBaseline.Skip, WithoutBaseline.Refuse, WithoutBaseline.Refuse], spec.Gates.Select(gate => gate.WithoutBaseline));
        Assert.Equal((new Place("slipway.yaml", 76, 5), new Place("slipway.yaml", 76, 37)), (spec.Gates[3].At, spec.Gates[3].RequireAt));
    }

    [Fact]
    public void What_is_left_out_has_its_documented_default()
    {
        var spec = SpecText.Parse(SpecText.Small + """

            model:
              artifact: fit.model
              runtime: onnx
              task: binary-classification
              signature: { inputs: [{ name: x, type: float32, shape: [-1] }], outputs: [{ name: y, type: float32, shape: [-1] }] }
            evaluate: { predictions: fit.late, label: late, score: p, unit: row, baseline: none }
            """);

        Assert.True(spec.Model!.Runtime.IsOnnx);
        var evaluate = spec.Evaluate!;
        Assert.Equal((null, null, 0.95, 2000), (evaluate.Unit, evaluate.Baseline, evaluate.Confidence.Value, evaluate.Resamples));
        Assert.Equal(["auc", "accuracy", "log_loss", "brier", "ece"], evaluate.Metrics.AsEnumerable());
        Assert.Equal(["depth", "tree.leaves"], spec.Params.Keys);
        Assert.Equal(DeterminismSpec.Default, spec.Determinism);
    }

    [Fact]
    public void A_spec_survives_its_own_JSON()
    {
        var bytes = CanonicalJson.Serialize(SpecText.Parse(SpecText.Full), DocumentJson.Default.Spec);
        var back = System.Text.Json.JsonSerializer.Deserialize(bytes, DocumentJson.Default.Spec)!;
        Assert.Equal(bytes, CanonicalJson.Serialize(back, DocumentJson.Default.Spec));
    }

    [Fact]
    public void Params_may_lie_in_a_file_and_be_nested()
    {
        File.WriteAllText(Path.Combine(folder, "slipway.yaml"), "slipway: 1\nname: p\nparams: params.yaml\n");
        File.WriteAllText(Path.Combine(folder, "params.yaml"), "a: 1\nb: { c: [1, x, true], d: -0.5 }\nx-note: { Not: [read] }\n");

        var spec = SpecParser.Load(folder);

        Assert.Equal("""a=1 b.c=[1,"x",true] b.d=-0.5""", string.Join(' ', spec.Params.Select(param => $"{param.Key}={param.Value.GetRawText()}")));
    }

    [Fact]
    public void Faults_of_a_params_file_stand_beside_those_of_the_spec()
    {
        File.WriteAllText(Path.Combine(folder, "slipway.yaml"), "slipway: 1\nname: P\nparams: params.yaml\n");
        File.WriteAllText(Path.Combine(folder, "params.yaml"), "a: yes\nB: 1\n");
        var faults = Assert.Throws<SlipwayException>(() => SpecParser.Load(folder)).Faults;
        Assert.Equal(["params.yaml:1:4 wrong-type", "params.yaml:2:1 bad-name", "slipway.yaml:2:7 bad-name"], faults.Select(fault => $"{fault.File}:{fault.Line}:{fault.Column} {fault.Code}"));

        File.Delete(Path.Combine(folder, "params.yaml"));
        faults = Assert.Throws<SlipwayException>(() => SpecParser.Load(folder)).Faults;
        Assert.Equal(["slipway.yaml:2:7 bad-name", "slipway.yaml:3:9 params-missing"], faults.Select(fault => $"{fault.File}:{fault.Line}:{fault.Column} {fault.Code}"));
    }

    [Fact]
    public void A_missing_spec_is_told_with_the_next_step()
    {
        var thrown = Assert.Throws<SlipwayException>(() => SpecParser.Load(folder));
        var fault = Assert.Single(thrown.Faults);
        Assert.Equal((ExitCode.UnusableInput, "spec-missing", "slipway.yaml"), (thrown.Exit, fault.Code, fault.File));
        Assert.Contains("-C DIR", fault.Help, StringComparison.Ordinal);

        File.WriteAllText(Path.Combine(folder, "slipway.yml"), "");
        Assert.Contains("slipway.yml", Assert.Throws<SlipwayException>(() => SpecParser.Load(folder)).Faults[0].Help, StringComparison.Ordinal);

        Directory.CreateDirectory(Path.Combine(folder, "slipway.yaml"));
        Assert.Contains("a folder", Assert.Throws<SlipwayException>(() => SpecParser.Load(folder)).Faults[0].Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(">=0.1", null)]
    [InlineData(">0.1, <=0.1.0", "wrong-version")]
    [InlineData(">=0.2", "wrong-version")]
    [InlineData("=0.1", null)]
    [InlineData("0.1", "bad-value")]
    [InlineData(">=", "bad-value")]
    [InlineData(">=1.x", "bad-value")]
    public void The_programs_version_must_fit(string requires, string? code)
    {
        var content = Encoding.UTF8.GetBytes($"slipway: 1\nname: v\nrequires: '{requires}'\n");
        var thrown = Record.Exception(() => SpecParser.Parse("slipway.yaml", content, null, new Version(0, 1, 0, 0)));
        Assert.Equal(code, (thrown as SlipwayException)?.Faults.Single().Code);
    }
}
