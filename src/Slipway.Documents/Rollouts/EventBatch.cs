using System.Collections.Immutable;
using System.Text.Json.Serialization;

namespace Slipway.Documents.Rollouts;

/// <summary>What happened to requests of running rollouts at one gateway since its batch before. Taken in once, by (gateway, boot, sequence).</summary>
/// <param name="Sequence">1, 2, 3 … within the boot. A batch is sent until the server says that it has it.</param>
/// <param name="Final">The boot's last one: the gateway stops in order, and nothing of it is untold.</param>
public sealed record EventBatch(string Gateway, string Boot, string Channel, long Sequence, ImmutableArray<RolloutEvents> Rollouts, bool Final = false)
{
    /// <summary>Most bad events of one batch; what is beyond waits for the next.</summary>
    public const int MaxEvents = 10_000;
}

/// <summary>What the server has of a gateway's batches.</summary>
/// <param name="Taken">The highest sequence of this boot that is stored; all up to it are. A batch beyond the next one is refused.</param>
public sealed record EventReceipt(string Gateway, string Boot, long Taken);

/// <summary>Events of one rollout.</summary>
/// <param name="Through">
/// Assignment order up to which every request is resolved, or past its deadline, and told in this batch or an earlier one. Events are
/// folded in this order, never in order of arrival.
/// </param>
/// <param name="Counts">
/// Of exactly the requests whose order is at most <paramref name="Through"/> and above that of the batch before: as with bad events, an answer that
/// comes fast must not count before a slow one that was asked for earlier. A bad request is counted in the batch that tells its event.
/// </param>
/// <param name="Lost">Requests whose outcome is not told, because a buffer was full: anything above 0 makes the evidence insufficient.</param>
/// <param name="Bad">In assignment order; those up to <paramref name="Through"/> and not told before.</param>
/// <param name="Shadow">Null unless the rollout is a shadow.</param>
public sealed record RolloutEvents(
    string Rollout, long Through, long Lost, ImmutableArray<ArmCounts> Counts, ImmutableArray<BadEvent> Bad, ShadowCounts? Shadow);

/// <summary>Requests by arm and weight revision.</summary>
/// <param name="Requests">All, good and bad.</param>
/// <param name="Latency">Answers by <see cref="LatencyBuckets"/>; requests without an answer count in the last one.</param>
public sealed record ArmCounts(long WeightRevision, Arm Arm, long Requests, ImmutableArray<long> Latency);

/// <param name="Order">
/// When it was assigned: microseconds on the gateway's own clock (UTC at its boot, carried on by a monotonic clock), made strictly
/// increasing within the boot.
/// </param>
/// <param name="User">First 16 hex digits of SHA-256 over salt and assignment key: never the key itself.</param>
public sealed record BadEvent(long Order, string User, Arm Arm, BadKind Kind, long WeightRevision);

/// <param name="Compared">Requests that both answered.</param>
/// <param name="Different">Of these: the answers differ by more than the tolerance.</param>
/// <param name="Failed">The candidate failed where the stable version answered.</param>
/// <param name="Skipped">Not copied, because the shadow was busy.</param>
/// <param name="LargestDifference">Largest absolute difference of any number; 0 when none differs.</param>
public sealed record ShadowCounts(long Compared, long Different, long Failed, long Skipped, double LargestDifference);

[JsonConverter(typeof(NamedEnum<Arm>))]
public enum Arm
{
    [JsonStringEnumMemberName("stable")] Stable,
    [JsonStringEnumMemberName("candidate")] Candidate,
}

/// <summary>How an answer can be bad. What the caller did wrong (4xx) and what was refused for load before the model was asked is none.</summary>
[JsonConverter(typeof(NamedEnum<BadKind>))]
public enum BadKind
{
    /// <summary>The model failed, or its process ended.</summary>
    [JsonStringEnumMemberName("error")] Error,

    /// <summary>No answer before the deadline.</summary>
    [JsonStringEnumMemberName("timeout")] Timeout,

    /// <summary>An answer, later than the budget.</summary>
    [JsonStringEnumMemberName("latency")] Latency,

    /// <summary>An answer that is not what the signature promises, such as NaN or a value out of range.</summary>
    [JsonStringEnumMemberName("invalid-output")] InvalidOutput,

    /// <summary>The whole gateway ended while this version was loaded or asked; told at its next start.</summary>
    [JsonStringEnumMemberName("crash")] Crash,
}

public static class BadKindWords
{
    /// <inheritdoc cref="NamedEnum{T}.Word"/>
    public static string Word(this BadKind kind) => NamedEnum<BadKind>.Word(kind);
}

/// <summary>Fixed bounds of latency histograms: ratio 2^(1/4) from 100 µs on, so a quantile is known to 19 %.</summary>
public static class LatencyBuckets
{
    /// <summary>64 bounded ones, up to 100 µs · 2^(63/4) ≈ 5.5 s, and one for all beyond.</summary>
    public const int Count = 65;

    /// <summary>Upper bounds in seconds, of all but the last.</summary>
    public static ImmutableArray<double> Bounds { get; } = [.. Enumerable.Range(0, Count - 1).Select(i => 1e-4 * Math.Pow(2, i / 4.0))];

    /// <param name="seconds">Not negative.</param>
    public static int IndexOf(double seconds) => seconds <= 1e-4 ? 0 : Math.Min(Count - 1, (int)Math.Ceiling(4 * Math.Log2(seconds / 1e-4) - 1e-9));
}
