using System.Collections.Concurrent;
using Slipway.Documents.Serving;
using Slipway.Engines.OnnxRuntime;
using Slipway.Runtime.Tensors;

namespace Slipway.Runtime.ModelHosts;

/// <summary>A loaded ONNX model and the calls that are made ready for it, one for each prediction that runs at once.</summary>
internal sealed class OnnxRunner(ModelSignature signature, OnnxModel model, TimeProvider time) : IDisposable
{
    private readonly string[] inputNames = [.. signature.Inputs.Select(spec => spec.Name)], outputNames = [.. signature.Outputs.Select(spec => spec.Name)];
    private readonly ConcurrentQueue<OnnxCall> idle = new();

    /// <summary>Runs on the calling thread.</summary>
    public Prediction Predict(TensorSet inputs, TensorSet outputs, TimeSpan limit)
    {
        if (!idle.TryDequeue(out var call))
            call = model.Prepare(inputNames, outputNames, time);
        try
        {
            for (var i = 0; i < inputNames.Length; i++)
            {
                var tensor = inputs.Tensors[i];
                if (tensor.Spec.Datatype == Datatype.String)
                    call.SetInput(i, tensor.Strings, tensor.Shape);
                else
                    call.SetInput(i, tensor.Bytes, tensor.Shape);
            }

            if (!call.Run(limit))
                return Prediction.TimedOut($"the model did not answer within {limit.TotalSeconds:0.###} s");
            Read(call, outputs);
            return Answer.Check(inputs, outputs) is { } nonsense ? Prediction.InvalidOutput($"the model answered nonsense: {nonsense}") : Prediction.Done;
        }
        catch (OnnxException e)
        {
            return Prediction.Failed($"the model failed on this request: {e.Message}");
        }
        finally
        {
            call.Clear();
            idle.Enqueue(call);
        }
    }

    public void Dispose()
    {
        while (idle.TryDequeue(out var call))
            call.Dispose();
        model.Dispose();
    }

    private static void Read(OnnxCall call, TensorSet outputs)
    {
        Span<long> sizes = stackalloc long[Tensor.MaxRank];
        for (var i = 0; i < outputs.Tensors.Length; i++)
        {
            var tensor = outputs.Tensors[i];
            var shape = sizes[..call.OutputShape(i, sizes)];
            var count = 1;
            foreach (var size in shape)
                count = checked(count * (int)size);
            tensor.SetShape(shape);
            if (tensor.Spec.Datatype == Datatype.String)
                call.ReadStrings(i, tensor.ResizeStrings(count));
            else
                call.CopyOutput(i, tensor.Resize(count));
        }
    }
}
