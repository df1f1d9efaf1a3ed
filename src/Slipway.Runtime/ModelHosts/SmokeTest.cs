using System.Collections.Immutable;
using System.Diagnostics;
using Slipway.Documents.Serving;
using Slipway.Documents.Specs;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;
using Slipway.Runtime.Tensors;

namespace Slipway.Runtime.ModelHosts;

/// <summary>A model that is not sealed: fit to be tried, and never to be served.</summary>
/// <param name="Name">The spec's name.</param>
/// <param name="Artifact">Digest of the model's bytes.</param>
/// <param name="Folder">Where a served command runs, with the code that it declares; absolute.</param>
/// <param name="ModelPath">The model's file or folder; absolute.</param>
public sealed record TrialModel(string Name, Digest Artifact, string Folder, string ModelPath, ModelSignature Signature, RuntimeSpec Runtime);

/// <param name="Request">What was asked: <c>1 row, every input at its smallest</c>.</param>
/// <param name="Seconds">Wall clock.</param>
/// <param name="Reason">A sentence; null where all is well.</param>
public sealed record SmokeResult(string Request, SmokeVerdict Verdict, double Seconds, string? Reason);

/// <summary>What became of one request.</summary>
public enum SmokeVerdict
{
    /// <summary>The model could not be asked. The zero value, so an unset verdict is not trust.</summary>
    NotAsked,

    /// <summary>It answered what its signature does not allow, ended, hung, or failed on values that its signature allows; or took what it must refuse.</summary>
    Failed,

    /// <summary>It failed on a text, or on a number without a range, that it may rightly refuse.</summary>
    Inconclusive,

    /// <summary>It was refused before the model was asked, as it must be.</summary>
    Refused,

    /// <summary>The model answered as its signature says.</summary>
    Answered,
}

/// <summary>Holds a model against its signature before it is sealed, hosted as it will be when it serves.</summary>
public static class SmokeTest
{
    /// <summary>Asks every request that <see cref="SmokeRequests"/> makes of the signature.</summary>
    /// <exception cref="SlipwayException">The model cannot be hosted: it does not start, is no ONNX model, or does not match its signature (exit 2); something is missing (exit 3).</exception>
    public static async Task<ImmutableArray<SmokeResult>> RunAsync(TrialModel model, HostOptions options, CancellationToken cancellation)
    {
        // Unlike what serving takes, nobody vouches for this one: so the host never leaves this method.
        var hosted = new HostedModel(model.Name, model.Artifact, model.Folder, model.ModelPath, model.Signature, model.Runtime);
        await using var host = await ModelHost.StartAsync(hosted, options, cancellation);
        await host.WaitUntilReadyAsync(cancellation);
        var results = ImmutableArray.CreateBuilder<SmokeResult>();
        using var inputs = TensorSet.ForInputs(model.Signature);
        using var outputs = TensorSet.ForOutputs(model.Signature);
        foreach (var (name, fill) in SmokeRequests.Allowed(model.Signature))
        {
            inputs.Clear();
            outputs.Clear();
            fill(inputs);
            if (inputs.Check() is { } wrong)
            {
                // A range with no value of the datatype in it, such as 0.2 to 0.8 of whole numbers.
                results.Add(new SmokeResult(name, SmokeVerdict.Failed, 0, $"the signature allows no such request: {wrong}"));
                continue;
            }

            var asked = options.Time.GetTimestamp();
            var prediction = await host.PredictAsync(inputs, outputs, cancellation);
            results.Add(new SmokeResult(name, Judge(prediction, host, model.Signature), options.Time.GetElapsedTime(asked).TotalSeconds, prediction.Reason));
            if (host.NotReady is not null)
                await Warmup.UntilBackAsync(host, options, cancellation);
        }

        foreach (var (name, refusal) in SmokeRequests.Forbidden(model.Signature))
            results.Add(refusal() is null ? new SmokeResult(name, SmokeVerdict.Failed, 0, "it was not refused") : new SmokeResult(name, SmokeVerdict.Refused, 0, null));
        return results.ToImmutable();
    }

    private static SmokeVerdict Judge(Prediction prediction, IModelHost host, ModelSignature signature) => prediction.Status switch
    {
        PredictionStatus.Done => SmokeVerdict.Answered,
        PredictionStatus.InvalidOutput or PredictionStatus.TimedOut => SmokeVerdict.Failed,
        // A process that ended did not refuse: no value may do that.
        PredictionStatus.Failed => host.NotReady is null && Answer.IsInconclusive(signature) ? SmokeVerdict.Inconclusive : SmokeVerdict.Failed,
        PredictionStatus.NotReady or PredictionStatus.Busy => SmokeVerdict.NotAsked,
        _ => throw new UnreachableException($"no status {prediction.Status}"),
    };
}
