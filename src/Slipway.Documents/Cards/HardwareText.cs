using System.Globalization;
using Slipway.Documents.Charts;
using Slipway.Documents.Hardware;

namespace Slipway.Documents.Cards;

/// <summary>Hardware requirements in a sentence.</summary>
public static class HardwareText
{
    public static string Of(HardwareProfile needs) => string.Join(", ", new[]
    {
        needs.Cpus is { } cpus ? string.Create(CultureInfo.InvariantCulture, $"{cpus} {(cpus == 1 ? "processor" : "processors")}") : null,
        needs.Threads is { } threads ? CountText.Some(threads, "thread") : null,
        needs.Memory is { } memory ? $"{memory} of memory" : null,
        needs.Disk is { } disk ? $"{disk} of disk" : null,
        needs.Pids is { } pids ? $"at most {pids} processes" : null,
        needs.Time is { } time ? $"at most {time} a stage" : null,
        needs.Features.IsDefaultOrEmpty ? null : string.Join(" and ", needs.Features),
        needs.Accelerator is { } accelerator ? Of(accelerator) : null,
        needs.Bandwidth is { } bandwidth ? $"{bandwidth} of bandwidth" : null,
        needs.Precision,
        needs.LatencyP99 is { } latency ? $"99 % of the requests within {NumberText.Short(latency.Value.TotalSeconds, ChartUnit.Seconds)}" : null,
        needs.Throughput is { } rate ? $"{rate}" : null,
    }.OfType<string>()) is { Length: > 0 } text ? text : "nothing in particular";

    private static string Of(AcceleratorProfile accelerator) =>
        $"{accelerator.Count.ToString(CultureInfo.InvariantCulture)} × {accelerator.Kind}"
        + (accelerator.Memory is { } memory ? $" with {memory}" : "")
        + (accelerator.Compute is { } compute ? $", compute {compute}" : "")
        + (accelerator.Driver is { } driver ? $", driver {driver}" : "");
}
