using Slipway.Expressions;
using Slipway.Expressions.Conditions;
using Slipway.Primitives.Units;

namespace Slipway.Documents.Rollouts;

/// <summary>What a plan's <c>monitor</c> must be, whoever wrote it. Conditions are checked where the figures that they may read are known.</summary>
internal static class MonitorRules
{
    public const int LongestName = 100, LongestRemedy = 500, MostStarts = 24;

    public static Duration ShortestKeep { get; } = new(TimeSpan.FromMinutes(1));

    public static Duration LongestKeep { get; } = new(TimeSpan.FromDays(90));

    public static Duration ShortestWithin { get; } = new(TimeSpan.FromSeconds(1));

    public static Duration ShortestCoolDown { get; } = new(TimeSpan.FromSeconds(1));

    /// <returns>Broken rules; of an alert or a retraining rule with its index and the key <c>alerts</c> or <c>retrain</c>.</returns>
    public static IEnumerable<BrokenRule> Check(MonitorPlan plan)
    {
        if (plan.Window.Value < MonitorPlan.ShortestWindow.Value || plan.Window.Value > MonitorPlan.LongestWindow.Value)
            yield return new("window", null, $"window is {plan.Window}, allowed {MonitorPlan.ShortestWindow} to {MonitorPlan.LongestWindow}");
        if (plan.Sample.Value is not (>= 0 and <= 1))
            yield return new("sample", null, $"sample is {plan.Sample}, allowed 0 % to 100 %");
        if (plan.DriftLimit is not (> 0 and <= MonitorPlan.LargestDriftLimit))
            yield return new("drift-limit", null, $"drift-limit is {plan.DriftLimit}, allowed more than 0 to {MonitorPlan.LargestDriftLimit}");
        if (plan.Labels is { } labels && (labels.Within.Value < ShortestWithin.Value || labels.Within.Value > LabelRules.LongestWithin.Value || labels.Sample.Value is not (> 0 and <= 1)))
            yield return new("labels", null, $"labels come within {labels.Within} of {labels.Sample} of the predictions, allowed {ShortestWithin} to {LabelRules.LongestWithin} of more than 0 % to 100 %");
        foreach (var broken in Capture(plan.Capture))
            yield return broken;
        foreach (var broken in Rules(plan))
            yield return broken;
    }

    /// <summary>Conditions that cannot be read, or that need labels where none are asked for; whether the model has the features and metrics that they name is not known here.</summary>
    public static IEnumerable<BrokenRule> Conditions(MonitorPlan plan)
    {
        foreach (var (key, index, name, when) in plan.Alerts.IsDefault || plan.Retrain.IsDefault ? [] : plan.Alerts.Select((rule, i) => ("alerts", i, rule.Name, rule.When)).Concat(plan.Retrain.Select((rule, i) => ("retrain", i, rule.Name, rule.When))))
        {
            if (!AlertCondition.TryParse(when, AlertVocabulary.Any with { HasLabels = plan.Labels is not null }, out _, out var faults))
                yield return new(key, index, $"the condition of '{name}': {faults[0].Message}", faults[0].Help);
        }
    }

    private static IEnumerable<BrokenRule> Capture(CaptureRules? capture)
    {
        if (capture is null)
            yield break;
        if (capture.Share.Value is not (> 0 and <= 1))
            yield return new("capture", null, $"capture takes {capture.Share} of the requests, allowed more than 0 % to 100 %", "Leave capture out to capture nothing.");
        if (capture.Keep.Value < ShortestKeep.Value || capture.Keep.Value > LongestKeep.Value)
            yield return new("capture", null, $"captured requests are kept {capture.Keep}, allowed {ShortestKeep} to {LongestKeep}");
        if (capture.Drop.IsDefault || capture.Mask.IsDefault)
            yield return new("capture", null, "drop and mask are lists of inputs, and one of them is missing");
        else if (capture.Drop.Intersect(capture.Mask, StringComparer.Ordinal).FirstOrDefault() is { } both)
            yield return new("capture", null, $"the input '{both}' is both dropped and masked, allowed one of the two");
    }

    private static IEnumerable<BrokenRule> Rules(MonitorPlan plan)
    {
        if (plan.Alerts.IsDefault || plan.Alerts.Length > MonitorPlan.MostRules || plan.Alerts.Any(rule => rule is null))
        {
            yield return new("alerts", null, $"there are {(plan.Alerts.IsDefault ? 0 : plan.Alerts.Length)} alerts, allowed 0 to {MonitorPlan.MostRules}");
            yield break;
        }

        if (plan.Retrain.IsDefault || plan.Retrain.Length > MonitorPlan.MostRules || plan.Retrain.Any(rule => rule is null))
        {
            yield return new("retrain", null, $"there are {(plan.Retrain.IsDefault ? 0 : plan.Retrain.Length)} retraining rules, allowed 0 to {MonitorPlan.MostRules}");
            yield break;
        }

        var names = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < plan.Alerts.Length; i++)
        {
            var rule = plan.Alerts[i];
            if (Name("alerts", i, rule.Name, rule.Channel, names) is { } broken)
                yield return broken;
            if (!Enum.IsDefined(rule.Severity))
                yield return new("alerts", i, $"the severity of '{rule.Name}' is {rule.Severity}, allowed warn and critical");
            if (rule.Remedy is { } remedy && !IsRemedy(remedy))
                yield return new("alerts", i, $"the remedy of '{rule.Name}' is no path in the project and no https address of at most {LongestRemedy} characters");
            if (rule.For.Value > MonitorPlan.LongestWindow.Value || rule.For.Value < TimeSpan.Zero)
                yield return new("alerts", i, $"'{rule.Name}' fires after {rule.For}, allowed at most {MonitorPlan.LongestWindow}");
        }

        names.Clear();
        for (var i = 0; i < plan.Retrain.Length; i++)
        {
            var rule = plan.Retrain[i];
            if (Name("retrain", i, rule.Name, rule.Channel, names) is { } broken)
                yield return broken;
            if (!NameOfTrigger(rule.Start))
                yield return new("retrain", i, $"'{rule.Name}' starts a trigger whose name has other characters than lower-case letters, digits, - and _");
            if (rule.CoolDown.Value < ShortestCoolDown.Value || rule.CoolDown.Value > MonitorPlan.LongestWindow.Value || rule.AtMost is < 1 or > MostStarts)
                yield return new("retrain", i, $"'{rule.Name}' cools down for {rule.CoolDown} and starts {rule.AtMost} times a day at most, allowed {ShortestCoolDown} to {MonitorPlan.LongestWindow} and 1 to {MostStarts}");
        }
    }

    /// <summary>An https address, or a path that stays in the project: pages show it as a link, and nothing else may be behind one.</summary>
    internal static bool IsRemedy(string text) =>
        text.Length is > 0 and <= LongestRemedy && !text.Any(char.IsControl)
        && (text.StartsWith("https://", StringComparison.Ordinal) && Uri.TryCreate(text, UriKind.Absolute, out var address) && address.UserInfo.Length == 0
            || !text.Contains(':') && !text.StartsWith('/') && !text.Split('/').Contains(".."));

    internal static bool NameOfTrigger(string text) => Reading.NameRule.IsIdentifier(text);

    private static BrokenRule? Name(string key, int index, string name, string channel, HashSet<string> names) =>
        name.Length is 0 or > LongestName || name.Any(char.IsControl) ? new(key, index, $"a rule's name has {name.Length} characters, allowed are 1 to {LongestName} without control characters")
        : !names.Add(name) ? new(key, index, $"two rules of {key} are called '{name}'", "Give each a name of its own.")
        : !ReleasePlan.ChannelNames.Contains(channel) ? new(key, index, $"'{name}' is about the channel '{channel}', allowed {string.Join(" and ", ReleasePlan.ChannelNames)}")
        : null;
}
