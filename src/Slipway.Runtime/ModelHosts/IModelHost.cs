using Slipway.Runtime.Tensors;

namespace Slipway.Runtime.ModelHosts;

/// <summary>A model of a verified bundle, loaded and able to answer. Thread-safe.</summary>
/// <remarks>Two kinds: ONNX Runtime in this process, and a process of the bundle's own that is watched and started again.</remarks>
public interface IModelHost : IAsyncDisposable
{
    HostedModel Model { get; }

    /// <summary>Why it cannot answer just now, as a sentence for whoever asks; null when it can.</summary>
    string? NotReady { get; }

    /// <summary>Completes when the model can answer for the first time.</summary>
    /// <exception cref="Slipway.Primitives.Faults.SlipwayException">The first start failed; the faults say how, and show the end of the model's log.</exception>
    Task WaitUntilReadyAsync(CancellationToken cancellation);

    /// <summary>Answers one request within the host's own limit.</summary>
    /// <inheritdoc cref="PredictAsync(TensorSet, TensorSet, TimeSpan, CancellationToken)"/>
    ValueTask<Prediction> PredictAsync(TensorSet inputs, TensorSet outputs, CancellationToken cancellation) =>
        PredictAsync(inputs, outputs, TimeSpan.MaxValue, cancellation);

    /// <summary>Answers one request.</summary>
    /// <param name="inputs">Checked; the caller keeps them, and must leave them alone until this completes.</param>
    /// <param name="outputs">Cleared; filled and checked when the status is <see cref="PredictionStatus.Done"/>, and meaningless otherwise.</param>
    /// <param name="limit">
    /// After this nobody waits for the answer. A host that can end one prediction ends it then; one that would have to end its process, and
    /// others' predictions with it, goes on to its own limit. The host's own limit holds as well.
    /// </param>
    /// <param name="cancellation">Ends the waiting for a free place only: a prediction under way goes on to its end or its limit.</param>
    /// <exception cref="OperationCanceledException">Cancelled while it waited for a free place.</exception>
    ValueTask<Prediction> PredictAsync(TensorSet inputs, TensorSet outputs, TimeSpan limit, CancellationToken cancellation);
}

/// <param name="Reason">A sentence for whoever asked, without data of the request; null when done.</param>
public readonly record struct Prediction(PredictionStatus Status, string? Reason)
{
    internal static Prediction Done { get; } = new(PredictionStatus.Done, null);

    internal static Prediction Failed(string reason) => new(PredictionStatus.Failed, reason);

    internal static Prediction TimedOut(string reason) => new(PredictionStatus.TimedOut, reason);

    internal static Prediction InvalidOutput(string reason) => new(PredictionStatus.InvalidOutput, reason);

    internal static Prediction NotReady(string reason) => new(PredictionStatus.NotReady, reason);

    internal static Prediction Busy(string reason) => new(PredictionStatus.Busy, reason);
}

/// <summary>Zero is a failure, so an unset status is no answer.</summary>
public enum PredictionStatus
{
    /// <summary>The model was asked, and failed or crashed: asking again may do the same.</summary>
    Failed,

    /// <summary>The model was asked, and had no answer within the limit.</summary>
    TimedOut,

    /// <summary>The model answered what its signature does not allow, such as NaN, a value out of range, or no tensor at all.</summary>
    InvalidOutput,

    /// <summary>The model cannot answer: it starts, or ended, or was ended for another request's sake. Asking again later is right.</summary>
    NotReady,

    /// <summary>The model was not asked, because too many wait for it already. Asking again later is right.</summary>
    Busy,

    Done,
}
