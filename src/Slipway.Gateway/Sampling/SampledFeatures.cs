using System.Collections.Immutable;
using Slipway.Documents.Serving;
using Slipway.Runtime.ModelHosts;
using Slipway.Runtime.Tensors;

namespace Slipway.Gateway.Sampling;

/// <summary>Which inputs and outputs of a version are profiled, and in which bins. Immutable and thread-safe.</summary>
internal sealed class SampledFeatures
{
    public SampledFeatures(HostedModel model)
    {
        Inputs = Of(model, model.Signature.Inputs, isOutput: false);
        Outputs = Of(model, model.Signature.Outputs, isOutput: true);
        HasScore = model.Signature.Outputs is [{ HasOneValueARow: true, Datatype: not Datatype.String } first, ..] && !model.IsSensitive(first.Name);
    }

    public ImmutableArray<SampledFeature> Inputs { get; }

    public ImmutableArray<SampledFeature> Outputs { get; }

    /// <summary>Whether a row's answer is a number that a label can be held against: the first output's. A sensitive one stays here, labels or not.</summary>
    public bool HasScore { get; }

    /// <param name="row">Of the first output, which has one value a row.</param>
    public static double ScoreOf(Tensor tensor, int row) => tensor.Spec.Datatype switch
    {
        Datatype.Float32 => tensor.Values<float>()[row],
        Datatype.Float64 => tensor.Values<double>()[row],
        Datatype.Int64 => tensor.Values<long>()[row],
        Datatype.Int32 => tensor.Values<int>()[row],
        Datatype.Int16 => tensor.Values<short>()[row],
        Datatype.Int8 => tensor.Values<sbyte>()[row],
        Datatype.UInt64 => tensor.Values<ulong>()[row],
        Datatype.UInt32 => tensor.Values<uint>()[row],
        Datatype.UInt16 => tensor.Values<ushort>()[row],
        _ => tensor.Bytes.Span[row],
    };

    private static ImmutableArray<SampledFeature> Of(HostedModel model, ImmutableArray<TensorSpec> specs, bool isOutput)
    {
        var references = isOutput ? model.Reference?.Outputs : model.Reference?.Inputs;
        return
        [
            .. from spec in specs.Select((spec, index) => (Spec: spec, Index: index))
               where spec.Spec.HasOneValueARow
               let reference = references?.FirstOrDefault(feature => feature.Name == spec.Spec.Name)
               select new SampledFeature(spec.Index, new FeatureBins(spec.Spec, reference, model.IsSensitive(spec.Spec.Name))),
        ];
    }
}

/// <param name="Index">In the signature.</param>
internal sealed record SampledFeature(int Index, FeatureBins Bins);
