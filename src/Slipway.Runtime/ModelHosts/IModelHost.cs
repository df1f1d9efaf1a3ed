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

    /// <summary>Answers one request.</summary>
    /// <param name="inputs">Checked; the caller keeps them, and must leave them alone until this completes.</param>
    /// <param name="outputs">Cleared; filled and checked when the status is <see cref="PredictionStatus.Done"/>, and meaningless otherwise.</param>
    /// <param name="cancellation">Ends the waiting for a free place only: a prediction under way goes on to its end or its deadline.</param>
    ValueTask<Prediction> PredictAsync(TensorSet inputs, TensorSet outputs, CancellationToken cancellation);
}

/// <param name="Reason">A sentence for whoever asked, without data of the request; null when done.</param>
public readonly record struct Prediction(PredictionStatus Status, string? Reason)
{
    internal static Prediction Done { get; } = new(PredictionStatus.Done, null);

    internal static Prediction Failed(string reason) => new(PredictionStatus.Failed, reason);

    internal static Prediction NotTried(string reason) => new(PredictionStatus.NotTried, reason);
}

/// <summary>Zero is a failure, so an unset status is no answer.</summary>
public enum PredictionStatus
{
    /// <summary>The model was asked, and failed, crashed, took too long or answered nonsense: asking again may do the same.</summary>
    Failed,

    /// <summary>The model was not asked, because it is not ready or too many wait, or was ended for another request's sake: asking again later is right.</summary>
    NotTried,

    Done,
}
