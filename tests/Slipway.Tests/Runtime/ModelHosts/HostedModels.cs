using System.Runtime.InteropServices;
using System.Text.Json;
using Slipway.Documents.Serving;
using Slipway.Documents.Specs;
using Slipway.Primitives.Bytes;
using Slipway.Runtime.ModelHosts;
using Slipway.Runtime.Tensors;
using Slipway.Tests.Engines.OnnxRuntime;

namespace Slipway.Tests.Runtime.ModelHosts;

/// <summary>Models as they lie after a bundle was verified and unpacked, in a temporary folder.</summary>
public sealed class HostedModels : IDisposable
{
    public static readonly ModelSignature Late = new(
        [
            new TensorSpec("distance", Datatype.Float32, [-1, 1], new ValueRange(0, 6000), "miles"),
            new TensorSpec("hour", Datatype.Int64, [-1, 1], new ValueRange(0, 23), null),
        ],
        [new TensorSpec("probability", Datatype.Float32, [-1, 1], new ValueRange(0, 1), null)]);

    private readonly string root = Directory.CreateTempSubdirectory("slipway-hosts-").FullName;
    private int count;

    public List<string> Log { get; } = [];

    public HostOptions Options => new()
    {
        StateFolder = Path.Combine(root, "state"),
        Log = line =>
        {
            lock (Log)
                Log.Add(line);
        },
    };

    public void Dispose() => Directory.Delete(root, recursive: true);

    public string NewFolder() => Directory.CreateDirectory(Path.Combine(root, $"bundle{++count}")).FullName;

    public HostedModel Onnx(string vector, ModelSignature signature)
    {
        var folder = NewFolder();
        var file = Path.Combine(folder, "model.onnx");
        File.Copy(OnnxModelTests.PathOf(vector), file);
        return Onnx(file, Digest.Of([(byte)count]), signature);
    }

    public static HostedModel Onnx(string file, Digest bundle, ModelSignature signature) =>
        new("flight-delay", bundle, Path.GetDirectoryName(file)!, file, signature, new RuntimeSpec(null, [], null));

    /// <summary>A Python file that the shim serves.</summary>
    public HostedModel Predict(string script, ModelSignature? signature = null) => Command(["python3", "-m", "slipway_predict", "serve/predict.py"], script, signature);

    /// <summary>A Python file that is itself the server.</summary>
    public HostedModel Python(string script) => Command(["python3", "serve/predict.py"], script, null);

    public HostedModel Command(string[] command, string script, ModelSignature? signature)
    {
        var folder = NewFolder();
        Directory.CreateDirectory(Path.Combine(folder, "serve"));
        File.WriteAllText(Path.Combine(folder, "serve", "predict.py"), script);
        File.WriteAllText(Path.Combine(folder, "model.txt"), "0.25");
        return new HostedModel(
            "flight-delay", Digest.Of([(byte)count]), folder, Path.Combine(folder, "model.txt"), signature ?? Late, new RuntimeSpec([.. command], [], null));
    }

    /// <summary>Asks for one row per hour given, the distance 100 each.</summary>
    public static async Task<(Prediction Prediction, float[] Answer)> AskAsync(IModelHost host, params long[] hours)
    {
        using var inputs = TensorSet.ForInputs(host.Model.Signature);
        using var outputs = TensorSet.ForOutputs(host.Model.Signature);
        inputs.Tensors[0].SetShape([hours.Length, 1]);
        inputs.Tensors[1].SetShape([hours.Length, 1]);
        foreach (var hour in hours)
        {
            inputs.Tensors[0].Add(100f);
            inputs.Tensors[1].Add(hour);
        }

        Assert.Null(inputs.Check());
        var prediction = await host.PredictAsync(inputs, outputs, TestContext.Current.CancellationToken);
        return (prediction, outputs.Tensors[0].Values<float>().ToArray());
    }

    public static (float[] Distance, long[] Hour, double[] Probability) Reference()
    {
        using var reference = JsonDocument.Parse(File.ReadAllText(Path.ChangeExtension(OnnxModelTests.PathOf("reference"), "json")));
        return (
            [.. reference.RootElement.GetProperty("distance").EnumerateArray().Select(x => x.GetSingle())],
            [.. reference.RootElement.GetProperty("hour").EnumerateArray().Select(x => x.GetInt64())],
            [.. reference.RootElement.GetProperty("probability").EnumerateArray().Select(x => x.GetDouble())]);
    }

    public static void Fill<T>(Tensor tensor, T[] values, params long[] shape)
        where T : unmanaged
    {
        tensor.SetShape(shape);
        MemoryMarshal.AsBytes<T>(values).CopyTo(tensor.Resize(values.Length));
    }
}
