using Slipway.Documents.Environments;
using Slipway.Documents.Runs;
using Slipway.Documents.Specs;
using Slipway.Pipeline.Execution.Plan;
using Slipway.Primitives.Bytes;
using Slipway.Store.Content;

namespace Slipway.Pipeline.Execution;

/// <summary>Tells what a run would do, without doing any of it: stats, and one small document a stage.</summary>
public static class Status
{
    /// <param name="datasets">The snapshot's digest by dataset.</param>
    /// <param name="fingerprints">By environment, of every one that a stage names.</param>
    /// <exception cref="Primitives.Faults.SlipwayException">The plan has faults, or an input is missing (exit 2).</exception>
    public static StatusReport Of(
        Spec spec,
        ProjectFolder project,
        DigestIndex index,
        IReadOnlyDictionary<string, Digest> datasets,
        IReadOnlyDictionary<string, HostFingerprint> fingerprints,
        Isolation isolation = Isolation.Sandbox)
    {
        var plan = ExecutionPlan.Of(spec);
        var files = new ProjectFiles(project.Root, index);
        files.Require(plan, spec.Model);
        return new Forecast(spec, project, files, dataset => datasets[dataset], fingerprints, isolation).Of(plan);
    }
}
