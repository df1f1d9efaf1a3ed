using System.Collections.Immutable;
using Slipway.Documents.Datasets;
using Slipway.Documents.Environments;
using Slipway.Documents.Runs;
using Slipway.Documents.Specs;
using Slipway.Primitives.Bytes;

namespace Slipway.Pipeline.Locking;

/// <summary>Holds what a spec's inputs are now against what <c>slipway.lock</c> pins. Pure: the caller reads and writes the file.</summary>
internal static class LockResolver
{
    /// <summary>Format version of the file.</summary>
    public const int Version = 1;

    /// <param name="pinned">The file's content; null when there is none, and then this run pins.</param>
    /// <param name="snapshots">Of every dataset of the spec.</param>
    /// <param name="environments">Of every environment of the spec.</param>
    /// <param name="baseline">What the spec's baseline names now; null when it names none, or nothing is there.</param>
    public static LockResolution Resolve(Spec spec, ProjectLock? pinned, IEnumerable<Snapshot> snapshots, IEnumerable<HostFingerprint> environments, Digest? baseline)
    {
        var found = new ProjectLock(
            Version,
            snapshots.ToImmutableSortedDictionary(snapshot => snapshot.Name, Pin, StringComparer.Ordinal),
            environments.ToImmutableSortedDictionary(environment => environment.Name, environment => environment, StringComparer.Ordinal),
            baseline);
        if (pinned is null)
            return new LockResolution(found, found, null, []);

        var differences = Data(pinned, found).Concat(Environments(pinned, found)).Concat(Baseline(spec, pinned, found)).ToImmutableArray();
        // The run judges against the pinned baseline, and uses what is there of everything else.
        var pinsBaseline = spec.Evaluate?.Baseline is not null && pinned.Baseline is not null;
        return new LockResolution(found, found with { Baseline = pinsBaseline ? pinned.Baseline : found.Baseline }, pinned, differences);
    }

    private static DatasetPin Pin(Snapshot snapshot) => new(snapshot.Digest, snapshot.Files.Sum(file => file.Size), snapshot.Rows);

    private static IEnumerable<LockDifference> Data(ProjectLock pinned, ProjectLock found)
    {
        foreach (var (name, pin) in found.Data)
        {
            if (!pinned.Data.TryGetValue(name, out var was))
                yield return new LockDifference(LockDifferenceKind.NotPinned, name, $"{name} is not pinned, found {pin.Digest}");
            else if (was.Digest != pin.Digest)
                yield return new LockDifference(LockDifferenceKind.Data, name, $"{name} is pinned at {was.Digest} ({was.Rows} rows, {was.Size} bytes), found {pin.Digest} ({pin.Rows} rows, {pin.Size} bytes)");
            else if (was != pin)
                yield return new LockDifference(LockDifferenceKind.Data, name, $"{name} is pinned with {was.Rows} rows and {was.Size} bytes, found {pin.Rows} rows and {pin.Size} bytes of the same digest: the lock was edited");
        }

        foreach (var name in pinned.Data.Keys.Except(found.Data.Keys))
            yield return new LockDifference(LockDifferenceKind.Stale, name, $"{name} is pinned, and the spec has no such dataset");
    }

    private static IEnumerable<LockDifference> Environments(ProjectLock pinned, ProjectLock found)
    {
        foreach (var (name, environment) in found.Environments)
        {
            if (!pinned.Environments.TryGetValue(name, out var was))
                yield return new LockDifference(LockDifferenceKind.NotPinned, name, $"the environment {name} is not pinned, found {environment.Digest}");
            else if (PackageChanges.Between(was, environment) is { } changes)
                yield return new LockDifference(LockDifferenceKind.Environment, name, $"the environment {name} differs from the lock: {changes}");
        }

        foreach (var name in pinned.Environments.Keys.Except(found.Environments.Keys))
            yield return new LockDifference(LockDifferenceKind.Stale, name, $"the environment {name} is pinned, and the spec has no such environment");
    }

    private static IEnumerable<LockDifference> Baseline(Spec spec, ProjectLock pinned, ProjectLock found)
    {
        var name = spec.Evaluate?.Baseline;
        if (pinned.Baseline == found.Baseline)
            yield break;
        if (name is null)
            yield return new LockDifference(LockDifferenceKind.Stale, "baseline", $"a baseline is pinned at {pinned.Baseline}, and the spec names none");
        else if (pinned.Baseline is null)
            yield return new LockDifference(LockDifferenceKind.NotPinned, "baseline", $"the baseline {name} is not pinned, found {found.Baseline}");
        else
            yield return new LockDifference(LockDifferenceKind.Baseline, "baseline", $"the baseline {name} is pinned at {pinned.Baseline}, found {found.Baseline?.ToString() ?? "nothing"}");
    }
}
