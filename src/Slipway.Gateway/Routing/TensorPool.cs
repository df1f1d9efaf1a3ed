using System.Collections.Concurrent;
using System.Collections.Immutable;
using Slipway.Documents.Serving;
using Slipway.Runtime.Tensors;

namespace Slipway.Gateway.Routing;

/// <summary>Tensors of one signature, kept for the next requests. Thread-safe.</summary>
internal sealed class TensorPool(ModelSignature signature) : IDisposable
{
    /// <summary>Pairs kept: as many as small requests commonly need at once. Their buffers are bounded by what a tensor keeps.</summary>
    private const int Kept = 64;

    private readonly ConcurrentQueue<TensorPair> idle = new();
    private int count;
    private volatile bool closed;

    private ModelSignature Signature => signature;

    /// <summary>Whether both take the same requests, and give answers of the same form.</summary>
    public bool ReadsAlike(TensorPool other) => AreAlike(Signature.Inputs, other.Signature.Inputs) && AreAlike(Signature.Outputs, other.Signature.Outputs);

    public TensorPair Rent()
    {
        if (!idle.TryDequeue(out var pair))
            return new TensorPair(this, TensorSet.ForInputs(Signature), TensorSet.ForOutputs(Signature));
        Interlocked.Decrement(ref count);
        return pair;
    }

    public void Dispose()
    {
        closed = true;
        while (idle.TryDequeue(out var pair))
            pair.Release();
    }

    private static bool AreAlike(ImmutableArray<TensorSpec> left, ImmutableArray<TensorSpec> right) =>
        left.Length == right.Length
        && left.Zip(right).All(pair => pair.First with { Shape = [], Unit = null } == pair.Second with { Shape = [], Unit = null } && pair.First.Shape.SequenceEqual(pair.Second.Shape));

    internal void Return(TensorPair pair)
    {
        pair.Inputs.Clear();
        pair.Outputs.Clear();
        if (Interlocked.Increment(ref count) > Kept)
        {
            Interlocked.Decrement(ref count);
            pair.Release();
            return;
        }

        idle.Enqueue(pair);
        if (closed)
            Dispose();      // closed while this one was on its way: nobody else empties it
    }
}

/// <summary>Inputs and outputs of one request. To be returned exactly once; not thread-safe.</summary>
internal sealed class TensorPair(TensorPool pool, TensorSet inputs, TensorSet outputs)
{
    public TensorSet Inputs => inputs;

    public TensorSet Outputs => outputs;

    public void Return() => pool.Return(this);

    internal void Release()
    {
        inputs.Dispose();
        outputs.Dispose();
    }
}
