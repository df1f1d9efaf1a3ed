using System.Collections.Immutable;
using Slipway.Documents.Rollouts;
using Slipway.Gateway.Routing;
using Slipway.Runtime.ModelHosts;

namespace Slipway.Gateway.Control;

/// <summary>All versions that this gateway holds or is letting go. For the reconciler alone.</summary>
internal sealed class HeldVersions(VersionLoader loader, CrashNotes notes, HostOptions hosting, Action changed)
{
    private readonly Dictionary<(string Model, VersionRef Version), HeldVersion> held = [];
    private readonly List<Task> retiring = [];

    /// <summary>Begins to prepare what the state names and is not held yet: stable versions first.</summary>
    public void Hold(DesiredState target)
    {
        var wanted =
            from route in target.Models
            from version in StateCheck.Versions(route).Distinct()
            let isStable = version == route.Stable
            orderby !isStable
            select (Key: (route.Model, version), isStable);
        foreach (var (key, isStable) in wanted)
        {
            if (held.TryGetValue(key, out var there))
                there.SetRole(isStable);
            else
                held.Add(key, new HeldVersion(key.Model, key.version, isStable, loader, notes, hosting, changed));
        }
    }

    /// <returns>The version where it is ready, else why it is not.</returns>
    public (ServedVersion? Served, string? Unready) Find(string model, VersionRef version) =>
        held.GetValueOrDefault((model, version)) is { } there ? (there.Served, there.Unready) : (null, null);

    /// <summary>Lets go of what neither the state nor the table in force names; each ends after its last request.</summary>
    public void Retire(DesiredState target, RoutingTable table)
    {
        var named = target.Models.SelectMany(route => StateCheck.Versions(route).Select(version => (route.Model, version))).ToHashSet();
        retiring.RemoveAll(task => task.IsCompleted);
        foreach (var (key, version) in held.Where(entry => !named.Contains(entry.Key) && !IsUsed(table, entry.Value)).ToArray())
        {
            held.Remove(key);
            retiring.Add(RetireAsync(version));
        }
    }

    /// <param name="settled">See <see cref="Composition.Settled"/>.</param>
    public ImmutableArray<VersionReport> Reports(DesiredState? target, IReadOnlySet<string> settled)
    {
        var reports = ImmutableArray.CreateBuilder<VersionReport>();
        foreach (var route in target?.Models ?? [])
        {
            foreach (var version in StateCheck.Versions(route).Distinct().Select(version => held[(route.Model, version)]))
            {
                var inForce = route.Rollout?.Candidate == version.Version && settled.Contains(route.Model) ? route.Rollout : null;
                reports.Add(new VersionReport(version.Model, version.Version.Bundle, version.State, version.Reason, inForce?.WeightRevision));
            }
        }

        var seen = reports.Select(report => report.Bundle).ToHashSet();
        reports.AddRange(notes.Quarantined.Where(note => !seen.Contains(note.Bundle)).Select(note => new VersionReport(note.Model, note.Bundle, VersionState.Quarantined, note.Quarantined)));
        return reports.ToImmutable();
    }

    /// <summary>Ends all, each after its last request.</summary>
    public async Task ReleaseAsync()
    {
        retiring.AddRange(held.Values.Select(RetireAsync));
        held.Clear();
        await Task.WhenAll(retiring);
    }

    private static bool IsUsed(RoutingTable table, HeldVersion version) =>
        version.Served is { } served && table.Find(version.Model) is { } route && route.Versions.GetValueOrDefault(version.Version.Number) == served;

    private async Task RetireAsync(HeldVersion version)
    {
        await version.RetireAsync();
        hosting.Log($"{version.Model} {version.Version.Number} ({version.Version.Bundle.Short}) is retired");
    }
}
