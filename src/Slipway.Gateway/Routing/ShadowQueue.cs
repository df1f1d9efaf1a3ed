using System.Threading.Channels;
using Slipway.Documents.Monitoring;
using Slipway.Documents.Rollouts;
using Slipway.Documents.Serving;
using Slipway.Gateway.Sampling;
using Slipway.Gateway.Telemetry;
using Slipway.Runtime.ModelHosts;
using Slipway.Runtime.Tensors;

namespace Slipway.Gateway.Routing;

/// <summary>Asks candidates what the stable version has answered already, and compares. Whoever offers a copy never waits. Thread-safe.</summary>
internal sealed class ShadowQueue : IAsyncDisposable
{
    /// <summary>Copies that wait; those beyond are skipped, and counted.</summary>
    private const int MaxWaiting = 256;

    /// <summary>Bytes of request bodies whose copies wait or run, so that large ones do not fill the memory; those beyond are skipped.</summary>
    private const long MaxBytes = 64L * 1024 * 1024;

    /// <summary>Copies that are asked at once for every four processors, at least one: the rest is the live traffic's.</summary>
    private static readonly int Workers = Math.Max(1, Environment.ProcessorCount / 4);

    private readonly Channel<ShadowCopy> copies = Channel.CreateBounded<ShadowCopy>(new BoundedChannelOptions(MaxWaiting) { FullMode = BoundedChannelFullMode.Wait });
    private readonly CancellationTokenSource stopping = new();
    private readonly TimeProvider time;
    private readonly Task work;
    private long bytes;

    public ShadowQueue(TimeProvider time)
    {
        this.time = time;
        work = Task.WhenAll(Enumerable.Range(0, Workers).Select(_ => Task.Run(WorkAsync)));
    }

    /// <summary>Takes the tensors over, whether or not the copy is made.</summary>
    public void Offer(ShadowCopy copy)
    {
        if (Interlocked.Add(ref bytes, copy.Size) <= MaxBytes && copies.Writer.TryWrite(copy))
            return;
        Interlocked.Add(ref bytes, -copy.Size);
        Skip(copy);
    }

    /// <summary>Copies that still wait are dropped; the one that is asked is waited for.</summary>
    public async ValueTask DisposeAsync()
    {
        copies.Writer.TryComplete();
        await stopping.CancelAsync();
        await work;
        while (copies.Reader.TryRead(out var copy))
            Skip(copy);
        stopping.Dispose();
    }

    private static void Skip(ShadowCopy copy)
    {
        copy.Tensors.Return();
        copy.Rollout.Tally.ShadowSkipped();
        copy.Metrics.Shadow(ShadowOutcome.Skipped);
    }

    private async Task WorkAsync()
    {
        try
        {
            await foreach (var copy in copies.Reader.ReadAllAsync(stopping.Token))
            {
                await AskAsync(copy);
                Interlocked.Add(ref bytes, -copy.Size);
            }
        }
        catch (OperationCanceledException)
        {
            // Stopping: what waits is dropped by whoever stops.
        }
    }

    private async Task AskAsync(ShadowCopy copy)
    {
        var candidate = copy.Rollout.Candidate;
        if (!candidate.TryEnter())
        {
            Skip(copy);     // the rollout is over
            return;
        }

        var tensors = candidate.Tensors.Rent();
        try
        {
            var difference = await CompareAsync(copy, tensors);
            copy.Rollout.Tally.Shadowed(difference?.Largest, difference is { IsBeyondTolerance: true });
            copy.Metrics.Shadow(difference is null ? ShadowOutcome.Failed : difference.Value.IsBeyondTolerance ? ShadowOutcome.Different : ShadowOutcome.Same);
        }
        finally
        {
            tensors.Return();
            copy.Tensors.Return();
            candidate.Leave();
        }
    }

    /// <returns>Null when the candidate has no answer to the request.</returns>
    private async ValueTask<AnswerDifference?> CompareAsync(ShadowCopy copy, TensorPair candidate)
    {
        var (version, asked) = (copy.Rollout.Candidate, time.GetTimestamp());
        if (!Copy(copy.Tensors.Inputs, candidate.Inputs) || candidate.Inputs.Check() is not null)
        {
            version.Sampler?.Failed(OverRequestOf(copy, asked), inputs: null, BadKind.Error);
            return null;
        }

        var prediction = await version.Host.PredictAsync(candidate.Inputs, candidate.Outputs, CancellationToken.None);
        if (prediction.Status == PredictionStatus.Done)
        {
            version.Sampler?.Answered(OverRequestOf(copy, asked), inputs: null, candidate.Outputs, isLate: false);
            return AnswerDifference.Of(copy.Tensors.Outputs, candidate.Outputs);
        }

        if (prediction.Status != PredictionStatus.Busy)
            version.Sampler?.Failed(OverRequestOf(copy, asked), inputs: null, OverRequest.KindOf(prediction.Status));
        return null;
    }

    private OverRequest OverRequestOf(ShadowCopy copy, long asked)
    {
        var ended = time.GetTimestamp();
        return new OverRequest(TrafficArm.Shadow, copy.Monitor, copy.Id, "", ended, time.GetElapsedTime(asked, ended).TotalSeconds);
    }

    /// <returns>False when the candidate wants other inputs than the request has.</returns>
    private static bool Copy(TensorSet from, TensorSet to)
    {
        if (from.Tensors.Length != to.Tensors.Length)
            return false;
        foreach (var target in to.Tensors)
        {
            var source = AnswerDifference.Find(from, target.Spec.Name);
            if (source is null || source.Spec.Datatype != target.Spec.Datatype)
                return false;
            target.SetShape(source.Shape);
            if (source.Spec.Datatype == Datatype.String)
                source.Strings.CopyTo(target.ResizeStrings(source.Count));
            else
                source.Bytes.Span.CopyTo(target.Resize(source.Count));
        }

        return true;
    }
}

/// <param name="Tensors">The request's inputs and the stable version's answer.</param>
/// <param name="Size">Bytes of the request's body.</param>
/// <param name="Id">What the request is sampled by.</param>
internal sealed record ShadowCopy(LiveRollout Rollout, TensorPair Tensors, long Size, ModelMetrics Metrics, RouteMonitor? Monitor, string Id);
