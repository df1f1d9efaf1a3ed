using System.Collections.Immutable;
using Slipway.Documents.Runs;
using Slipway.Documents.Specs;
using Slipway.Pipeline.Execution.Plan;
using Slipway.Pipeline.Execution.Scheduling;
using Slipway.Pipeline.Execution.Secrets;
using Slipway.Pipeline.Execution.Sharing;
using Slipway.Primitives.Faults;

namespace Slipway.Pipeline.Execution;

/// <summary>What stages need of this host beside their inputs, looked for before anything is run: an hour of training must not end at the next stage's missing device.</summary>
internal static class RunNeeds
{
    /// <returns>The options, with the values of all secrets that are needed.</returns>
    /// <exception cref="SlipwayException">All that is missing for stages that would run, at once (exit 3).</exception>
    public static RunOptions Require(Spec spec, ExecutionPlan plan, Forecast forecast, RunOptions options)
    {
        var asking = plan.Stages.Select(planned => planned.Stage).Where(stage => options.MayRun(stage) && (stage.Secrets is not null || Missing(spec, stage, options) is not null)).ToList();
        if (asking.Count == 0)
            return options;
        // What is taken from the cache needs nothing.
        var known = options.Force ? [] : forecast.Of(plan).Stages.Where(stage => stage.State == StageState.Cached).Select(stage => stage.Name).ToHashSet(StringComparer.Ordinal);
        asking.RemoveAll(stage => known.Contains(stage.Name));
        // What the shared cache may give needs nothing either: it is asked when its inputs are known, and what it lacks is told then.
        var faults = asking.Where(stage => !MayBeShared(stage, options)).Select(stage => Missing(spec, stage, options)).OfType<Fault>().ToList();
        var values = ImmutableDictionary.CreateBuilder<string, string>(StringComparer.Ordinal);
        // A value is looked for once, which may ask a person; that it is missing is told of each stage that needs it.
        foreach (var needs in asking.SelectMany(stage => (stage.Secrets ?? []).Select(name => (stage, name))).GroupBy(need => need.name, need => need.stage, StringComparer.Ordinal))
        {
            try
            {
                if (options.Secrets.Find(needs.Key) is { } value)
                    values[needs.Key] = value;
                else
                    faults.AddRange(needs.Select(stage => NoSecret(stage, needs.Key, options.Secrets)));
            }
            catch (SlipwayException e)
            {
                faults.AddRange(needs.SelectMany(stage => e.Faults.Select(fault => stage.At.Fault(fault.Code, $"stage {stage.Name}: {fault.Message}", fault.Help))));
            }
        }

        return faults.Count == 0 ? options with { SecretValues = values.ToImmutable() } : throw new SlipwayException(ExitCode.NotThere, faults);
    }

    /// <summary>The same for one stage that is about to be executed.</summary>
    /// <exception cref="SlipwayException">Something is missing for it (exit 3).</exception>
    public static void Require(Spec spec, StageSpec stage, RunOptions options)
    {
        if (MayBeShared(stage, options) && Missing(spec, stage, options) is { } fault)
            throw new SlipwayException(ExitCode.NotThere, fault);
    }

    public static Fault NoSecret(StageSpec stage, string name, SecretSource source) => stage.At.Fault(
        "missing-secret",
        $"stage {stage.Name} needs the secret {name}: {source.Looked(name)}",
        $"export {name}, or write it into the file {name} of a folder that ${SecretSource.FolderVariable} names, or give --secret-command CMD, which is run with the name as its last argument");

    private static bool MayBeShared(StageSpec stage, RunOptions options) => options is { Shared: not null, Force: false } && SharedCache.Takes(stage);

    private static Fault? Missing(Spec spec, StageSpec stage, RunOptions options)
    {
        if (stage.Hardware is not { } name || StageDemand.Of(spec.ProfileOf(stage)) is var demand && !demand.IsWithout(options.Host))
            return null;
        var there = options.Host.Accelerators.GetValueOrDefault(demand.Accelerator!);
        return stage.At.Fault(
            "missing-accelerator",
            $"stage {stage.Name} needs {demand.Accelerators} {demand.Accelerator} accelerator{(demand.Accelerators == 1 ? "" : "s")} by its hardware profile {name}, and this host has {(there == 0 ? "none" : there)}",
            "run it on a host that has them and whose driver is loaded, or declare another profile");
    }
}
