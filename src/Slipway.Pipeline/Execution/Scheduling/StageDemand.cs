using Slipway.Documents.Hardware;
using Slipway.Runtime.Hardware;

namespace Slipway.Pipeline.Execution.Scheduling;

/// <summary>What a stage takes of its host while it runs, as far as its hardware profile says.</summary>
/// <param name="MilliCpus">Thousandths of a processor, so that sums are exact.</param>
/// <param name="Memory">Bytes.</param>
/// <param name="Accelerator">Who makes it; null for none.</param>
/// <param name="Accelerators">How many.</param>
internal readonly record struct StageDemand(long MilliCpus, long Memory, string? Accelerator, int Accelerators)
{
    /// <param name="profile">Null for a stage that declares nothing, which takes nothing into account.</param>
    public static StageDemand Of(HardwareProfile? profile) => profile is null
        ? default
        : new((long)Math.Ceiling((profile.Cpus ?? 0) * 1000), profile.Memory?.Bytes ?? 0, profile.Accelerator?.Kind, profile.Accelerator?.Count ?? 0);

    /// <summary>Whether processors or memory are more than the host has at all: such a stage runs, with nothing beside it.</summary>
    public bool IsBeyond(HostCapacity host) => MilliCpus / 1000.0 > host.Cpus || Memory > host.Memory;

    /// <summary>Whether accelerators are asked for that the host does not have: such a stage cannot run.</summary>
    public bool IsWithout(HostCapacity host) => Accelerator is { } kind && Accelerators > host.Accelerators.GetValueOrDefault(kind);
}
