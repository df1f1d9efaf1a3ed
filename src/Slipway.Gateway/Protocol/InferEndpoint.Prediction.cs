using Microsoft.AspNetCore.Http;
using Slipway.Documents.Monitoring;
using Slipway.Documents.Rollouts;
using Slipway.Gateway.Admission;
using Slipway.Gateway.Routing;
using Slipway.Gateway.Sampling;
using Slipway.Gateway.Telemetry;
using Slipway.Runtime.ModelHosts;

namespace Slipway.Gateway.Protocol;

internal sealed partial class InferEndpoint
{
    /// <summary>Asks the model, takes down what came of it, and answers. The request has a place, which is given back.</summary>
    private async ValueTask<Refusal?> PredictAsync(Exchange exchange, InferCall call, ModelTraffic own)
    {
        Task<Prediction>? late = null;
        Choice choice = default;
        try
        {
            if (Choose(exchange, call, out choice) is { } refusal)
            {
                choice = default;
                return refusal;
            }

            var size = call.Body.Length;
            LetGo(exchange, call);
            var asked = time.GetTimestamp();
            var tally = choice.Rollout?.Tally;
            var assigned = tally?.Begin(choice.Assignment.Arm, choice.Assignment.User, asked) ?? default;
            var prediction = default(Prediction);
            try
            {
                using var span = observability.Traces.BeginPrediction(exchange.Span);
                var pending = choice.Version.Host.PredictAsync(call.Tensors!.Inputs, call.Tensors.Outputs, call.Deadline.Left, call.Deadline.Token);
                (prediction, late) = pending.IsCompletedSuccessfully ? (pending.Result, null) : await WaitAsync(pending, call.Deadline);
            }
            finally
            {
                TakeDown(exchange, call, choice, assigned, asked, prediction.Status);
            }

            if (prediction.Status != PredictionStatus.Done)
                return RefusalOf(prediction);
            await exchange.AnswerAsync(StatusCodes.Status200OK, call.WriteAnswer(choice.Route.Model, choice.Version.Name));
            if (choice.Rollout is { Route.Shadow: true } && choice.Assignment.Arm == Arm.Stable)
                shadows.Offer(new ShadowCopy(choice.Rollout, call.TakeTensors(), size, own.Metrics, choice.Route.Monitor, IdOf(exchange, call)));
            return null;
        }
        finally
        {
            if (late is null)
                Leave(choice.Version, own.Limit);
            else
                _ = LeaveAfterAsync(late, call.TakeTensors(), choice.Version, own.Limit);
        }
    }

    /// <summary>Waits for the answer as long as the request has time.</summary>
    /// <returns>The prediction, and the one that is still under way when nobody waits for it any longer: the tensors are its own until it ends.</returns>
    private static async ValueTask<(Prediction Prediction, Task<Prediction>? Late)> WaitAsync(ValueTask<Prediction> pending, Deadline deadline)
    {
        deadline.Arm();
        var asking = pending.AsTask();
        try
        {
            return (await asking.WaitAsync(deadline.Token), null);
        }
        catch (OperationCanceledException) when (deadline.Token.IsCancellationRequested)
        {
            return (new Prediction(PredictionStatus.TimedOut, $"the model did not answer within the {deadline.Limit.TotalMilliseconds:0} ms that the request had"), asking.IsCompleted ? null : asking);
        }
    }

    private static void Leave(ServedVersion? version, ConcurrencyLimit limit)
    {
        version?.Leave();
        limit.Leave();
    }

    /// <summary>The model is still busy with it, whether or not somebody waits: its place is taken until then.</summary>
    private static async Task LeaveAfterAsync(Task late, TensorPair tensors, ServedVersion version, ConcurrencyLimit limit)
    {
        await late.ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        tensors.Return();
        Leave(version, limit);
    }

    private void TakeDown(Exchange exchange, InferCall call, in Choice choice, in AssignedRequest assigned, long asked, PredictionStatus status)
    {
        var ended = time.GetTimestamp();
        var seconds = time.GetElapsedTime(asked, ended).TotalSeconds;
        if (status == PredictionStatus.Done)
        {
            MetricsOf(choice, exchange).Observe(exchange.Arm, seconds);
            observability.Observe(choice.Route.Model, choice.Version.Name, exchange.Arm, seconds);
        }

        var isLate = choice.Route.LatencyBudget is { } budget && seconds > budget.TotalSeconds;
        // A caller who gave up before the answer was late has shown nothing of the version: else whoever asks for 1 ms takes it back.
        var isRefused = status == PredictionStatus.Busy || (status == PredictionStatus.TimedOut && call.Deadline.Limit < options.RequestLimit && !isLate);
        var (tally, sampler) = (choice.Rollout?.Tally, choice.Version.Sampler);
        if (isRefused)
        {
            tally?.Refused(assigned);
            return;
        }

        var over = sampler is null ? default : OverRequestOf(exchange, call, choice, ended, seconds);
        if (status == PredictionStatus.Done)
        {
            tally?.Answered(assigned, seconds, isLate);
            sampler?.Answered(over, call.Tensors!.Inputs, call.Tensors.Outputs, isLate);
        }
        else
        {
            tally?.Failed(assigned, OverRequest.KindOf(status));
            sampler?.Failed(over, call.Tensors!.Inputs, OverRequest.KindOf(status));
        }
    }

    private static OverRequest OverRequestOf(Exchange exchange, InferCall call, in Choice choice, long ended, double seconds) =>
        new(ArmOf(exchange.Arm, TrafficArm.Direct), choice.Route.Monitor, IdOf(exchange, call), exchange.Trace, ended, seconds);

    private static TrafficArm ArmOf(AnswerArm arm, TrafficArm otherwise) => arm switch
    {
        AnswerArm.Stable => TrafficArm.Stable,
        AnswerArm.Candidate => TrafficArm.Candidate,
        _ => otherwise,
    };

    /// <summary>What a request is sampled by, and what labels name.</summary>
    private static string IdOf(Exchange exchange, InferCall call) => call.Id is { Length: > 0 } own ? own : exchange.RequestId;

    private static VersionMetrics MetricsOf(in Choice choice, Exchange exchange) => choice.Version.Metrics ??= exchange.Metrics!.Of(choice.Version.Name);

    private static Refusal RefusalOf(in Prediction prediction) => prediction.Status switch
    {
        PredictionStatus.Busy => new(StatusCodes.Status503ServiceUnavailable, prediction.Reason!, ShedReason.Queue, Refusal.Soon),
        PredictionStatus.NotReady => new(StatusCodes.Status503ServiceUnavailable, prediction.Reason!, RetryAfter: Refusal.Soon),
        PredictionStatus.TimedOut => new(StatusCodes.Status504GatewayTimeout, prediction.Reason!),
        _ => new(StatusCodes.Status500InternalServerError, prediction.Reason!),
    };
}
