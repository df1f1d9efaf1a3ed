using Slipway.Engines.OnnxRuntime;
using Slipway.Primitives.Faults;
using Slipway.Runtime.Tensors;

namespace Slipway.Runtime.ModelHosts;

/// <summary>Answers in this process, on the thread that asks: a small model takes microseconds, less than a change of threads.</summary>
internal sealed class OnnxHost : IModelHost
{
    private readonly OnnxRunner runner;
    private readonly RunSlots slots;
    private readonly TimeSpan ownLimit;
    private readonly TimeProvider time;
    private readonly RunMark? mark;

    private OnnxHost(HostedModel model, OnnxRunner runner, RunMark? mark, HostOptions options) =>
        (Model, this.runner, this.mark, slots, ownLimit, time) = (model, runner, mark, new RunSlots(options.Concurrency), options.PredictionLimit, options.Time);

    public HostedModel Model { get; }

    public string? NotReady => null;

    public static async Task<OnnxHost> StartAsync(HostedModel model, HostOptions options, CancellationToken cancellation)
    {
        using var mark = await LoadMark.TakeAsync(options.StateFolder, model, cancellation);
        await OnnxProbe.CheckAsync(model, options, cancellation);
        mark.Set();
        OnnxRunner? runner = null;
        try
        {
            runner = new OnnxRunner(model.Signature, OnnxModel.Load(model.ModelPath), options.Time);
            _ = OnnxProbe.Once(model.Signature, runner);
            return new OnnxHost(model, runner, options.MarksRuns ? RunMark.Set(options.StateFolder, model) : null, options);
        }
        catch (OnnxException e)
        {
            runner?.Dispose();
            throw new SlipwayException(ExitCode.UnusableInput, new Fault("model-changed", $"the model loaded in a child and not here: {e.Message}", Path.GetFileName(model.ModelPath)), e);
        }
        finally
        {
            mark.Clear();
        }
    }

    public Task WaitUntilReadyAsync(CancellationToken cancellation) => Task.CompletedTask;

    public ValueTask<Prediction> PredictAsync(TensorSet inputs, TensorSet outputs, TimeSpan limit, CancellationToken cancellation) =>
        slots.TryEnter() ? ValueTask.FromResult(Run(inputs, outputs, limit)) : WaitAndRunAsync(inputs, outputs, limit, cancellation);

    public ValueTask DisposeAsync()
    {
        runner.Dispose();
        mark?.Dispose();
        return ValueTask.CompletedTask;
    }

    private async ValueTask<Prediction> WaitAndRunAsync(TensorSet inputs, TensorSet outputs, TimeSpan limit, CancellationToken cancellation)
    {
        var asked = time.GetTimestamp();
        return await slots.EnterAsync(cancellation) ? Run(inputs, outputs, limit - time.GetElapsedTime(asked)) : Prediction.Busy(RunSlots.Full);
    }

    private Prediction Run(TensorSet inputs, TensorSet outputs, TimeSpan limit)
    {
        mark?.Enter();
        try
        {
            return limit > TimeSpan.Zero
                ? runner.Predict(inputs, outputs, limit < ownLimit ? limit : ownLimit)
                : Prediction.TimedOut("the model had no free place before the request's time was up");
        }
        finally
        {
            mark?.Leave();
            slots.Leave();
        }
    }
}
