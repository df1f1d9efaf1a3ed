using System.Collections.Immutable;
using Slipway.Documents.Reading;
using Slipway.Primitives.Units;

namespace Slipway.Documents.Rollouts;

/// <summary><c>release:</c> as written: each value is sound by itself, and nothing is known yet of how they fit together.</summary>
internal sealed record ReleaseDraft(Sound<ChannelDraft>? Staging, Sound<ChannelDraft>? Production)
{
    /// <summary>Tells what does not fit together, each at its place.</summary>
    /// <returns>Meaningful only when no fault was added.</returns>
    public ReleasePlan Resolve(FaultList faults) => ReleasePlan.Of(Resolve(Staging, faults) ?? ChannelPlan.BlueGreen, Resolve(Production, faults) ?? ChannelPlan.Canary);

    private static ChannelPlan? Resolve(Sound<ChannelDraft>? channel, FaultList faults)
    {
        // What could not be read has been told; what hangs on it would be told twice.
        if (channel is { IsSound: true })
            channel.Value.Check(faults);
        return channel?.Value.Plan;
    }
}

internal sealed record ChannelDraft(ChannelPlan Plan, ImmutableArray<KeyPlaces> Steps, LatencyDraft? Latency, KeyPlaces Places)
{
    public void Check(FaultList faults)
    {
        if (Latency is { Named: not 1 } latency)
            faults.Add(latency.At, "bad-value", $"latency names {latency.Named} quantiles, allowed is one", "Write one, such as { p99: 50 ms }.");
        foreach (var broken in PlanRules.Check(Plan))
            faults.Add((broken.Step is { } step && step < Steps.Length ? Steps[step] : Places).Of(broken.Key), "bad-value", broken.Message, broken.Help);
    }
}

internal sealed record StepDraft(RolloutStep Step, KeyPlaces Places);

internal sealed record GuardDraft(Ratio? ErrorRate, LatencyDraft? Latency);

/// <param name="Guard">The first that is named.</param>
internal sealed record LatencyDraft(LatencyGuard? Guard, int Named, Place At)
{
    public static LatencyDraft Of(Fields fields, ImmutableArray<Key<Duration>> keys) => new(
        keys.Select((key, i) => fields.Value(key) is { } limit ? new LatencyGuard(LatencyGuard.Quantiles[i].Quantile, limit) : null).FirstOrDefault(guard => guard is not null),
        keys.Count(fields.Has),
        fields.At);
}

/// <summary>Where the keys of a map stand.</summary>
/// <param name="At">Of the map's own name.</param>
internal sealed record KeyPlaces(Place At, ImmutableDictionary<string, Place> Keys)
{
    public static KeyPlaces Of(Fields fields, ImmutableArray<Key> keys) =>
        new(fields.At, keys.Where(fields.Has).ToImmutableDictionary(key => key.Name, key => fields.PlaceOf(key)!.Value));

    /// <summary>Of the key, or of the map where the key is left out.</summary>
    public Place Of(string key) => Keys.GetValueOrDefault(key, At);
}
