using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using Slipway.Documents.Datasets;
using Slipway.Documents.Environments;
using Slipway.Documents.Evaluations;
using Slipway.Documents.Hardware;
using Slipway.Documents.Lineage;
using Slipway.Documents.Runs;
using Slipway.Documents.Serving;
using Slipway.Documents.Specs;
using Slipway.Pipeline.Sealing;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Units;
using Slipway.Store.Content;

namespace Slipway.Tests.Pipeline.Sealing;

/// <summary>What a small run gave: two stages, a model, predictions and code, in a folder.</summary>
internal static class SampleRun
{
    public static readonly DateTimeOffset Noon = new(2026, 3, 14, 12, 0, 0, TimeSpan.Zero);

    /// <param name="folder">Gets the source files.</param>
    private static readonly ImmutableArray<SnapshotFile> files = [new SnapshotFile("flights.csv", 120, Of("flights.csv"))];

    /// <summary>The dataset's digest.</summary>
    public static Digest Flights => Snapshot.DigestOf(files);

    /// <param name="isFolder">Whether the model is a folder of two files.</param>
    public static SealRequest In(string folder, bool isFolder = false)
    {
        ImmutableArray<SealFile> model = isFolder
            ? [File(folder, "build/model/weights.bin", "weights", "weights.bin"), File(folder, "build/model/nested/names ä.txt", "names", "nested/names ä.txt", executable: true)]
            : [File(folder, "build/model.onnx", "onnx model", "model.onnx")];
        ImmutableArray<SealFile> code = [File(folder, "serve/predict.py", "def predict(): pass", "serve/predict.py"), File(folder, "pipeline/train.py", "train()", "pipeline/train.py", executable: true)];
        var artifact = isFolder
            ? FileTree.Of(model.Select(file => new FileTreeEntry(file.Path, file.Executable, file.Size, file.Digest))).Digest
            : model[0].Digest;
        return With(Spec(isFolder), artifact, model, code);
    }

    private static SealRequest With(Spec spec, Digest artifact, ImmutableArray<SealFile> model, ImmutableArray<SealFile> code)
    {
        var flights = new Snapshot("flights", Flights, files, [new ColumnSchema("delay", "BIGINT")], 10);
        var py = HostFingerprint.Of("py", "amd64", Map(("python3", "3.11.2-6"), ("libc6", "2.36-9")));
        var lineage = new LineageGraph(
        [
            new LineageStage("fit", default, Map(("flights", flights.Digest), ("pipeline/train.py", code[1].Digest)), Map(("model", artifact))),
            new LineageStage("score", default, Map(("fit.model", artifact)), Map(("predictions", Of("predictions")))),
        ]);
        var evaluation = new Slipway.Documents.Evaluations.Evaluation(
            Of("predictions"), 10, 4, "day", 5, Of("units"), "bca", 0.95, 200, 42,
            Map(("auc", new Figure(0.65, 0.61, 0.69, 10)), ("brier", new Figure(0.2, 0.1, 0.3, 10))),
            Map(("hour", ImmutableArray.Create(new SliceEvaluation("7", 10, Map(("auc", new Figure(0.65, null, null, 10))))))));
        var replicates = new EvaluationReplicates(Map(("auc", Spread(0.6, 0.7)), ("brier", Spread(0.1, 0.3))), Map(("auc", ImmutableArray<double>.Empty)));
        var curves = new EvaluationCurves(10, 4, [new RocPoint(0, 0, 0), new RocPoint(10, 1, 1)], []);
        return Keyed(new SealRequest(
            spec,
            new ProjectLock(1, Map(("flights", new DatasetPin(flights.Digest, 120, 10))), Map(("py", py)), null),
            [flights], lineage, new RerunPlan([]), model, code, evaluation, replicates, curves, null));
    }

    /// <summary>With step keys, and the documents that they are of, that follow from the request's spec, environments and digests.</summary>
    public static SealRequest Keyed(SealRequest request)
    {
        var steps = request.Lineage.Stages.Select(stage => Step(request, stage)).ToImmutableArray();
        return request with
        {
            Rerun = new RerunPlan(steps),
            Lineage = new([.. request.Lineage.Stages.Zip(steps, (stage, step) => stage with { StepKey = step.Key() })]),
        };
    }

    private static StepKeyDocument Step(SealRequest request, LineageStage stage)
    {
        var declared = request.Spec.Stages.Single(candidate => candidate.Name == stage.Name);
        var inputs = stage.Inputs.ToImmutableSortedDictionary(input => input.Key, input => new KeyInput("in/" + input.Key, ArtifactKind.File, input.Value), StringComparer.Ordinal);
        return StepKeyDocument.Of(request.Spec, declared, inputs, declared.Environment is { } name ? request.Lock.Environments[name].Digest : null, "duckdb 1");
    }

    private static Spec Spec(bool isFolder)
    {
        var signature = new ModelSignature(
            [new TensorSpec("distance", Datatype.Float32, [-1, 1], new ValueRange(0, 6000), "miles")],
            [new TensorSpec("probability", Datatype.Float32, [-1, 1], new ValueRange(0, 1), null)]);
        return new Spec(
            "flight-delay", ">=0.1", "Will it be late?", ["ops@example.org"], "Apache-2.0",
            Map(("flights", new DatasetSpec("flights", "data/flights.csv", null, new DatasetSource("https://example.org/flights.csv", "BSD-3-Clause")))),
            Map(("py", new EnvironmentSpec("py", ["python3"]))),
            Map(("serve", new HardwareProfile(1, 1, new ByteSize(1 << 29), null, ["avx2"], null, null, null, null, null))),
            DeterminismSpec.Default,
            Map(("leaves", JsonSerializer.SerializeToElement(31, DocumentParts.Default.Int32))),
            [
                new StageSpec("fit", ["python3", "pipeline/train.py"], null, [new StageInput(InputKind.Dataset, "flights"), new StageInput(InputKind.Path, "pipeline/train.py")], Map(("model", isFolder ? "build/model/" : "build/model.onnx")), ["leaves"], "py", null, null),
                new StageSpec("score", ["true"], null, [new StageInput(InputKind.Output, "fit.model")], Map(("predictions", "build/predictions.csv")), [], "py", null, null),
            ],
            new ModelSpec("fit.model", new RuntimeSpec(isFolder ? ["python3", "serve/predict.py"] : null, [new StageInput(InputKind.Path, "serve/predict.py")], isFolder ? "py" : null), "binary-classification", signature),
            new EvaluateSpec("score.predictions", "late", "score", "day", null, ["auc", "brier"], ["hour"], new Ratio(0.95), 200),
            [new GateSpec("good enough", "auc >= 0.60", WithoutBaseline.Refuse)]);
    }

    public static ImmutableSortedDictionary<string, T> Map<T>(params (string Key, T Value)[] entries) =>
        entries.ToImmutableSortedDictionary(entry => entry.Key, entry => entry.Value, StringComparer.Ordinal);

    public static Digest Of(string text) => Digest.Of(Encoding.UTF8.GetBytes(text));

    private static SealFile File(string folder, string at, string content, string path, bool executable = false)
    {
        var source = Path.Combine(folder, at);
        Directory.CreateDirectory(Path.GetDirectoryName(source)!);
        System.IO.File.WriteAllText(source, content);
        return new SealFile(path, executable, Encoding.UTF8.GetByteCount(content), Of(content), source);
    }

    /// <summary>200 replicates, evenly from one end to the other.</summary>
    private static ImmutableArray<double> Spread(double low, double high) => [.. Enumerable.Range(0, 200).Select(i => i == 199 ? high : low + (high - low) * i / 199)];
}

[System.Text.Json.Serialization.JsonSerializable(typeof(int))]
internal sealed partial class DocumentParts : System.Text.Json.Serialization.JsonSerializerContext;
