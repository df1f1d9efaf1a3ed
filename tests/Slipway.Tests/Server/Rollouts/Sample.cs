using System.Collections.Immutable;
using Slipway.Documents.Rollouts;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Units;

namespace Slipway.Tests.Server.Rollouts;

/// <summary>Plans, states and judgements to try things on.</summary>
internal static class Sample
{
    public const string Model = "flight-delay", Channel = "production";

    public static VersionRef Version(int number) => new(number, Digest.Of(System.Text.Encoding.UTF8.GetBytes($"bundle {number}")));

    public static Duration Seconds(double seconds) => new(TimeSpan.FromSeconds(seconds));

    /// <summary>1 % for at least 3 s and at most 60 s, 50 % for at least 3 s, then all.</summary>
    public static ChannelPlan Canary { get; } = Plan(
        Strategy.Canary,
        new RolloutStep(100, Seconds(3), Seconds(60), 0, null),
        new RolloutStep(5_000, Seconds(3), null, 0, null),
        new RolloutStep(Weight.All, Seconds(1), null, 0, null));

    public static ChannelPlan BlueGreen { get; } = Plan(Strategy.BlueGreen);

    public static ChannelPlan Shadow { get; } = Plan(Strategy.Shadow);

    public static ChannelPlan Plan(Strategy strategy, params RolloutStep[] steps) =>
        new(strategy, [.. steps], ChannelPlan.RequestId, new(null, null), JudgeSettings.Default, [], Seconds(3600));

    public static RolloutState State(ChannelPlan plan, VersionRef? stable, RolloutKind kind = RolloutKind.Release) => new(
        "r1", Model, Channel, kind, Version(2), stable, plan, Digest.Of([]), RolloutPhase.Preparing, null, 0, 0, [new(1, 0, 0)], new string('0', 32),
        0, null, null, null, "user:1", "Olga", "a better model", []);

    public static JudgeReport Report(RolloutState s, JudgeVerdict verdict, long candidateRequests = 1_000, int? step = null) => new(
        s.Id, 0, step ?? s.Step, s.Plan.Strategy, s.Plan.Judge, s.Plan.Guard,
        new([new(s.WeightRevision, s.Weight, Arm(candidateRequests), Arm(10_000), [])], 0, 1, s.Plan.Strategy == Strategy.Shadow ? new(candidateRequests, 0, 0, 0, 0) : null),
        verdict, new("harm", 0, 4.6, ""), [], [], [], $"it is {verdict}", []);

    private static ArmEvidence Arm(long requests) => new(requests, 0, 0, []);
}
