using System.Collections.Immutable;
using Slipway.Bench.Infer;
using Slipway.Documents.Serving;
using Slipway.Documents.Specs;
using Slipway.Gateway.Protocol;
using Slipway.Primitives.Bytes;
using Slipway.Runtime.ModelHosts;

// Without arguments: the comparison. The other forms are the servers that it starts, and the child that tries the model for one of them.
var model = Path.Combine(AppContext.BaseDirectory, "late.onnx");
switch (args)
{
    case []:
        return await Comparison.RunAsync();
    case ["bare"]:
        return await BareServer.RunAsync(model);
    case ["slipway"]:
        return await ServeAsync(model);
    case ["onnx-probe", .. var arguments]:
        using (var output = Console.OpenStandardOutput())
            return ModelHost.RunProbe(arguments, output);
    default:
        Console.Error.WriteLine("usage: Slipway.Bench.Infer");
        return 2;
}

static async Task<int> ServeAsync(string file)
{
    var signature = new ModelSignature(
        [
            new TensorSpec("distance", Datatype.Float32, [-1, 1], new ValueRange(0, 6000), "miles"),
            new TensorSpec("hour", Datatype.Int64, [-1, 1], new ValueRange(0, 23), null),
        ],
        [new TensorSpec("probability", Datatype.Float32, [-1, 1], new ValueRange(0, 1), null)]);
    var hosted = new HostedModel("flight-delay", Digest.Of("bench"u8), AppContext.BaseDirectory, file, signature, new RuntimeSpec(null, ImmutableArray<StageInput>.Empty, null));
    var state = Directory.CreateTempSubdirectory("slipway-bench-");
    try
    {
        await using var host = await ModelHost.StartAsync(hosted, new HostOptions { StateFolder = state.FullName }, CancellationToken.None);
        await using var server = await InferenceServer.StartAsync(new InferenceOptions(), host, CancellationToken.None);
        Console.WriteLine(server.Url);
        await Console.In.ReadLineAsync();
        return 0;
    }
    finally
    {
        state.Delete(recursive: true);
    }
}
