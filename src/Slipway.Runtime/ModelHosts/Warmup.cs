using Slipway.Documents.Serving;
using Slipway.Primitives.Faults;
using Slipway.Runtime.Tensors;

namespace Slipway.Runtime.ModelHosts;

/// <summary>Asks a model generated requests before anyone else's: code is compiled, memory is claimed, files are read.</summary>
/// <remarks>
/// Values are drawn evenly from the signature's ranges, from a fixed seed. Values that are allowed one by one may make no sense together, so
/// single failures say nothing: real traffic is judged. Only a model that answers none at all is refused.
/// </remarks>
public static class Warmup
{
    /// <summary>Enough for tiered compilation's first tier and for every buffer of a pool.</summary>
    public const int Requests = 32;

    /// <summary>Asked however long they take: one request after which a process is slow to come back is no verdict on a model.</summary>
    private const int LeastRequests = 4;

    /// <summary>A slow model is asked fewer.</summary>
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);

    /// <summary>Between two looks whether a process that ended is there again.</summary>
    private static readonly TimeSpan AskEvery = TimeSpan.FromMilliseconds(50);

    /// <summary>Rows of successive requests, over and over.</summary>
    private static readonly int[] Rows = [1, 1, 4, 16];

    /// <exception cref="SlipwayException">No request was answered although every value was allowed, or the model's process is not back in time (exit 2).</exception>
    public static async Task RunAsync(IModelHost host, HostOptions options, CancellationToken cancellation)
    {
        var signature = host.Model.Signature;
        using var inputs = TensorSet.ForInputs(signature);
        using var outputs = TensorSet.ForOutputs(signature);
        var random = new Random(Seed: 1);
        var started = options.Time.GetTimestamp();
        var (answered, failure) = (0, "nothing was asked");
        for (var i = 0; i < Requests && (i < LeastRequests || options.Time.GetElapsedTime(started) < Limit); i++)
        {
            inputs.Clear();
            outputs.Clear();
            Fill(inputs, Rows[i % Rows.Length], random);
            var prediction = await host.PredictAsync(inputs, outputs, cancellation);
            if (prediction.Status == PredictionStatus.Done)
                answered++;
            else
                failure = prediction.Reason!;
            if (host.NotReady is not null)
                await UntilBackAsync(host, options, cancellation);
        }

        if (answered == 0 && !Answer.IsInconclusive(signature))
            throw new SlipwayException(ExitCode.UnusableInput, new Fault("model-fails", $"the model answered none of the generated requests, all within its signature: {failure}"));
    }

    internal static void Fill(TensorSet inputs, int rows, Random random)
    {
        foreach (var tensor in inputs.Tensors)
        {
            long[] shape = [.. tensor.Spec.Shape.Select((size, i) => size != -1 ? size : i == 0 ? rows : 1)];
            tensor.SetShape(shape);
            for (var left = shape.Aggregate(1L, (product, size) => product * size); left > 0; left--)
                Add(tensor, random);
        }
    }

    internal static async Task UntilBackAsync(IModelHost host, HostOptions options, CancellationToken cancellation)
    {
        var started = options.Time.GetTimestamp();
        while (host.NotReady is { } reason)
        {
            if (options.Time.GetElapsedTime(started) > options.StartLimit)
                throw new SlipwayException(ExitCode.UnusableInput, new Fault("model-fails", $"after a generated request {reason}, and was not ready again within {options.StartLimit.TotalSeconds:0.###} s"));
            await Task.Delay(AskEvery, options.Time, cancellation);
        }
    }

    private static void Add(Tensor tensor, Random random)
    {
        var (low, high) = NumberInRange.Of(tensor.Spec);
        var at = random.NextDouble();
        var value = low * (1 - at) + high * at;     // a range may be wider than a double can say
        switch (tensor.Spec.Datatype)
        {
            case Datatype.String:
                tensor.Add(((char)('a' + random.Next(26))).ToString());
                break;
            case Datatype.Bool:
                tensor.Add((byte)random.Next(2));
                break;
            default:
                NumberInRange.Add(tensor, value, low, high);
                break;
        }
    }
}
