using System.Collections.Immutable;
using System.Text.Json.Serialization;
using Slipway.Primitives.Units;

namespace Slipway.Documents.Hardware;

/// <summary>What a stage or a served model needs of a host. A requirement, never a measurement.</summary>
/// <param name="Cpus">Processors, 0.01 to 4096.</param>
/// <param name="Threads">Threads that libraries may use (OMP, BLAS); 1 to 4096; null means one.</param>
/// <param name="Features">CPU features by their Linux names, such as <c>avx2</c>.</param>
/// <param name="Accelerator">Null for none.</param>
/// <param name="Precision">fp64, fp32, tf32, bf16, fp16 or int8.</param>
/// <param name="LatencyP99">Longest 99th percentile of one request's latency.</param>
/// <param name="Throughput">Requests per second that one instance must answer.</param>
public sealed record HardwareProfile(
    double? Cpus,
    int? Threads,
    ByteSize? Memory,
    ByteSize? Disk,
    ImmutableArray<string> Features,
    AcceleratorProfile? Accelerator,
    ByteRate? Bandwidth,
    string? Precision,
    Duration? LatencyP99,
    RequestRate? Throughput)
{
    /// <summary>Most processes and threads at a time, 1 to 1,000,000; null when nothing is said.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? Pids { get; init; }

    /// <summary>Longest time that a stage's command may take; null when nothing is said.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public Duration? Time { get; init; }
}

/// <param name="Kind">nvidia, amd or intel.</param>
/// <param name="Compute">Condition on the compute capability, such as <c>>=8.0</c>.</param>
/// <param name="Driver">Condition on the driver's version, such as <c>>=550</c>.</param>
public sealed record AcceleratorProfile(string Kind, int Count, ByteSize? Memory, string? Compute, string? Driver);
