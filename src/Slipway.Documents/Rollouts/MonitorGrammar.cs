using System.Collections.Immutable;
using Slipway.Documents.Reading;
using Slipway.Primitives.Units;

namespace Slipway.Documents.Rollouts;

/// <summary>The keys below <c>monitor:</c>. What is left out has the default of <see cref="MonitorPlan.Default"/>.</summary>
internal static class MonitorGrammar
{
    private static readonly Shape<string> Line = new TextShape(longest: MonitorRules.LongestName);
    private static readonly Shape<string> Channel = new ChoiceShape<string>([.. ReleasePlan.ChannelNames.Select(name => (name, name))]);
    private static readonly Shape<Condition> When = new MadeShape<string, Condition>(new TextShape(), (text, node) => new(text, ((ScalarNode)node).TextAt));
    private static readonly Shape<ImmutableArray<Input>> Inputs = new ListShape<Input>(new MadeShape<string, Input>(new TextShape(longest: 200), (name, node) => new(name, node.At)), distinct: true);

    private static readonly Key<string> IdKey = new("key", new ChoiceShape<string>(("id", "id")), "What a label names its prediction by: id, the request's.");
    private static readonly Key<Duration> Within = new("within", Amounts.Time, "How long after its prediction a label may come.", required: true);
    private static readonly Key<Ratio> Kept = new("sample", new ShareShape(0.0001, 1), "Share of the predictions that wait for a label; 100 % when left out.");
    private static readonly Shape<LabelRules> LabelsShape = new RecordShape<LabelRules>(
        [IdKey, Within, Kept], fields => new(fields.Value(Within) ?? MonitorRules.ShortestWithin, fields.Value(Kept) ?? new Ratio(1)));

    private static readonly Key<string> Name = new("name", Line, "What people call it.", required: true);
    private static readonly Key<Condition> WhenKey = new("when", When, "A condition over the window's figures, such as drift.max > 0.2 or error_rate > 0.01.", required: true);
    private static readonly Key<string> On = new("channel", Channel, "Where it is looked at; production when left out.");
    private static readonly Key<AlertSeverity> SeverityKey = new("severity", new ChoiceShape<AlertSeverity>(("warn", AlertSeverity.Warn), ("critical", AlertSeverity.Critical)), "How soon somebody should look; warn when left out.");
    private static readonly Key<Duration> For = new("for", Amounts.Time, "How long the condition must hold before it fires, and be false before it is resolved; at once when left out.");
    private static readonly Key<string> Remedy = new(
        "remedy", new TextShape("a path in the project, or an https address", MonitorRules.IsRemedy, longest: MonitorRules.LongestRemedy), "What to do when it fires.");
    private static readonly Shape<RuleDraft<AlertRule>> Alert = new RecordShape<RuleDraft<AlertRule>>(
        [Name, WhenKey, On, SeverityKey, For, Remedy],
        fields => new(
            new AlertRule(fields.Of(Name) ?? "", fields.Of(WhenKey)?.Text ?? "", fields.Of(On) ?? ReleasePlan.Production, fields.Value(SeverityKey) ?? AlertSeverity.Warn, fields.Value(For) ?? default, fields.Of(Remedy)),
            fields.Of(WhenKey),
            fields.At));

    private static readonly Key<string> Start = new("start", new TextShape(NameRule.Identifier.Allowed, NameRule.IsIdentifier, $"^{NameRule.Identifier.Pattern}$", "bad-name"), "Name of a trigger that the server's operator has set up.", required: true);
    private static readonly Key<Duration> CoolDown = new("cool-down", Amounts.Time, "After a start, none for as long; 24 h when left out.");
    private static readonly Key<long> AtMost = new("at-most", new WholeShape(1, MonitorRules.MostStarts), "Starts in 24 hours; 1 when left out.");
    private static readonly Shape<RuleDraft<RetrainRule>> Retrain = new RecordShape<RuleDraft<RetrainRule>>(
        [Name, WhenKey, On, Start, CoolDown, AtMost],
        fields => new(
            new RetrainRule(fields.Of(Name) ?? "", fields.Of(WhenKey)?.Text ?? "", fields.Of(On) ?? ReleasePlan.Production, fields.Of(Start) ?? "", fields.Value(CoolDown) ?? new Duration(TimeSpan.FromDays(1)), (int)(fields.Value(AtMost) ?? 1)),
            fields.Of(WhenKey),
            fields.At));

    private static readonly Key<Ratio> Share = new("share", new ShareShape(0.0001, 1), "Share of the requests that are captured.", required: true);
    private static readonly Key<ImmutableArray<Input>> Drop = new("drop", Inputs, "Inputs that are left out; such a request cannot be asked again.");
    private static readonly Key<ImmutableArray<Input>> Mask = new("mask", Inputs, "Inputs whose values are replaced; the answer is then not compared with the captured one.");
    private static readonly Key<Duration> Keep = new("keep", Amounts.Time, "How long they are kept; 7 days when left out.");
    private static readonly Shape<CaptureDraft> CaptureShape = new RecordShape<CaptureDraft>(
        [Share, Drop, Mask, Keep],
        fields => new(
            new CaptureRules(
                fields.Value(Share) ?? new Ratio(1), [.. fields.Items(Drop).Select(input => input.Name)], [.. fields.Items(Mask).Select(input => input.Name)], fields.Value(Keep) ?? new Duration(TimeSpan.FromDays(7))),
            [.. fields.Items(Drop), .. fields.Items(Mask)]));

    private static readonly Key<Duration> Window = new("window", Amounts.Time, "What conditions look back over, and drift is judged on; 1 h when left out.");
    private static readonly Key<Ratio> Sample = new("sample", Amounts.Share, "Share of the requests whose inputs and outputs are profiled; all are counted. 10 % when left out.");
    private static readonly Key<LabelRules> Labels = new("labels", LabelsShape, "Outcomes that are told later; without it nothing of single predictions is kept.");
    private static readonly Key<double> DriftLimit = new("drift-limit", new NumberShape(0.001, MonitorPlan.LargestDriftLimit), "The distance (PSI) up to which a feature has not drifted; 0.2 when left out.");
    private static readonly Key<ImmutableArray<RuleDraft<AlertRule>>> Alerts = new("alerts", new ListShape<RuleDraft<AlertRule>>(Alert, atMost: MonitorPlan.MostRules), "When somebody is told.");
    private static readonly Key<CaptureDraft> Capture = new("capture", CaptureShape, "Requests and answers to keep, encrypted for a key from outside; none when left out.");
    private static readonly Key<ImmutableArray<RuleDraft<RetrainRule>>> RetrainKey = new("retrain", new ListShape<RuleDraft<RetrainRule>>(Retrain, atMost: MonitorPlan.MostRules), "When training is started anew.");
    private static readonly ImmutableArray<Key> Keys = [Window, Sample, Labels, DriftLimit, Alerts, Capture, RetrainKey];

    public static Shape<Sound<MonitorDraft>> Monitor { get; } = new SoundShape<MonitorDraft>(new RecordShape<MonitorDraft>(Keys, fields => new(
        new MonitorPlan(
            fields.Value(Window) ?? MonitorPlan.Default.Window,
            fields.Value(Sample) ?? MonitorPlan.Default.Sample,
            fields.Of(Labels),
            fields.Value(DriftLimit) ?? MonitorPlan.DefaultDriftLimit,
            [.. fields.Items(Alerts).Select(alert => alert.Rule)],
            fields.Of(Capture)?.Rules,
            [.. fields.Items(RetrainKey).Select(rule => rule.Rule)]),
        [.. fields.Items(Alerts).Select(alert => alert.Place)],
        [.. fields.Items(RetrainKey).Select(rule => rule.Place)],
        fields.Of(Capture)?.Inputs ?? [],
        KeyPlaces.Of(fields, Keys))));
}

/// <summary><c>monitor:</c> as written.</summary>
/// <param name="Inputs">Those that capture names.</param>
internal sealed record MonitorDraft(MonitorPlan Plan, ImmutableArray<RulePlace> Alerts, ImmutableArray<RulePlace> Retrain, ImmutableArray<Input> Inputs, KeyPlaces Places)
{
    /// <summary>Tells what does not fit together, each at its place.</summary>
    public void Check(FaultList faults)
    {
        foreach (var broken in MonitorRules.Check(Plan))
        {
            var rules = broken.Key == "alerts" ? Alerts : Retrain;
            faults.Add(broken.Step is { } index && index < rules.Length ? rules[index].At : Places.Of(broken.Key), "bad-value", broken.Message, broken.Help);
        }
    }
}

internal sealed record RuleDraft<TRule>(TRule Rule, Condition? When, Place At)
{
    public RulePlace Place => new(When, At);
}

/// <param name="When">Null where it is missing.</param>
internal sealed record RulePlace(Condition? When, Place At);

/// <param name="At">Where its first character stands.</param>
internal sealed record Condition(string Text, Place At);

internal sealed record Input(string Name, Place At);

internal sealed record CaptureDraft(CaptureRules Rules, ImmutableArray<Input> Inputs);
