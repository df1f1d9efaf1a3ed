using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Nodes;
using Slipway.Documents.Reading;
using Slipway.Primitives.Units;

namespace Slipway.Documents.Rollouts;

/// <summary>The keys below <c>release:</c>. What is left out has the default of <see cref="ReleasePlan.Default"/>.</summary>
internal static class ReleaseGrammar
{
    public static Shape<int> WeightShape { get; } = new TrafficShareShape();

    public static Shape<Strategy> StrategyShape { get; } =
        new ChoiceShape<Strategy>([.. Enum.GetValues<Strategy>().Select(strategy => (strategy.Word(), strategy))]) { NotOfferedYet = ["flag"] };

    private static readonly Key<int> Share = new("weight", WeightShape, "The candidate's share of the traffic, in steps of 0.01 %.", required: true);
    private static readonly Key<Duration> AtLeast = new("at-least", Amounts.Time, "The step is not left before; when left out, as soon as the evidence suffices.");
    private static readonly Key<Duration> AtMost = new("at-most", Amounts.Time, "After that a step without enough evidence ends as judge.on-insufficient says; when left out, it waits.");
    private static readonly Key<int> HoldBack = new("hold-back", WeightShape, "Of the last step: the share that stays with the version before, as a control.");
    private static readonly Key<Duration> For = new("for", Amounts.Time, "How long the control is held back.");
    private static readonly ImmutableArray<Key> StepKeys = [Share, AtLeast, AtMost, HoldBack, For];

    private static readonly Shape<StepDraft> Step = new RecordShape<StepDraft>(StepKeys, fields => new(
        new RolloutStep(fields.Value(Share) ?? 0, fields.Value(AtLeast) ?? default, fields.Value(AtMost), fields.Value(HoldBack) ?? 0, fields.Value(For)),
        KeyPlaces.Of(fields, StepKeys)));

    private static readonly ImmutableArray<Key<Duration>> Quantiles = [.. LatencyGuard.Quantiles.Select(quantile => new Key<Duration>(quantile.Name, Amounts.Time, $"At most {new Ratio(1 - quantile.Quantile)} of the answers may take longer."))];

    private static readonly Key<Ratio> ErrorRate = new("error-rate", new ShareShape(Guard.LeastErrorRate, Guard.MostErrorRate), "Largest share of bad answers, whatever the version before does.");
    private static readonly Key<LatencyDraft> Latency = new(
        "latency", new RecordShape<LatencyDraft>([.. Quantiles], fields => LatencyDraft.Of(fields, Quantiles)), "The latency budget: one quantile and its limit, such as { p99: 50 ms }.");
    private static readonly Shape<GuardDraft> GuardShape = new RecordShape<GuardDraft>([ErrorRate, Latency], fields => new(fields.Value(ErrorRate), fields.Of(Latency)));

    private static readonly Key<Ratio> FalseAlarm = new("false-alarm", new ShareShape(JudgeSettings.LeastFalseAlarm, JudgeSettings.MostFalseAlarm), "Largest probability of a wrong verdict, over the whole rollout; 1 % when left out.");
    private static readonly Key<double> ToleratedRatio = new("tolerated-ratio", new NumberShape(JudgeSettings.LeastToleratedRatio, JudgeSettings.MostToleratedRatio), "Rate of bad answers over that of the version before that is still no harm; 1 when left out.");
    private static readonly Key<double> PromoteMargin = new("promote-margin", new NumberShape(JudgeSettings.LeastPromoteMargin, JudgeSettings.MostPromoteMargin), "Promoted when that ratio is shown to be below 1 + this; 0.5 when left out.");
    private static readonly Key<OnInsufficient> OnInsufficientKey = new("on-insufficient", new ChoiceShape<OnInsufficient>(("hold", OnInsufficient.Hold), ("rollback", OnInsufficient.Rollback)), "What a step without enough evidence does at its at-most; hold when left out.");
    private static readonly Shape<JudgeSettings> JudgeShape = new RecordShape<JudgeSettings>(
        [FalseAlarm, ToleratedRatio, PromoteMargin, OnInsufficientKey],
        fields => new(
            fields.Value(FalseAlarm) ?? JudgeSettings.Default.FalseAlarm,
            fields.Value(ToleratedRatio) ?? JudgeSettings.Default.ToleratedRatio,
            fields.Value(PromoteMargin) ?? JudgeSettings.Default.PromoteMargin,
            fields.Value(OnInsufficientKey) ?? JudgeSettings.Default.OnInsufficient));

    private static readonly Key<string> Group = new("group", new TextShape("text: the name of a group, or '*' for all approvers", text => text.Length <= ApprovalRule.LongestGroup && text.Trim() == text, @"^\S(.{0,198}\S)?$"), "Whose people, or '*' for all approvers.", required: true);
    private static readonly Key<int> Count = new("count", new MadeShape<long, int>(new WholeShape(1, ApprovalRule.MostPeople), (number, _) => (int)number), "How many different people; 1 when left out.");

    public static Shape<ImmutableArray<ApprovalRule>> ApprovalRules { get; } = new ListShape<ApprovalRule>(
        new RecordShape<ApprovalRule>([Group, Count], fields => new(fields.Of(Group) ?? "", fields.Value(Count) ?? 1)), atMost: ApprovalRule.MostPeople);

    private static readonly Key<Strategy> StrategyKey = new("strategy", StrategyShape, "How the version gets its traffic.", required: true);
    private static readonly Key<ImmutableArray<StepDraft>> Steps = new("steps", new ListShape<StepDraft>(Step, atLeast: 1, atMost: RolloutStep.MostSteps), "Of a canary, the last one 100 %; 1, 10, 50 and 100 % when left out.");
    private static readonly Key<string> AssignedBy = new("key", new TextShape("request-id, header:NAME or body:FIELD", PlanRules.IsKey, PlanRules.KeyPattern), "What a caller is assigned by, always to the same version; request-id when left out.");
    private static readonly Key<GuardDraft> GuardKey = new("guard", GuardShape, "Bounds that hold whatever the version before does.");
    private static readonly Key<JudgeSettings> Judge = new("judge", JudgeShape, "When evidence suffices.");
    private static readonly Key<ImmutableArray<ApprovalRule>> Approvals = new("approvals", ApprovalRules, "Who must approve, beyond those that the server's policy wants.");
    private static readonly Key<string> OnHarm = new("on-harm", new ChoiceShape<string>(("rollback", "rollback")), "What proven harm does: rollback.");
    private static readonly Key<Duration> KeepWarm = new("keep-warm", Amounts.Time, "How long the version before stays loaded after a release; 1 h when left out.");
    private static readonly ImmutableArray<Key> ChannelKeys = [StrategyKey, Steps, AssignedBy, GuardKey, Judge, Approvals, OnHarm, KeepWarm];

    private static readonly Shape<ChannelDraft> Channel = new RecordShape<ChannelDraft>(ChannelKeys, fields =>
    {
        var strategy = fields.Value(StrategyKey) ?? Strategy.BlueGreen;
        var steps = fields.Items(Steps);
        return new ChannelDraft(
            new ChannelPlan(
                strategy,
                fields.Has(Steps) ? [.. steps.Select(step => step.Step)] : strategy == Strategy.Canary ? ChannelPlan.Canary.Steps : [],
                fields.Of(AssignedBy) ?? ChannelPlan.RequestId,
                new Guard(fields.Of(GuardKey)?.ErrorRate, fields.Of(GuardKey)?.Latency?.Guard),
                fields.Of(Judge) ?? JudgeSettings.Default,
                fields.Items(Approvals),
                fields.Value(KeepWarm) ?? ChannelPlan.DefaultKeepWarm),
            [.. steps.Select(step => step.Places)],
            fields.Of(GuardKey)?.Latency,
            KeyPlaces.Of(fields, ChannelKeys));
    });

    private static readonly Key<Sound<ChannelDraft>> Staging = new(ReleasePlan.Staging, new SoundShape<ChannelDraft>(Channel), "How a version comes to staging; blue-green when left out.");
    private static readonly Key<Sound<ChannelDraft>> Production = new(ReleasePlan.Production, new SoundShape<ChannelDraft>(Channel), "How a version comes to production; a canary when left out.");

    public static Shape<ReleaseDraft> Release { get; } = new RecordShape<ReleaseDraft>([Staging, Production], fields => new(fields.Of(Staging), fields.Of(Production)));

    /// <summary>A share in whole 1/10,000.</summary>
    private sealed class TrafficShareShape : Shape<int>
    {
        private static readonly ShareShape Any = new(0.0001, 1);

        public override string Allowed => Any.Allowed;

        public override JsonObject Schema() => Any.Schema();

        protected override bool Read(Node node, Label label, FaultList faults, [MaybeNullWhen(false)] out int value)
        {
            value = 0;
            if (!Any.TryRead(node, label, faults, out var share))
                return false;
            var parts = share.Value * Weight.All;
            value = (int)Math.Round(parts);
            if (Math.Abs(parts - value) < 1e-6)
                return true;
            faults.Add(node.At, "bad-value", $"{label.Text} is {node.Found}, allowed a share in steps of {Weight.Text(1)}");
            return false;
        }
    }
}
