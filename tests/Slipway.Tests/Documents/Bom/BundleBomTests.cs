using System.Collections.Immutable;
using System.Diagnostics;
using System.Text;
using NJsonSchema;
using Slipway.Documents.Bom;
using Slipway.Documents.Cards;
using Slipway.Documents.Environments;
using Slipway.Documents.Evaluations;
using Slipway.Documents.Monitoring;
using Slipway.Documents.Specs;
using Slipway.Pipeline.Sealing;
using Slipway.Store.Content;
using Slipway.Tests.Pipeline.Sealing;
using Slipway.Tests.Primitives;

namespace Slipway.Tests.Documents.Bom;

public sealed class BundleBomTests : IDisposable
{
    private readonly TestFolder folder = new();

    public void Dispose() => folder.Dispose();

    private static string Schemas => Path.Combine(AppContext.BaseDirectory, "Documents/Bom/vectors/schema");

    private CycloneDxBom Bom(Func<SealRequest, SealRequest>? change = null, bool isFolder = false, string version = "0.1.0")
    {
        var request = SampleRun.In(folder["src"], isFolder);
        request = change?.Invoke(request) ?? request;
        var facts = SampleRun.Map(("libc6", new PackageFacts("debian", SampleRun.Of("libc6.deb"), ["LGPL-2.1+", "GPL-2+ with exception"])), ("python3", new PackageFacts("debian", null, [])));
        return new BundleBom(Sealer.Documents(request), Entries(request.Model), Entries(request.Code), SampleRun.Map(("py", facts)), version).Build();

        static FileTreeEntry[] Entries(ImmutableArray<SealFile> files) => [.. files.Select(file => new FileTreeEntry(file.Path, file.Executable, file.Size, file.Digest))];
    }

    [Fact]
    public void It_names_model_data_packages_and_code_with_hashes()
    {
        var read = BomReader.Read(Bom().ToBytes());
        Assert.Equal(
            ["machine-learning-model flight-delay", "application slipway", "data flights", "library libc6", "library python3", "file pipeline/train.py", "file serve/predict.py"],
            read.Components.Select(component => $"{component.Type} {component.Name}").OrderBy(text => Array.IndexOf(["m", "a", "d", "l", "f"], text[..1])));
        var model = read.Components.Single(component => component.Type == "machine-learning-model");
        Assert.Equal((SampleRun.Of("onnx model").Hex, "Apache-2.0"), (model.Hashes.Single().Content, model.Licenses.Single()));
        var libc = read.Components.Single(component => component.Name == "libc6");
        Assert.Equal(("2.36-9", "pkg:deb/debian/libc6@2.36-9?arch=amd64"), (libc.Version, libc.Purl));
        Assert.Equal(["LGPL-2.1-or-later", "GPL-2+ with exception"], libc.Licenses);
        Assert.Equal(SampleRun.Of("libc6.deb").Hex, libc.Hashes.Single().Content);
    }

    [Fact]
    public void What_nobody_knows_is_said_to_be_unknown()
    {
        var python = Bom().Components.Single(component => component.Name == "python3");
        Assert.Null(python.Hashes);
        Assert.Null(python.Licenses);
        Assert.Contains(new BomProperty("slipway:license", "unknown"), python.Properties!.Value);
        Assert.Contains(new BomProperty("slipway:hash", "unknown"), python.Properties!.Value);
    }

    [Fact]
    public void The_card_has_inputs_outputs_metrics_with_intervals_and_slices()
    {
        var card = Bom().Metadata.Component.ModelCard!;
        Assert.Equal(("binary-classification", "distance: float32 [-1, 1], 0 to 6000 miles", "data:flights"), (card.ModelParameters.Task, card.ModelParameters.Inputs.Single().Format, card.ModelParameters.Datasets.Single().Ref));
        Assert.Equal(
            [("auc", "0.65", null, "0.61"), ("brier", "0.2", null, "0.1"), ("auc", "0.65", "hour=7", null)],
            card.QuantitativeAnalysis!.PerformanceMetrics.Select(metric => (metric.Type, metric.Value, metric.Slice, metric.ConfidenceInterval?.LowerBound)));
    }

    [Fact]
    public void No_value_of_a_sensitive_column_is_in_it()
    {
        var bytes = Encoding.UTF8.GetString(Bom(request => request with
        {
            Spec = request.Spec with { Data = request.Spec.Data.SetItem("flights", request.Spec.Data["flights"] with { Sensitivity = new DataSensitivity(Sensitivity.Public, SampleRun.Map(("hour", Sensitivity.Sensitive))) }) },
            Evaluation = request.Evaluation! with { Slices = SampleRun.Map(("hour", ImmutableArray.Create(new SliceEvaluation("Ada Lovelace", 30, SampleRun.Map(("auc", new Figure(0.6, null, null, 30)))), new SliceEvaluation("Bob", 3, ImmutableSortedDictionary<string, Figure>.Empty)))) },
        }).ToBytes());
        Assert.DoesNotContain("Ada", bytes);
        Assert.DoesNotContain("Bob", bytes);
        Assert.Contains("\"slice\":\"hour#1\"", bytes);
    }

    [Fact]
    public void The_serial_number_follows_from_the_content()
    {
        var (one, same, other) = (Bom(), Bom(request => request with { Code = [.. request.Code.Reverse()] }), Bom(request => request with { Code = [request.Code[1]] }));
        Assert.Equal(one.ToBytes(), same.ToBytes());
        Assert.NotEqual(one.SerialNumber, other.SerialNumber);
        Assert.NotEqual(one.SerialNumber, Bom(version: "0.2.0").SerialNumber);
        Assert.Matches("^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$", one.SerialNumber!);
    }

    [Fact]
    public void Very_many_files_are_told_as_one()
    {
        var bom = Bom(request => request with { Code = [.. Enumerable.Range(0, 5_001).Select(i => request.Code[0] with { Path = $"serve/{i}.py" })] });
        var code = Assert.Single(bom.Components, component => component.Type == "file");
        Assert.Equal("5001", code.Properties!.Value.Single(property => property.Name == "slipway:files").Value);
        Assert.Equal(5_000, Bom(request => request with { Code = [.. Enumerable.Range(0, 5_000).Select(i => request.Code[0] with { Path = $"serve/{i}.py" })] }).Components.Count(component => component.Type == "file"));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task It_is_valid_by_the_published_schema(bool isFolder)
    {
        var schema = await JsonSchema.FromFileAsync(Path.Combine(Schemas, "bom-1.6.schema.json"), TestContext.Current.CancellationToken);
        var text = Encoding.UTF8.GetString(Bom(isFolder: isFolder).ToBytes());
        Assert.Empty(schema.Validate(text));
        Assert.NotEmpty(schema.Validate(text.Replace("\"machine-learning-model\"", "\"machine-learning-mdoel\"")));
        Assert.NotEmpty(schema.Validate(text.Replace("\"LGPL-2.1-or-later\"", "\"LGPL-2.1-or-latter\"")));
    }

    [Fact]
    public void It_is_valid_by_ajv()
    {
        var modules = Path.Combine(Repository(), "node_modules");
        Assert.SkipUnless(Directory.Exists(Path.Combine(modules, "ajv")) && Directory.Exists(Path.Combine(modules, "ajv-formats")), "ajv is not among the installed packages");
        File.WriteAllBytes(folder["bom.json"], Bom().ToBytes());
        File.WriteAllText(folder["check.cjs"], """
            const [modules, schemas, bom] = process.argv.slice(2);
            const read = name => JSON.parse(require("fs").readFileSync(name, "utf8"));
            const Ajv = require(modules + "/ajv"), formats = require(modules + "/ajv-formats");
            const ajv = new Ajv({ strict: false, allErrors: true });
            formats(ajv);
            ajv.addFormat("iri-reference", true).addFormat("idn-email", true);
            for (const name of ["spdx", "jsf-0.82"]) ajv.addSchema(read(`${schemas}/${name}.schema.json`));
            const check = ajv.compile(read(`${schemas}/bom-1.6.schema.json`));
            if (!check(read(bom))) { console.error(check.errors); process.exit(1); }
            const wrong = read(bom); wrong.components[0].type = "no such type";
            process.exit(check(wrong) ? 2 : 0);
            """);
        using var node = Process.Start(new ProcessStartInfo("node", [folder["check.cjs"], modules, Schemas, folder["bom.json"]]) { RedirectStandardError = true })!;
        var errors = node.StandardError.ReadToEnd();
        node.WaitForExit();
        Assert.True(node.ExitCode == 0, errors);
    }

    private static string Repository()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "Slipway.slnx")))
            folder = folder.Parent ?? throw new DirectoryNotFoundException("the tests run outside the repository");
        return folder.FullName;
    }
}
