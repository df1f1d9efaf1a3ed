using System.Collections.Immutable;
using System.Text;
using Slipway.Documents.Bundles;
using Slipway.Documents.Monitoring;
using Slipway.Documents.Runs;
using Slipway.Documents.Serving;
using Slipway.Documents.Specs;
using Slipway.Pipeline.Sealing;
using Slipway.Primitives.Faults;
using Slipway.Stats.Sketches;
using Slipway.Tests.Pipeline.Sealing;
using Slipway.Tests.Primitives;

namespace Slipway.Tests.Documents.Bundles;

/// <summary>Documents of bundles whose every byte a trusted key signed: what is wrong here, no signature tells.</summary>
public sealed class BundleDocumentsTests : IDisposable
{
    private readonly TestFolder folder = new();
    private readonly SealedSample sample;

    public BundleDocumentsTests() => sample = new SealedSample(folder.Root);

    public void Dispose()
    {
        sample.Dispose();
        folder.Dispose();
    }

    private SealRequest Request(bool isFolder = false) => SampleRun.In(folder["src"], isFolder);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void An_honest_bundle_is_read(bool isFolder)
    {
        var reading = sample.ReadForged(Request(isFolder));
        Assert.Empty(reading.Problems);
        Assert.Equal("flight-delay", reading.Require().Spec.Name);
    }

    [Theory]
    [InlineData("spec.json")]
    [InlineData("lock.json")]
    [InlineData("snapshots.json")]
    [InlineData("environment.json")]
    [InlineData("hardware.json")]
    [InlineData("lineage.json")]
    [InlineData("evaluation.json")]
    [InlineData("evaluation-replicates.json")]
    [InlineData("evaluation-curves.json")]
    [InlineData("reproduce.json")]
    [InlineData("signature.json")]
    public void Each_document_is_due_strict_and_canonical(string name)
    {
        Assert.Equal(["document-missing"], Codes(files => files.Remove(name)));
        Assert.Equal(["document-unreadable"], Codes(files => files.SetItem(name, "{]"u8.ToArray())));
        Assert.Equal(["document-unreadable"], Codes(files => files.SetItem(name, "null"u8.ToArray())));
        Assert.Equal(["document-not-canonical"], Codes(files => files.SetItem(name, [.. files[name], (byte)'\n'])));
        Assert.Contains(name, Problem(files => files.Remove(name)).Message);
    }

    [Fact]
    public void An_unknown_document_and_an_unknown_key_are_refused()
    {
        Assert.Equal("the nearest is spec.json", Problem(files => files.Add("specs.json", "{}"u8.ToArray())).Help);
        Assert.Equal(["document-unreadable"], Codes(files => Replaced(files, "spec.json", "\"name\":", "\"nmae\":1,\"name\":")));
        Assert.Equal(["document-unreadable"], Codes(files => Replaced(files, "lock.json", "\"version\":1", "\"version\":1,\"version\":1")));
    }

    [Fact]
    public void A_number_where_the_name_of_a_kind_is_due_is_refused() =>
        Assert.Equal(["document-unreadable"], Codes(files => Replaced(files, "spec.json", "\"datatype\":\"float32\"", "\"datatype\":9")));

    [Fact]
    public void An_evaluation_that_nobody_asked_for_is_refused()
    {
        var request = Request();
        var without = request with { Spec = request.Spec with { Evaluate = null }, Evaluation = null, Replicates = null, Curves = null };
        Assert.Empty(sample.ReadForged(without).Problems);
        foreach (var name in new[] { "evaluation.json", "evaluation-replicates.json", "evaluation-curves.json" })
        {
            var unasked = Sealer.Documents(request).ToFiles()[name];
            Assert.Equal(["evaluation-unasked"], sample.ReadForged(without, files => files.Add(name, unasked)).Problems.Select(problem => problem.Code));
        }
    }

    [Fact]
    public void A_reference_is_due_when_the_spec_names_one_and_is_refused_otherwise()
    {
        Assert.Empty(sample.ReadForged(WithReference()).Problems);
        Assert.Equal(["document-missing"], Codes(files => files.Remove("reference.json")));
        Assert.Equal(["document-not-canonical"], Codes(files => files.SetItem("reference.json", [.. files["reference.json"], (byte)'\n'])));
        var unasked = Sealer.Documents(WithReference()).ToFiles()["reference.json"];
        Assert.Equal(["reference-unasked"], sample.ReadForged(Request(), files => files.Add("reference.json", unasked)).Problems.Select(problem => problem.Code));

        IEnumerable<string> Codes(Func<ImmutableSortedDictionary<string, byte[]>, ImmutableSortedDictionary<string, byte[]>> change) =>
            sample.ReadForged(WithReference(), change).Problems.Select(problem => problem.Code);
    }

    [Theory]
    [InlineData("\"name\":\"distance\"", "\"name\":\"distanse\"", "reference-contradicts-spec")]
    [InlineData("\"sensitivity\":\"public\"", "\"sensitivity\":\"internal\"", "reference-contradicts-spec")]
    [InlineData("\"edges\":[100,200]", "\"edges\":[200,100]", "reference-contradicts-itself")]
    [InlineData("\"edges\":[100,200]", "\"edges\":[100,100]", "reference-contradicts-itself")]
    [InlineData("\"edges\":[100,200]", "\"edges\":[100]", "reference-contradicts-itself")]
    [InlineData("\"edges\":[100,200]", "\"edges\":null", "reference-contradicts-itself")]
    [InlineData("\"categories\":null", "\"categories\":[]", "reference-contradicts-itself")]
    [InlineData("\"bins\":[5,3,1]", "\"bins\":[5,3,2]", "reference-contradicts-itself")]
    [InlineData("\"bins\":[5,3,1]", "\"bins\":[5,-3,7]", "reference-contradicts-itself")]
    [InlineData("\"missing\":1", "\"missing\":2", "reference-contradicts-itself")]
    [InlineData("\"mean\":120", "\"mean\":12000", "reference-contradicts-itself")]
    [InlineData("\"m2\":9", "\"m2\":-9", "reference-contradicts-itself")]
    [InlineData("{\"inputs\":[{", "{\"inputs\":[null,{", "reference-contradicts-itself")]
    public void A_reference_that_cannot_be_true_is_refused(string text, string instead, string code)
    {
        var problems = sample.ReadForged(WithReference(), files => Replaced(files, "reference.json", text, instead)).Problems;
        Assert.Equal(code, Assert.Single(problems).Code);
    }

    private SealRequest WithReference()
    {
        var request = Request();
        var moments = new Moments(9, 50, 300, 120, 9, 0, 81);
        var distance = new ReferenceFeature("distance", Sensitivity.Public, [100, 200], null, new ColumnProfile(10, 1, [5, 3, 1], moments));
        var model = request.Spec.Model! with { Reference = new StageInput(InputKind.Dataset, "flights") };
        return request with { Spec = request.Spec with { Model = model }, Reference = new ReferenceProfile([distance], []) };
    }

    [Fact]
    public void A_config_that_differs_from_spec_or_layers_is_refused()
    {
        Assert.Equal(["config-contradicts-spec"], ConfigCodes(config => config with { Descriptor = config.Descriptor with { Name = "other" } }));
        Assert.Equal(["config-contradicts-spec"], ConfigCodes(config => config with { Descriptor = config.Descriptor with { Licenses = ["MIT"] } }));
        Assert.Equal(["config-contradicts-layers"], ConfigCodes(config => config with { ModelFs = config.ModelFs with { DiffIds = [.. config.ModelFs.DiffIds.Reverse()] } }));
        Assert.Equal(["config-unreadable"], ConfigCodes(config => config with { ModelFs = config.ModelFs with { Type = "blobs" } }));

        IEnumerable<string> ConfigCodes(Func<ModelPackConfig, ModelPackConfig> change) => sample.ReadForged(Request(), config: change).Problems.Select(problem => problem.Code);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_weight_layer_that_is_not_what_lineage_says_is_refused(bool isFolder)
    {
        var other = SampleRun.In(folder["other"], isFolder);
        File.WriteAllText(other.Model[0].Source, "swapped");
        var swapped = SampleRun.Of("swapped");
        var reading = sample.ReadForged(Request(isFolder), model: layer =>
        {
            var blob = isFolder
                ? sample.Layout.AddBlob(tar => Slipway.Store.Archives.DeterministicTar.Write(tar, [Slipway.Store.Archives.ArchiveEntry.OfBytes("model/weights.bin", "swapped"u8.ToArray())], 0))
                : sample.Layout.AddBlob("swapped"u8);
            return blob.As(layer.MediaType, layer.Annotations);
        });
        Assert.Equal(["model-contradicts-lineage"], reading.Problems.Select(problem => problem.Code));
        Assert.True(isFolder || reading.Problems[0].Message.EndsWith($"the weight layer holds {swapped}", StringComparison.Ordinal));
        Assert.Equal(ExitCode.BadVerdict, Assert.Throws<SlipwayException>(() => reading.Require()).Exit);
    }

    [Fact]
    public void A_model_that_changes_after_it_was_verified_is_found_while_it_is_read()
    {
        var bundle = sample.SealAndVerify(Request(isFolder: true));
        var path = folder["bundles/blobs/sha256/" + bundle.Layers[0].Blob.Digest.Hex];
        var bytes = File.ReadAllBytes(path);
        bytes[512] ^= 1;        // the first byte of the first file's content
        File.WriteAllBytes(path, bytes);
        var e = Assert.Throws<SlipwayException>(() => BundleDocuments.Read(bundle));
        Assert.Equal((ExitCode.BadVerdict, "blob-edited"), (e.Exit, e.Faults.Single().Code));
    }

    public static TheoryData<string, string> Lies => new()
    {
        { "snapshot digest", "snapshot-contradicts-itself snapshot-contradicts-lock lineage-contradicts-snapshot" },
        { "snapshot rows", "snapshot-contradicts-lock" },
        { "snapshot name", "snapshots-contradict-spec" },
        { "snapshot missing", "snapshots-contradict-spec" },
        { "pin missing", "lock-contradicts-spec" },
        { "environment package", "environment-contradicts-lock environment-contradicts-itself" },
        { "environment missing", "environment-contradicts-spec environment-contradicts-lock rerun-contradicts-environment rerun-contradicts-environment" },
        { "hardware", "hardware-contradicts-spec" },
        { "signature", "signature-contradicts-spec" },
        { "stage missing", "lineage-contradicts-spec rerun-contradicts-lineage predictions-contradict-lineage" },
        { "stage output", "lineage-contradicts-itself" },
        { "stage input missing", "lineage-contradicts-spec rerun-contradicts-lineage" },
        { "rerun stage missing", "rerun-contradicts-lineage" },
        { "rerun input", "rerun-contradicts-lineage rerun-contradicts-lineage" },
        { "rerun command", "rerun-contradicts-lineage rerun-contradicts-spec" },
        { "rerun seed", "rerun-contradicts-lineage rerun-contradicts-spec" },
        { "rerun param", "rerun-contradicts-lineage rerun-contradicts-spec" },
        { "rerun engine", "rerun-contradicts-lineage rerun-contradicts-spec" },
        { "rerun path", "rerun-contradicts-lineage" },
        { "rerun environment", "rerun-contradicts-lineage rerun-contradicts-environment" },
        { "curve of other rows", "curves-contradict-evaluation" },
        { "curve that falls", "curves-contradict-themselves" },
        { "curve that adds up to nothing", "curves-contradict-themselves" },
        { "bin of a few rows", "curves-contradict-themselves" },
        { "predictions", "predictions-contradict-lineage" },
        { "confidence", "evaluation-contradicts-spec" },
        { "seed", "evaluation-contradicts-spec" },
        { "resamples", "evaluation-contradicts-spec replicates-contradict-evaluation replicates-contradict-evaluation" },
        { "unit", "evaluation-contradicts-spec" },
        { "metric missing", "evaluation-contradicts-spec replicates-contradict-evaluation" },
        { "slices missing", "evaluation-contradicts-spec" },
        { "replicates cut", "replicates-contradict-evaluation" },
        { "replicates of nothing", "replicates-contradict-evaluation" },
        { "replicates dropped", "replicates-contradict-evaluation" },
        { "interval beyond its replicates", "replicates-contradict-evaluation" },
        { "description", "spec-not-for-seal" },
    };

    [Theory, MemberData(nameof(Lies))]
    public void Documents_that_contradict_each_other_are_told_by_their_kind(string lie, string codes)
    {
        var honest = Sealer.Documents(Request());
        Assert.Empty(honest.FindContradictions());
        var found = Told(honest, lie).FindContradictions();
        Assert.Equal(codes.Split(' '), found.Select(problem => problem.Code));
        Assert.Equal(codes.Split(' '), sample.ReadForged(Request(), _ => Told(honest, lie).ToFiles()).Problems.Select(problem => problem.Code).Where(code => code != "model-contradicts-lineage"));
    }

    private static BundleDocuments Told(BundleDocuments d, string lie)
    {
        var step = d.Rerun.Stages[0];
        var (flights, py, stages, evaluation) = (d.Snapshots["flights"], d.Environments["py"], d.Lineage.Stages, d.Evaluation!);
        var other = SampleRun.Of("other");
        return lie switch
        {
            "snapshot digest" => d with { Snapshots = d.Snapshots.SetItem("flights", flights with { Digest = other }) },
            "snapshot rows" => d with { Snapshots = d.Snapshots.SetItem("flights", flights with { Rows = 11 }) },
            "snapshot name" => d with { Snapshots = d.Snapshots.SetItem("flights", flights with { Name = "trains" }) },
            "snapshot missing" => d with { Snapshots = d.Snapshots.Clear() },
            "pin missing" => d with { Lock = d.Lock with { Data = d.Lock.Data.Clear() } },
            "environment package" => d with { Environments = d.Environments.SetItem("py", py with { Packages = py.Packages.SetItem("libc6", "9") }) },
            "environment missing" => d with { Environments = d.Environments.Clear() },
            "hardware" => d with { Hardware = d.Hardware.SetItem("serve", d.Hardware["serve"] with { Cpus = 2 }) },
            "signature" => d with { Signature = d.Signature with { Inputs = [d.Signature.Inputs[0] with { Range = new ValueRange(0, 1) }] } },
            "stage missing" => d with { Lineage = new([stages[0]]) },
            "stage output" => d with { Lineage = new([stages[0] with { Outputs = SampleRun.Map(("model", other)) }, stages[1]]) },
            "stage input missing" => d with { Lineage = new([stages[0] with { Inputs = stages[0].Inputs.Remove("pipeline/train.py") }, stages[1]]) },
            "rerun stage missing" => d with { Rerun = new([step]) },
            "rerun input" => Rerun(step with { Inputs = step.Inputs.SetItem("flights", step.Inputs["flights"] with { Digest = other }) }),
            "rerun command" => Rerun(step with { Run = ["python3", "other.py"] }),
            "rerun seed" => Rerun(step with { Seed = 7 }),
            "rerun param" => Rerun(step with { Params = step.Params.Clear() }),
            "rerun engine" => Rerun(step with { Engine = "duckdb 9" }),
            "rerun path" => Rerun(step with { Inputs = step.Inputs.SetItem("flights", step.Inputs["flights"] with { Path = "elsewhere" }) }),
            "rerun environment" => Rerun(step with { Environment = other }),
            "curve of other rows" => d with { Curves = d.Curves! with { Rows = 11 } },
            "curve that falls" => d with { Curves = d.Curves! with { Roc = [new(0, 0, 0), new(10, 1, 0.5)] } },
            "curve that adds up to nothing" => d with { Curves = d.Curves! with { Roc = [new(0, 0, 0), new(5, 0.5, 0.25), new(10, 1, 1)] } },
            "bin of a few rows" => d with { Curves = d.Curves! with { Reliability = [new(10, 0.4, 0.4, 0.1, 0.8)] } },
            "predictions" => d with { Evaluation = evaluation with { Predictions = other } },
            "confidence" => d with { Evaluation = evaluation with { Confidence = 0.5 } },
            "seed" => d with { Evaluation = evaluation with { Seed = 7 } },
            "resamples" => d with { Evaluation = evaluation with { Resamples = 100 } },
            "unit" => d with { Evaluation = evaluation with { Unit = null } },
            "metric missing" => d with { Evaluation = evaluation with { Metrics = evaluation.Metrics.Remove("brier") } },
            "slices missing" => d with { Evaluation = evaluation with { Slices = evaluation.Slices.Clear() } },
            "replicates cut" => d with { Replicates = d.Replicates! with { Replicates = d.Replicates.Replicates.SetItem("auc", [0.65]) } },
            "replicates of nothing" => d with { Replicates = d.Replicates! with { Replicates = d.Replicates.Replicates.Add("f1", d.Replicates.Replicates["auc"]) } },
            "replicates dropped" => d with { Replicates = d.Replicates! with { Replicates = d.Replicates.Replicates.Remove("auc") } },
            "interval beyond its replicates" => d with { Evaluation = evaluation with { Metrics = evaluation.Metrics.SetItem("auc", evaluation.Metrics["auc"] with { Value = 0.99, Low = 0.98, High = 0.995 }) } },
            "description" => d with { Spec = d.Spec with { Description = "words" } },
            _ => throw new System.Diagnostics.UnreachableException(lie),
        };

        BundleDocuments Rerun(StepKeyDocument first) => d with { Rerun = new([first, .. d.Rerun.Stages.Skip(1)]) };
    }

    private IEnumerable<string> Codes(Func<ImmutableSortedDictionary<string, byte[]>, ImmutableSortedDictionary<string, byte[]>> change) =>
        sample.ReadForged(Request(), change).Problems.Select(problem => problem.Code);

    private Fault Problem(Func<ImmutableSortedDictionary<string, byte[]>, ImmutableSortedDictionary<string, byte[]>> change) =>
        Assert.Single(sample.ReadForged(Request(), change).Problems);

    private static ImmutableSortedDictionary<string, byte[]> Replaced(ImmutableSortedDictionary<string, byte[]> files, string name, string from, string to)
    {
        var text = Encoding.UTF8.GetString(files[name]);
        Assert.Contains(from, text);
        return files.SetItem(name, Encoding.UTF8.GetBytes(text.Replace(from, to)));
    }
}
