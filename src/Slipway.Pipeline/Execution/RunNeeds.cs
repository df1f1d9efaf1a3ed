using Slipway.Documents.Runs;
using Slipway.Documents.Specs;
using Slipway.Pipeline.Execution.Plan;
using Slipway.Pipeline.Execution.Scheduling;
using Slipway.Primitives.Faults;

namespace Slipway.Pipeline.Execution;

/// <summary>What stages need of this host beside their inputs, looked for before anything is run: an hour of training must not end at the next stage's missing device.</summary>
internal static class RunNeeds
{
    /// <exception cref="SlipwayException">All that is missing for stages that would run, at once (exit 3).</exception>
    public static void Require(Spec spec, ExecutionPlan plan, Forecast forecast, RunOptions options)
    {
        var faults = plan.Stages.SelectMany(planned => Missing(spec, planned.Stage, options).Select(fault => (planned.Stage, Fault: fault))).ToList();
        if (faults.Count == 0)
            return;
        // What is taken from the cache needs nothing.
        var known = options.Force ? [] : forecast.Of(plan).Stages.Where(stage => stage.State == StageState.Cached).Select(stage => stage.Name).ToHashSet(StringComparer.Ordinal);
        var needed = faults.Where(missing => !known.Contains(missing.Stage.Name)).Select(missing => missing.Fault).ToList();
        if (needed.Count > 0)
            throw new SlipwayException(ExitCode.NotThere, needed);
    }

    private static IEnumerable<Fault> Missing(Spec spec, StageSpec stage, RunOptions options)
    {
        if (stage.Hardware is { } name && spec.Hardware.GetValueOrDefault(name) is { } profile && StageDemand.Of(profile) is var demand && demand.IsWithout(options.Host))
        {
            var there = options.Host.Accelerators.GetValueOrDefault(demand.Accelerator!);
            yield return stage.At.Fault(
                "missing-accelerator",
                $"stage {stage.Name} needs {demand.Accelerators} {demand.Accelerator} accelerator{(demand.Accelerators == 1 ? "" : "s")} by its hardware profile {name}, and this host has {(there == 0 ? "none" : there)}",
                "run it on a host that has them and whose driver is loaded, or declare another profile");
        }
    }
}
