using System.Collections.Immutable;
using Slipway.Documents.Reading;
using Slipway.Documents.Rollouts;
using Slipway.Documents.Runs;
using Slipway.Primitives.Units;

namespace Slipway.Documents.Policies;

/// <summary>The keys of a policy file.</summary>
internal static class PolicyGrammar
{
    /// <summary>Names in one policy; bounds what a look-up walks.</summary>
    public const int MostModels = 1000;

    private const int MostGates = 100;

    private static readonly NameRule ModelNames = new(
        $@"(\*|{NameRule.Identifier.Pattern})", $"'{Policy.AllModels}' for all models, or a model's name: {NameRule.Identifier.Allowed}", IsModel, IgnoresOwn: true);

    private static readonly Key<ImmutableArray<ApprovalRule>> Approvals = new("approvals", ReleaseGrammar.ApprovalRules, "Who must approve, at least. When left out: one person for production, nobody for staging; [] is nobody.");
    private static readonly Key<ImmutableArray<Strategy>> Strategies = new("strategies", new ListShape<Strategy>(ReleaseGrammar.StrategyShape, atLeast: 1, distinct: true), "The strategies that are allowed; all when left out.");
    private static readonly Key<int> WidestFirstStep = new("widest-first-step", ReleaseGrammar.WeightShape, "Largest share of the traffic that a version may get first.");
    private static readonly Key<Duration> ShortestAtLeast = new("shortest-at-least", Amounts.Time, "A canary's steps, but the last, take at least that long.");
    private static readonly Key<Duration> LongestAtMost = new("longest-at-most", Amounts.Time, "A canary's steps, but the last, end after that at the latest.");
    private static readonly Key<ImmutableArray<string>> RequiredGates = new("required-gates", new ListShape<string>(new TextShape(longest: 200), atMost: MostGates, distinct: true), "Names of gates that every bundle must declare, and pass.");

    private static readonly Key<Ratio> LargestErrorRate = new("largest-error-rate", new ShareShape(Guard.LeastErrorRate, Guard.MostErrorRate), "The guard's error-rate is at most that; one is set where the plan has none.");
    private static readonly Key<Ratio> LargestFalseAlarm = new("largest-false-alarm", new ShareShape(JudgeSettings.LeastFalseAlarm, JudgeSettings.MostFalseAlarm), "The judge's false-alarm is at most that.");
    private static readonly Key<double> LargestToleratedRatio = new("largest-tolerated-ratio", new NumberShape(JudgeSettings.LeastToleratedRatio, JudgeSettings.MostToleratedRatio), "The judge's tolerated-ratio is at most that.");
    private static readonly Key<double> LargestPromoteMargin = new("largest-promote-margin", new NumberShape(JudgeSettings.LeastPromoteMargin, JudgeSettings.MostPromoteMargin), "The judge's promote-margin is at most that.");

    private static readonly Key<Isolation> LeastIsolation = new(
        "least-isolation", new ChoiceShape<Isolation>([.. Enum.GetValues<Isolation>().Select(isolation => (isolation.Word(), isolation))]), "Weakest isolation that the bundle's stages may have run in; any when left out.");

    private static readonly Shape<ChannelPolicyDraft> Channel = new RecordShape<ChannelPolicyDraft>(
        [Approvals, Strategies, WidestFirstStep, ShortestAtLeast, LongestAtMost, RequiredGates, LargestErrorRate, LargestFalseAlarm, LargestToleratedRatio, LargestPromoteMargin, LeastIsolation],
        fields => new(
            new ChannelPolicy(
                fields.Value(Approvals), fields.Value(Strategies), fields.Value(WidestFirstStep), fields.Value(ShortestAtLeast), fields.Value(LongestAtMost), fields.Items(RequiredGates))
            {
                LargestErrorRate = fields.Value(LargestErrorRate),
                LargestFalseAlarm = fields.Value(LargestFalseAlarm),
                LargestToleratedRatio = fields.Value(LargestToleratedRatio),
                LargestPromoteMargin = fields.Value(LargestPromoteMargin),
                LeastIsolation = fields.Value(LeastIsolation),
            },
            fields.At));

    private static readonly Key<Sound<ChannelPolicyDraft>> Staging = new(ReleasePlan.Staging, new SoundShape<ChannelPolicyDraft>(Channel), "What a release to staging is held to.");
    private static readonly Key<Sound<ChannelPolicyDraft>> Production = new(ReleasePlan.Production, new SoundShape<ChannelPolicyDraft>(Channel), "What a release to production is held to.");

    private static readonly Shape<ModelPolicyDraft> Model = new RecordShape<ModelPolicyDraft>([Staging, Production], fields => new(fields.Of(Staging), fields.Of(Production)));

    private static readonly Key<long> Version = new("slipway-policy", new WholeShape(1, 1), "Format version: 1.", required: true);
    private static readonly Key<ImmutableArray<Named<ModelPolicyDraft>>> Models = new("models", new NamedShape<ModelPolicyDraft>(Model, ModelNames, atMost: MostModels), "By model, or '*' for all models; both hold together.", required: true);

    public static Shape<ImmutableArray<Named<ModelPolicyDraft>>> File { get; } = new RecordShape<ImmutableArray<Named<ModelPolicyDraft>>>([Version, Models], fields => fields.Items(Models));

    public static bool IsModel(string text) => text == Policy.AllModels || NameRule.IsIdentifier(text);
}

internal sealed record ModelPolicyDraft(Sound<ChannelPolicyDraft>? Staging, Sound<ChannelPolicyDraft>? Production);

internal sealed record ChannelPolicyDraft(ChannelPolicy Policy, Place At);
