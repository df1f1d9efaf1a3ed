using System.Numerics;
using Slipway.Documents.Monitoring;
using Slipway.Documents.Rollouts;
using Slipway.Primitives.Units;
using Slipway.Runtime.ModelHosts;
using Slipway.Runtime.Tensors;

namespace Slipway.Gateway.Sampling;

/// <summary>Counts and profiles the requests of one version, by arm and by the second in which each is over. Thread-safe.</summary>
/// <remarks>
/// Each processor counts for itself, under a lock that nobody else wants but who takes the seconds that are over; nothing is allocated for a request.
/// </remarks>
internal sealed class VersionSampler
{
    /// <summary>Rows of one request that are profiled, and kept for labels: a batch of 100,000 rows must not hold a processor's counts for long.</summary>
    public const int MostRows = 1000;

    /// <summary>Processors beyond that share: each costs memory, by the number of features.</summary>
    private const int MostShards = 32;

    /// <summary>Seconds that one processor keeps while nobody takes them, because the machine is too busy; what is beyond is counted in the last of them.</summary>
    private const int MostSeconds = 5;

    private static readonly int Arms = Enum.GetValues<TrafficArm>().Length;

    private readonly Shard[] shards;
    private readonly string model;
    private readonly int version;
    private readonly SampleClock clock;
    private readonly SampledFeatures features;
    private readonly RequestCapture? capture;

    public VersionSampler(string model, VersionRef version, HostedModel hosted, SampleClock clock, RequestCapture? capture = null)
    {
        this.capture = capture;
        (this.model, this.version, this.clock, features) = (model, version.Number, clock, new SampledFeatures(hosted));
        shards = [.. Enumerable.Range(0, (int)BitOperations.RoundUpToPowerOf2((uint)Math.Min(Environment.ProcessorCount, MostShards))).Select(_ => new Shard(features, clock))];
    }

    /// <summary>The last request is over: once its seconds are taken there is nothing more to come.</summary>
    public bool IsRetired { get; private set; }

    public void Retire() => IsRetired = true;

    /// <summary>A request is over, with an answer.</summary>
    /// <param name="inputs">Null where they are another arm's, and counted there.</param>
    public void Answered(in OverRequest request, TensorSet? inputs, TensorSet outputs, bool isLate) => Take(request, isLate ? BadKind.Latency : null, inputs, outputs);

    /// <summary>A request is over, without an answer that may be given.</summary>
    /// <param name="inputs">As they were read; null where they were not, or are another arm's.</param>
    public void Failed(in OverRequest request, TensorSet? inputs, BadKind kind) => Take(request, kind, inputs, null);

    /// <summary>A request's input does not fit the signature: it was not asked of the model.</summary>
    /// <param name="at">On the monotonic clock.</param>
    public void Refused(TrafficArm arm, long at)
    {
        var shard = ShardHere();
        lock (shard.Changing)
            shard.TallyOf((int)arm, at).CountRefused();
    }

    /// <summary>Hands out the seconds that are over, each once.</summary>
    /// <param name="all">Also the one that is not over yet: when no request comes any more.</param>
    public void Drain(List<TelemetrySlice> slices, bool all = false)
    {
        var now = clock.Now;
        var whole = new SortedDictionary<(long Second, int Arm), ArmTally>();
        foreach (var shard in shards)
        {
            foreach (var (second, tallies) in shard.TakeOver(now, all))
            {
                for (var arm = 0; arm < Arms; arm++)
                {
                    if (tallies[arm] is not { IsEmpty: false } tally)
                        continue;
                    if (!whole.TryAdd((second, arm), tally))
                        whole[(second, arm)].Merge(tally);
                }
            }
        }

        foreach (var ((second, arm), tally) in whole)
            slices.Add(tally.ToSlice(model, version, (TrafficArm)arm, second, clock));
        foreach (var shard in shards)
            shard.Reuse();
    }

    private void Take(in OverRequest request, BadKind? kind, TensorSet? inputs, TensorSet? outputs)
    {
        var isSampled = request.Monitor is { } monitor && RequestShare.Has(monitor.Sample, request.Id);
        var shard = ShardHere();
        lock (shard.Changing)
        {
            var tally = shard.TallyOf((int)request.Arm, request.Ended);
            tally.Count(request, outputs is not null, kind);
            if (isSampled)
                tally.Profile(inputs, outputs);
            if (request.Monitor?.Labels is { } share && features.HasScore && inputs is not null && outputs is not null)
                Keep(tally, share, request, outputs.Tensors[0], (int)inputs.Batch);
        }

        if (capture is not null && inputs is not null && request.Monitor?.Capture is { } rules && RequestShare.Has(rules.Share, request.Id))
            capture.Take(request, rules, inputs, outputs);
    }

    private Shard ShardHere() => shards[Thread.GetCurrentProcessorId() & (shards.Length - 1)];

    /// <summary>Keeps what labels are matched with. An id that is too long for a label to name is none.</summary>
    private void Keep(ArmTally tally, Ratio share, in OverRequest request, Tensor scores, int rows)
    {
        if (scores.Count != rows || request.Id.Length > PredictionKey.LongestId)
            return;
        for (var row = 0; row < Math.Min(rows, MostRows); row++)
        {
            if (share.Value >= 1 || PredictionKey.IsAmong(share, model, request.Id, row, rows))
                tally.Keep(new RowPrediction(request.Id, row, rows, SampledFeatures.ScoreOf(scores, row), request.Ended));
        }

        tally.KeepNone(Math.Max(0, rows - MostRows));
    }

    /// <summary>What one processor counted.</summary>
    private sealed class Shard(SampledFeatures features, SampleClock clock)
    {
        private readonly Stack<ArmTally?[]> spare = new();
        private List<(long Second, ArmTally?[] Tallies)> over = [], taken = [];
        private ArmTally?[]? current;
        private long second, until = long.MinValue;

        public Lock Changing { get; } = new();

        /// <remarks>Who comes late, with an end before the second that is counted now, is counted now: a second that was handed out is closed.</remarks>
        public ArmTally TallyOf(int arm, long ended)
        {
            if (ended >= until || current is null)
                Turn(ended);
            return current![arm] ??= new ArmTally(features);
        }

        public List<(long Second, ArmTally?[] Tallies)> TakeOver(long now, bool all)
        {
            lock (Changing)
            {
                if (now >= until || all)
                    Close();
                (over, taken) = (taken, over);
                return taken;
            }
        }

        /// <summary>What was taken is used up.</summary>
        public void Reuse()
        {
            foreach (var (_, tallies) in taken)
            {
                foreach (var tally in tallies)
                    tally?.Clear();
            }

            lock (Changing)
            {
                foreach (var (_, tallies) in taken)
                    spare.Push(tallies);
                while (spare.Count > 2)
                    spare.Pop();
            }

            taken.Clear();
        }

        private void Turn(long ended)
        {
            if (over.Count < MostSeconds)
                Close();
            current ??= spare.TryPop(out var used) ? used : new ArmTally?[Arms];
            second = clock.SecondAt(ended);
            until = clock.EndOf(second);
        }

        private void Close()
        {
            if (current is not null)
                over.Add((second, current));
            current = null;
        }
    }
}

/// <summary>A request whose end is to be counted.</summary>
/// <param name="Monitor">What is told of its values; null for nothing.</param>
/// <param name="Id">The request's <c>id</c> in its body, else its <c>x-request-id</c>.</param>
/// <param name="Trace">As <c>traceparent</c> has it; empty for none.</param>
/// <param name="Ended">On the monotonic clock.</param>
/// <param name="Seconds">From its assignment to its end.</param>
internal readonly record struct OverRequest(TrafficArm Arm, RouteMonitor? Monitor, string Id, string Trace, long Ended, double Seconds)
{
    /// <summary>A model that starts or has ended fails its callers, as one does that throws: where all is well it is not asked before it is ready.</summary>
    public static BadKind KindOf(PredictionStatus status) => status switch
    {
        PredictionStatus.TimedOut => BadKind.Timeout,
        PredictionStatus.InvalidOutput => BadKind.InvalidOutput,
        _ => BadKind.Error,
    };
}
