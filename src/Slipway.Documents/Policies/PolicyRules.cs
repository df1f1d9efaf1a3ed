using System.Collections.Immutable;
using System.Globalization;
using Slipway.Documents.Reading;
using Slipway.Documents.Rollouts;
using Slipway.Primitives.Faults;

namespace Slipway.Documents.Policies;

/// <summary>What a policy must be, whoever wrote it.</summary>
public static class PolicyRules
{
    /// <summary>A policy that somebody sent.</summary>
    /// <returns>Empty when it is sound.</returns>
    public static ImmutableArray<Fault> Check(Policy policy)
    {
        if (policy.Models.Count > PolicyGrammar.MostModels)
            return [new Fault("bad-policy", $"the policy names {policy.Models.Count} models, allowed {PolicyGrammar.MostModels}")];
        var faults = ImmutableArray.CreateBuilder<Fault>();
        foreach (var (model, channels) in policy.Models)
        {
            if (channels is null)
                faults.Add(new Fault("bad-policy", $"{model}: null stands here, expected channels"));
            if (!PolicyGrammar.IsModel(model))
                faults.Add(new Fault("bad-policy", $"{Node.Quote(model)} is no model's name, allowed {NameRule.Identifier.Allowed}, or '{Policy.AllModels}'"));
            foreach (var (channel, said) in channels ?? ImmutableSortedDictionary<string, ChannelPolicy>.Empty)
            {
                if (said is null)
                {
                    faults.Add(new Fault("bad-policy", $"{model}, {channel}: null stands here, expected what is held to"));
                    continue;
                }

                if (ChannelName.Check(channel) is { } noChannel)
                    faults.Add(new Fault("bad-policy", $"{model}: {noChannel.Message}", Help: noChannel.Help));
                foreach (var broken in Check(said))
                    faults.Add(new Fault("bad-policy", $"{model}, {channel}: {broken.Message}", Help: broken.Help));
            }
        }

        return faults.ToImmutable();
    }

    internal static IEnumerable<BrokenRule> Check(ChannelPolicy policy)
    {
        if (policy.Approvals is { } approvals)
        {
            foreach (var broken in PlanRules.Approvals(approvals))
                yield return broken;
        }

        if (policy.Strategies is { } strategies && (strategies.IsDefaultOrEmpty || strategies.Any(strategy => !Enum.IsDefined(strategy))))
            yield return new("strategies", null, "strategies names none that is known, and so nothing could ever be released", "Leave it out to allow all.");
        if (policy.WidestFirstStep is { } widest and (< 1 or > Weight.All))
            yield return new("widest-first-step", null, $"widest-first-step is {widest}/10,000, allowed 1 to {Weight.All}");
        if (policy.ShortestAtLeast is { Value.Ticks: <= 0 } || policy.LongestAtMost is { Value.Ticks: <= 0 })
            yield return new("longest-at-most", null, "shortest-at-least and longest-at-most are allowed to be times above 0");
        if (policy is { ShortestAtLeast: { } shortest, LongestAtMost: { } longest } && shortest.Value > longest.Value)
            yield return new("longest-at-most", null, $"longest-at-most is {longest}, and shortest-at-least is {shortest}; no step could be both");
        if (policy.RequiredGates.IsDefault || policy.RequiredGates.Any(string.IsNullOrEmpty))
            yield return new("required-gates", null, "required-gates is allowed to be a list of names");
        foreach (var (key, largest, low, high) in new (string, double?, double, double)[]
        {
            ("largest-error-rate", policy.LargestErrorRate?.Value, Guard.LeastErrorRate, Guard.MostErrorRate),
            ("largest-false-alarm", policy.LargestFalseAlarm?.Value, JudgeSettings.LeastFalseAlarm, JudgeSettings.MostFalseAlarm),
            ("largest-tolerated-ratio", policy.LargestToleratedRatio, JudgeSettings.LeastToleratedRatio, JudgeSettings.MostToleratedRatio),
            ("largest-promote-margin", policy.LargestPromoteMargin, JudgeSettings.LeastPromoteMargin, JudgeSettings.MostPromoteMargin),
        })
        {
            if (largest is { } value && !(value >= low && value <= high))
                yield return new(key, null, string.Create(CultureInfo.InvariantCulture, $"{key} is {value}, allowed {low} to {high}"));
        }
    }
}
