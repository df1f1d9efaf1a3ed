using System.Collections.Immutable;
using Slipway.Documents.Hardware;
using Slipway.Documents.Reading;
using Slipway.Primitives.Units;

namespace Slipway.Documents.Specs;

/// <summary>The keys below <c>hardware:</c>.</summary>
internal static class HardwareGrammar
{
    private static readonly Key<string> Kind = new("kind", new ChoiceShape<string>(("nvidia", "nvidia"), ("amd", "amd"), ("intel", "intel")), "Who makes it.", required: true);
    private static readonly Key<int> Count = new("count", Shapes.Made(new WholeShape(1, 64), n => (int)n), "How many; 1 when left out.");
    private static readonly Key<ByteSize> AcceleratorMemory = new("memory", Amounts.Size, "Memory of each.");
    private static readonly Key<string> Compute = new("compute", Shapes.Version, "Condition on the compute capability.");
    private static readonly Key<string> Driver = new("driver", Shapes.Version, "Condition on the driver's version.");

    /// <summary><see cref="NoAccelerator"/> for the word none.</summary>
    private static readonly Shape<AcceleratorProfile> AcceleratorShape = new EitherShape<AcceleratorProfile>(
        scalar: new ChoiceShape<AcceleratorProfile>(("none", NoAccelerator)),
        map: new RecordShape<AcceleratorProfile>(
            [Kind, Count, AcceleratorMemory, Compute, Driver],
            fields => new(fields.Of(Kind) ?? "", fields.Value(Count) ?? 1, fields.Value(AcceleratorMemory), fields.Of(Compute), fields.Of(Driver))));

    private static readonly Key<Duration> P99 = new("p99", Amounts.Time, "Longest 99th percentile of a request's latency.", required: true);

    private static readonly Key<double> Cpus = new("cpus", new NumberShape(0.01, 4096), "Processors.");
    private static readonly Key<int> Threads = new("threads", Shapes.Made(new WholeShape(1, 4096), n => (int)n), "Threads that libraries may use; 1 when left out.");
    private static readonly Key<ByteSize> Memory = new("memory", Amounts.Size, "Memory.");
    private static readonly Key<ByteSize> Disk = new("disk", Amounts.Size, "Most bytes that a stage may write into its own folders.");
    private static readonly Key<int> Pids = new("pids", Shapes.Made(new WholeShape(1, 1_000_000), n => (int)n), "Most processes and threads at a time.");
    private static readonly Key<Duration> Time = new("time", Amounts.Time, "Longest time that a stage may take.");
    private static readonly Key<ImmutableArray<string>> Features = new(
        "features", new ListShape<string>(new TextShape("a CPU feature as Linux names it, such as avx2", IsFeature, "^[a-z0-9_.]{1,40}$"), distinct: true), "CPU features.");
    private static readonly Key<AcceleratorProfile> Accelerator = new("accelerator", AcceleratorShape, "The accelerator, or none.");
    private static readonly Key<ByteRate> Bandwidth = new("bandwidth", Amounts.Bandwidth, "Network bandwidth.");
    private static readonly Key<string> Precision = new("precision", new ChoiceShape<string>([.. new[] { "fp64", "fp32", "tf32", "bf16", "fp16", "int8" }.Select(word => (word, word))]), "Precision of the arithmetic.");
    private static readonly Key<Latency> LatencyKey = new("latency", new RecordShape<Latency>([P99], fields => new(fields.Value(P99))), "Longest latency of a request.");
    private static readonly Key<RequestRate> Throughput = new("throughput", Amounts.Throughput, "Requests per second that one instance must answer.");

    public static Shape<HardwareProfile> Profile { get; } = new RecordShape<HardwareProfile>(
        [Cpus, Threads, Memory, Disk, Pids, Time, Features, Accelerator, Bandwidth, Precision, LatencyKey, Throughput],
        fields => new(
            fields.Value(Cpus),
            fields.Value(Threads),
            fields.Value(Memory),
            fields.Value(Disk),
            fields.Items(Features),
            fields.Of(Accelerator) is { Count: > 0 } accelerator ? accelerator : null,
            fields.Value(Bandwidth),
            fields.Of(Precision),
            fields.Of(LatencyKey)?.P99,
            fields.Value(Throughput))
        { Pids = fields.Value(Pids), Time = fields.Value(Time) });

    private static AcceleratorProfile NoAccelerator => new("none", 0, null, null, null);

    private static bool IsFeature(string text) => text.Length <= 40 && text.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c is '_' or '.');

    private sealed record Latency(Duration? P99);
}
