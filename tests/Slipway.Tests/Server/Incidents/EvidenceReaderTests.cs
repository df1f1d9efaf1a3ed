using System.Collections.Immutable;
using Slipway.Documents.Evaluations;
using Slipway.Documents.Incidents;
using Slipway.Documents.Monitoring;
using Slipway.Documents.Rollouts;
using Slipway.Primitives.Bytes;
using Slipway.Server.Incidents;
using Slipway.Stats.Sketches;
using Slipway.Tests.Server.Storage;

namespace Slipway.Tests.Server.Incidents;

/// <summary>What an incident holds at most, as docs/guide/incidents.md has it.</summary>
public sealed class EvidenceReaderTests
{
    private const int Windows = 61, Features = 21, Traces = 20;

    private static readonly Digest bundle = Digest.Of("a bundle"u8);

    [Fact]
    public async Task Three_versions_are_kept_the_live_one_and_then_the_newest()
    {
        Assert.Equal([2, 5, 4], (await ReadAsync(View(live: 2))).Versions.Select(version => version.Version));
        Assert.Equal([5, 4, 3], (await ReadAsync(View(live: 5))).Versions.Select(version => version.Version));
        Assert.Equal([5, 4, 3], (await ReadAsync(View(live: null))).Versions.Select(version => version.Version));
    }

    [Fact]
    public async Task The_60_latest_windows_are_kept_of_each_version()
    {
        Assert.All((await ReadAsync(View(live: 2))).Versions, version => Assert.Equal(Enumerable.Range(Windows - 60, 60).Select(i => (long)i), version.Windows.Select(window => window.Start)));
    }

    [Fact]
    public async Task The_20_furthest_features_are_kept_the_furthest_first_with_their_60_latest_points()
    {
        Assert.All((await ReadAsync(View(live: 2))).Versions, version =>
        {
            Assert.Equal(Enumerable.Range(0, 20).Select(i => $"feature {Features - 1 - i}"), version.Drift.Select(feature => feature.Feature));
            Assert.All(version.Drift, feature => Assert.Equal(Enumerable.Range(Windows - 60, 60).Select(i => (long)i), feature.Series.Select(point => point.Start)));
        });
    }

    /// <summary>The latest of all are of a version that is not kept.</summary>
    [Fact]
    public async Task The_20_latest_traces_are_kept_over_all_versions_the_latest_first()
    {
        var traces = (await EvidenceAsync(View(live: 2))).Traces;
        var kept = View(live: 2).Versions.Where(version => version.Version is 2 or 4 or 5).SelectMany(version => version.Exemplars);
        Assert.Equal(kept.OrderByDescending(trace => trace.At).Take(20).Select(trace => trace.Trace), traces.Select(trace => trace.Trace));
        Assert.Equal([2, 4, 5], traces.Select(trace => int.Parse(trace.Trace.Split('.')[0], null)).Distinct().Order());
    }

    private static async Task<MonitoringView> ReadAsync(MonitoringView view) => (await EvidenceAsync(view)).Monitoring!;

    private static async Task<IncidentEvidence> EvidenceAsync(MonitoringView view)
    {
        await using var store = await TestDatabase.OpenAsync(DatabaseKind.Sqlite);
        var reader = new EvidenceReader((_, _, _, _) => Task.FromResult(view), line => Assert.Fail(line));
        return await store.Database.ChangeAsync(session => reader.ReadAsync(session, view.Model, view.Channel, "it drifts", view.To), TestContext.Current.CancellationToken);
    }

    /// <summary>Five versions, newest first, each with one window and feature more than are kept.</summary>
    private static MonitoringView View(int? live) => new(
        "flight-delay", "production", 0, Windows, 1, MonitorPlan.Default, live is { } number ? new(number, bundle) : null, [.. Enumerable.Range(1, 5).Reverse().Select(Version)], [], 0);

    private static VersionMonitoring Version(int version) => new(
        version, bundle, Window(0), [.. Enumerable.Range(0, Windows).Select(Window)], [.. Enumerable.Range(0, Features).Select(Feature)], ImmutableSortedDictionary<string, Figure>.Empty, 0, 0,
        [.. Enumerable.Range(0, Traces).Select(i => new Exemplar($"{version}.{i}", BadKind.Error, ((Traces - i) * 10) + (version == 3 ? 9 : version), 0.1))]);

    private static WindowFigures Window(int start) =>
        new(start, 1, 100, [], null, ImmutableSortedDictionary<string, Figure>.Empty, null, 0, 0, ImmutableSortedDictionary<string, Figure>.Empty, IntervalBasis.None);

    /// <summary>The later, the further.</summary>
    private static FeatureDrift Feature(int i)
    {
        var (distance, profile) = (new Figure(i / 100.0, 0, 1, 1_000), new ColumnProfile(0, 0, [0, 0], null));
        return new(
            $"feature {i}", false, "psi", distance, 0.2, DriftVerdict.InsufficientEvidence, null, new ReferenceFeature($"feature {i}", Sensitivity.Internal, [1], null, profile), profile,
            [.. Enumerable.Range(0, Windows).Select(start => new DriftPoint(start, 1, distance, DriftVerdict.InsufficientEvidence))]);
    }
}
