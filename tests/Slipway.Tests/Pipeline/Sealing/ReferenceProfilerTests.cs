using System.Collections.Immutable;
using System.Globalization;
using Slipway.Documents.Bundles;
using Slipway.Documents.Datasets;
using Slipway.Documents.Monitoring;
using Slipway.Documents.Reading;
using Slipway.Documents.Serving;
using Slipway.Documents.Specs;
using Slipway.Engines.DuckDb;
using Slipway.Pipeline.Sealing;
using Slipway.Pipeline.Snapshots;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;
using Slipway.Stats.Sketches;
using Slipway.Tests.Primitives;

namespace Slipway.Tests.Pipeline.Sealing;

public sealed class ReferenceProfilerTests : IDisposable
{
    private readonly TestFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void Few_values_have_a_bin_each_and_many_are_cut_at_the_deciles()
    {
        var rows = Enumerable.Range(0, 1000).Select(i => (Hour: i % 24 % 20, Distance: i));
        var profile = Profile(
            Csv("hour,distance", rows.Select(row => $"{row.Hour},{row.Distance}")), Spec(Number("hour", Datatype.Int64), Number("distance", Datatype.Int64)));
        var (hour, distance) = (profile.Inputs[0], profile.Inputs[1]);
        Assert.Equal(Enumerable.Range(0, 19).Select(value => (double)value), hour.Edges!.Value);
        Assert.Equal((1000, 0, 83, 83, 41), (hour.Profile.Count, hour.Profile.Missing, hour.Profile.Bins[0], hour.Profile.Bins[3], hour.Profile.Bins[19]));
        Assert.Equal([99, 199, 299, 399, 499, 599, 699, 799, 899], distance.Edges!.Value);
        Assert.All(distance.Profile.Bins, count => Assert.Equal(100, count));
        Assert.Equal(new Moments(1000, 0, 999, 499.5, 83_333_250, 0, 12_499_958_333_400), distance.Profile.Moments!.Value with { M3 = 0 });
        Assert.InRange(distance.Profile.Moments!.Value.M3, -1e-3, 1e-3);
    }

    [Fact]
    public void A_value_that_many_rows_hold_has_one_edge_and_the_largest_has_none()
    {
        var values = Enumerable.Repeat(0.0, 500).Concat(Enumerable.Range(1, 100).Select(i => (double)i)).Concat(Enumerable.Repeat(1000.0, 400));
        var feature = Profile(Csv("x", values.Select(Text)), Spec(Number("x", Datatype.Float64))).Inputs[0];
        Assert.Equal([0, 100], feature.Edges!.Value);
        Assert.Equal([500, 100, 400], feature.Profile.Bins);
    }

    [Fact]
    public void Edges_lie_where_the_models_own_rounding_puts_the_values()
    {
        var feature = Profile(Csv("x", ["0.1", "0.2", "0.30000000000000004"]), Spec(Number("x", Datatype.Float32))).Inputs[0];
        Assert.Equal([(double)0.1f, 0.2f], feature.Edges!.Value);
        Assert.Equal([1, 1, 1], feature.Profile.Bins);
    }

    [Fact]
    public void What_is_no_number_or_an_empty_text_is_missing_and_zero_has_no_sign()
    {
        var profile = Profile(
            Csv("x,s", ["1.5,a", "NaN,", "inf,a", ",b", "-0.0,\"\"", "0.0,c", "1e300,a"]), Spec(Number("x", Datatype.Float64), Text("s")));
        Assert.Equal((7, 3), (profile.Inputs[0].Profile.Count, profile.Inputs[0].Profile.Missing));
        Assert.Equal([0, 1.5], profile.Inputs[0].Edges!.Value);
        Assert.Equal([2, 1, 1], profile.Inputs[0].Profile.Bins);
        Assert.Equal((3, 1.5), (profile.Inputs[0].Profile.Moments!.Value.Count, profile.Inputs[0].Profile.Moments!.Value.Max));     // 1e300 has none
        Assert.Equal((7, 2), (profile.Inputs[1].Profile.Count, profile.Inputs[1].Profile.Missing));
        Assert.Equal(["a", "b", "c"], profile.Inputs[1].Categories!.Value);
    }

    [Fact]
    public void Text_has_its_most_frequent_values_by_code_point_and_one_bin_for_all_others()
    {
        var values = Enumerable.Range(0, 150).SelectMany(i => Enumerable.Repeat($"v{i:000}", i < 99 ? 3 : 1)).Concat(["\U0001F600", "\U0001F600", "\uFFFD", "\uFFFD", new string('x', 300), new string('x', 300), new string('x', 300), new string('x', 300)]);
        var feature = Profile(Csv("s", values), Spec(Text("s"))).Inputs[0];
        Assert.Equal(100, feature.Categories!.Value.Length);
        Assert.Equal(["v097", "v098", "\uFFFD"], feature.Categories.Value[^3..]);       // of two that are as frequent the first by code point
        Assert.Equal((3, 2, 57L), (feature.Profile.Bins[0], feature.Profile.Bins[99], feature.Profile.Bins[100]));
        Assert.Null(feature.Profile.Moments);
    }

    [Fact]
    public void Truth_is_told_apart_whether_it_is_written_as_words_or_numbers()
    {
        foreach (var values in new string[][] { ["true", "false", "true"], ["1", "0", "1"] })
        {
            var feature = Profile(Csv("b", values), Spec(new TensorSpec("b", Datatype.Bool, [-1], null, null))).Inputs[0];
            Assert.Equal(["false", "true"], feature.Categories!.Value);
            Assert.Equal([1, 2, 0], feature.Profile.Bins);
        }
    }

    [Fact]
    public void Nothing_of_a_sensitive_column_could_be_one_persons()
    {
        var rows = Enumerable.Range(0, 300).Select(i => $"{20 + (i * 0.1237)},{(i < 30 ? "common" : i < 49 ? "rare" : $"own{i}")},{(i < 295 ? 1 : i)}");
        var spec = Spec(Number("age", Datatype.Float64), Text("town"), Number("kind", Datatype.Int64));
        spec = spec with { Data = SampleRun.Map(("people", new DatasetSpec("people", "data/people.csv", null, null) { Sensitivity = new DataSensitivity(Sensitivity.Sensitive, SampleRun.Map(("other", Sensitivity.Public))) })) };
        var profile = Profile(Csv("age,town,kind", rows), spec);
        Assert.All(profile.Inputs, feature => Assert.Equal((Sensitivity.Sensitive, null), (feature.Sensitivity, feature.Profile.Moments)));
        Assert.Equal(["common"], profile.Inputs[1].Categories!.Value);
        Assert.Equal([30, 270], profile.Inputs[1].Profile.Bins);
        var age = profile.Inputs[0];
        Assert.All(age.Edges!.Value, edge => Assert.Equal(Math.Round(edge), edge));     // two digits of 20 to 57
        Assert.All(age.Profile.Bins, count => Assert.InRange(count, ReferenceFeature.LeastSensitiveRows, 300));
        Assert.Equal(300, age.Profile.Bins.Sum());
        Assert.Equal((0, 300L), (profile.Inputs[2].Edges!.Value.Length, profile.Inputs[2].Profile.Bins.Single()));
        Assert.Empty(ReferenceCheck.Of(profile, spec));
    }

    [Fact]
    public void The_bytes_are_the_same_whatever_the_order_of_rows_and_the_format()
    {
        var random = new Random(7);
        var rows = Enumerable.Range(0, 5000).Select(i => $"{Text(Math.Exp(random.NextDouble() * 20) - 1000)},t{random.Next(300)}").ToArray();
        var spec = Spec(Number("x", Datatype.Float32), Text("s"));
        var expected = Bytes(Profile(Csv("x,s", rows), spec));
        random.Shuffle(rows);
        var shuffled = Csv("x,s", rows);
        Assert.Equal(expected, Bytes(Profile(shuffled, spec)));
        var parquet = folder["table.parquet"];
        using (var database = DuckDatabase.Open(new DuckOptions { ScratchFolder = folder["scratch"], AllowedPaths = [shuffled, parquet], Threads = 4 }))
            database.Execute($"COPY (SELECT * FROM read_csv({SqlText.Literal(shuffled)})) TO {SqlText.Literal(parquet)} (FORMAT parquet)");
        Assert.Equal(expected, Bytes(Profile(parquet, spec)));
    }

    [Fact]
    public void Outputs_are_those_that_the_predictions_have_a_column_for_and_inputs_of_several_values_are_left_out()
    {
        var spec = Spec(Number("x", Datatype.Float64), new TensorSpec("image", Datatype.Float32, [-1, 3, 224, 224], null, null)) with
        {
            Evaluate = new EvaluateSpec("score.predictions", "late", "probability", null, null, ["auc"], [], new(0.95), 200),
        };
        var outputs = ImmutableArray.Create(Number("probability", Datatype.Float32), Number("margin", Datatype.Float32));
        spec = spec with { Model = spec.Model! with { Signature = spec.Model.Signature with { Outputs = outputs } } };
        var profile = new ReferenceProfiler(spec, folder["scratch"], Cancellation).Profile([Csv("x", ["1", "2"])], Csv("late,probability", ["0,0.5", "1,0.75", "1,0.75"]));
        Assert.Equal(["x"], profile.Inputs.Select(input => input.Name));
        Assert.Equal("probability", profile.Outputs.Single().Name);
        Assert.Equal([1, 2], profile.Outputs[0].Profile.Bins);
        Assert.Empty(ReferenceCheck.Of(profile, spec));
    }

    [Fact]
    public void A_missing_column_is_told_at_its_place_with_the_nearest_name_and_so_is_one_of_another_kind()
    {
        var spec = Spec(Number("distance", Datatype.Float32), Number("hour", Datatype.Int64));
        var e = Assert.Throws<SlipwayException>(() => Profile(Csv("distanse,hour", ["1,late", "2,early"]), spec));
        Assert.Equal((ExitCode.UnusableInput, "missing-column wrong-type"), (e.Exit, string.Join(' ', e.Faults.Select(fault => fault.Code))));
        Assert.Equal("slipway.yaml:7:14: model.reference is 'features.april', which has no column 'distance' for the input of that name", e.Faults[0].ToString());
        Assert.Equal("did you mean distanse? name the column as the input", e.Faults[0].Help);
        Assert.Equal("the column 'hour' of 'features.april' is VARCHAR, and the model takes or gives a number of that name", e.Faults[1].Message);
    }

    [Fact]
    public void What_a_dataset_lacks_is_told_before_any_stage_runs()
    {
        var spec = Spec(Number("distance", Datatype.Float32)) with { Data = SampleRun.Map(("flights", new DatasetSpec("flights", "data/flights.csv", null, null))) };
        spec = spec with { Model = spec.Model! with { Reference = new StageInput(InputKind.Dataset, "flights") { At = new Place("slipway.yaml", 3, 4) } } };
        var taken = new Dictionary<string, TakenSnapshot> { ["flights"] = new(new Snapshot("flights", default, [], [new ColumnSchema("distances", "DOUBLE")], 10), []) };
        var e = Assert.Throws<SlipwayException>(() => ReferenceProfiler.CheckBefore(spec, taken));
        Assert.Equal(("missing-column", "slipway.yaml", 3), (e.Faults[0].Code, e.Faults[0].File, e.Faults[0].Line));
        spec = spec with { Model = spec.Model! with { Reference = new StageInput(InputKind.Output, "fit.model") } };
        spec = spec with { Stages = [new StageSpec("fit", ["true"], null, [], SampleRun.Map(("model", "build/model.onnx")), [], null, null, null)] };
        Assert.Equal("unknown-format", Assert.Throws<SlipwayException>(() => ReferenceProfiler.CheckBefore(spec, taken)).Faults[0].Code);
    }

    [Fact]
    public void A_column_without_a_number_has_one_empty_bin()
    {
        var feature = Profile(Csv("x,y", ["NaN,1", "NaN,2"]), Spec(Number("x", Datatype.Float64))).Inputs[0];
        Assert.Equal((2, 2, 0), (feature.Profile.Count, feature.Profile.Missing, feature.Edges!.Value.Length));
        Assert.Equal([0], feature.Profile.Bins);
        Assert.Equal(default(Moments), feature.Profile.Moments);
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private static TensorSpec Number(string name, Datatype datatype) => new(name, datatype, [-1, 1], null, null);

    private static TensorSpec Text(string name) => new(name, Datatype.String, [-1, 1], null, null);

    private static string Text(double value) => value.ToString("R", CultureInfo.InvariantCulture);

    private static byte[] Bytes(ReferenceProfile profile) => CanonicalJson.Serialize(profile, MonitoringJson.Default.ReferenceProfile);

    private ReferenceProfile Profile(string table, Spec spec) => new ReferenceProfiler(spec, folder["scratch"], Cancellation).Profile([table], null);

    private Spec Spec(params TensorSpec[] inputs)
    {
        var sample = SampleRun.In(folder["src"]).Spec;
        return sample with
        {
            Evaluate = null,
            Model = sample.Model! with
            {
                Signature = new ModelSignature([.. inputs], sample.Model.Signature.Outputs),
                Reference = new StageInput(InputKind.Output, "features.april") { At = new Place("slipway.yaml", 7, 14) },
            },
        };
    }

    private string Csv(string header, IEnumerable<string> rows)
    {
        var path = folder[$"{Guid.CreateVersion7():N}.csv"];
        File.WriteAllLines(path, [header, .. rows]);
        return path;
    }
}
