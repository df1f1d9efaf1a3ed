using Slipway.Runtime.Tensors;

namespace Slipway.Runtime.ModelHosts;

/// <summary>Hands requests to a process of the bundle's own, and tells slow start, crash, hang and nonsense apart.</summary>
internal sealed class ProcessHost : IModelHost
{
    /// <summary>After a connection broke: how long the end of the process may take to be seen, before the answer leaves it out.</summary>
    private static readonly TimeSpan SeeEnd = TimeSpan.FromSeconds(2);

    private readonly HostOptions options;
    private readonly RunFolder folder;
    private readonly RunSlots slots;
    private readonly ProcessClient client;
    private readonly ProcessSupervisor supervisor;

    private ProcessHost(HostedModel model, HostOptions options)
    {
        (Model, this.options) = (model, options);
        folder = new RunFolder(model);
        slots = new RunSlots(options.Concurrency);
        client = new ProcessClient(folder.Socket, model.Name, options.Concurrency);
        supervisor = new ProcessSupervisor(model, options, folder, client.IsReadyAsync);
    }

    public HostedModel Model { get; }

    public string? NotReady => supervisor.NotReady;

    public static ProcessHost Start(HostedModel model, HostOptions options) => new(model, options);

    public Task WaitUntilReadyAsync(CancellationToken cancellation) => supervisor.FirstReady.WaitAsync(cancellation);

    public async ValueTask<Prediction> PredictAsync(TensorSet inputs, TensorSet outputs, TimeSpan limit, CancellationToken cancellation)
    {
        if (NotReady is { } reason)
            return Prediction.NotReady(reason);
        if (!await slots.EnterAsync(cancellation))
            return Prediction.Busy(RunSlots.Full);
        try
        {
            return supervisor.Current is { } run
                ? await AskAsync(run, inputs, outputs)
                : Prediction.NotReady(NotReady ?? "the model's process was being started again");
        }
        finally
        {
            slots.Leave();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await supervisor.DisposeAsync();
        client.Dispose();
        folder.Dispose();
    }

    /// <remarks>A client that goes away does not end its prediction: only the deadline tells a slow process from one that hangs.</remarks>
    private async Task<Prediction> AskAsync(ProcessRun run, TensorSet inputs, TensorSet outputs)
    {
        using var limit = new CancellationTokenSource(options.PredictionLimit, options.Time);
        try
        {
            return await client.InferAsync(inputs, outputs, limit.Token);
        }
        catch (OperationCanceledException)
        {
            run.ReportHang();
            return Prediction.TimedOut($"the model's process did not answer within {options.PredictionLimit.TotalSeconds:0.###} s; it is started again");
        }
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            await Task.WhenAny(run.Child.Exited, Task.Delay(SeeEnd, options.Time));
            // This request is not to blame for the one that hung, and may be asked again.
            if (run.Hung.IsCompleted)
                return Prediction.NotReady("the model's process was ended, because it did not answer another request in time; it is started again");
            return Prediction.Failed(
                run.Child.Exited.IsCompletedSuccessfully ? $"the model's process {await run.Child.Exited} while it answered; it is started again"
                : "the model's process broke the connection while it answered");
        }
    }
}
