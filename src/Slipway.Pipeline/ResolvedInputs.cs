using System.Collections.Immutable;
using Slipway.Documents.Environments;
using Slipway.Documents.Runs;
using Slipway.Documents.Specs;
using Slipway.Pipeline.Locking;
using Slipway.Pipeline.Snapshots;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;
using Slipway.Runtime.Environments;
using Slipway.Store.Oci;

namespace Slipway.Pipeline;

/// <summary>What a spec's inputs are on this host now: snapshots of its data, fingerprints of its environments, the baseline's digest.</summary>
public sealed record ResolvedInputs(
    ImmutableSortedDictionary<string, TakenSnapshot> Data,
    ImmutableSortedDictionary<string, HostFingerprint> Environments,
    Digest? Baseline)
{
    /// <param name="reading">Its digest index is the caller's to save.</param>
    /// <exception cref="SlipwayException">All inputs that are unusable (exit 2) or missing (exit 3), together.</exception>
    public static ResolvedInputs Of(Spec spec, ProjectFolder project, TableReading reading, TimeProvider clock, CancellationToken cancellation)
    {
        var (found, failures) = Look(spec, project, reading, clock, cancellation);
        return failures.Count == 0 ? found : throw SlipwayException.Together(failures);
    }

    /// <summary>As <see cref="Of"/>, with what is unusable beside what is there.</summary>
    internal static (ResolvedInputs Found, IReadOnlyList<SlipwayException> Failures) Look(Spec spec, ProjectFolder project, TableReading reading, TimeProvider clock, CancellationToken cancellation)
    {
        var failures = new List<SlipwayException>();
        var data = Each(spec.Data, dataset => SnapshotTaker.Take(dataset, project.Root, reading, cancellation), failures);
        var host = new HostEnvironment(project.FingerprintCache, clock);
        var environments = Each(spec.Environments, host.Fingerprint, failures);
        var baseline = spec.Evaluate?.Baseline is { } reference ? Attempt(() => (Digest?)BundleReference.Parse(reference).Resolve(project.Bundles).Manifest, failures) : null;
        return (new ResolvedInputs(data, environments, baseline), failures);
    }

    /// <summary>Holds them against <c>slipway.lock</c>.</summary>
    public LockResolution Against(Spec spec, ProjectFolder project) =>
        LockResolver.Resolve(spec, ProjectLockFile.Read(project), Data.Values.Select(taken => taken.Snapshot), Environments.Values, Baseline);

    private static ImmutableSortedDictionary<string, T> Each<TSpec, T>(ImmutableSortedDictionary<string, TSpec> specs, Func<TSpec, T> resolve, List<SlipwayException> failures)
        where T : class =>
        specs.Select(spec => (spec.Key, Value: Attempt(() => resolve(spec.Value), failures)))
            .Where(resolved => resolved.Value is not null)
            .ToImmutableSortedDictionary(resolved => resolved.Key, resolved => resolved.Value!, StringComparer.Ordinal);

    private static T? Attempt<T>(Func<T> resolve, List<SlipwayException> failures)
    {
        try
        {
            return resolve();
        }
        catch (SlipwayException failure)
        {
            failures.Add(failure);
            return default;
        }
    }
}
