using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Slipway.Documents.Rollouts;
using Slipway.Primitives.Faults;
using Slipway.Primitives.Units;
using Slipway.Server.Rollouts;
using Slipway.Stats.Sequential;

namespace Slipway.Cli.Verbs;

/// <summary><c>slipway release plan</c>: what the spec's release plan could find, and when.</summary>
internal static class ReleasePlanVerb
{
    public static Command BuildPlan(GlobalOptions global)
    {
        var traffic = new Option<string>("--traffic") { Description = "Requests that the channel gets, such as 100/s or 30/min", HelpName = "RATE", DefaultValueFactory = _ => "100/s" };
        var errors = new Option<string>("--baseline-errors") { Description = "Share of bad answers that a healthy version gives", HelpName = "SHARE", DefaultValueFactory = _ => "1 %" };
        var late = new Option<string?>("--baseline-late") { Description = "Share of its answers that are later than the latency guard's limit; default: half of what the guard allows", HelpName = "SHARE" };
        var channel = new Option<string>("--channel") { Description = "staging or production", HelpName = "NAME", DefaultValueFactory = _ => "production" };
        channel.AcceptOnlyFromAmong([.. ReleasePlan.ChannelNames]);
        var verb = new Command("plan", "Says per step of the spec's release plan which harm could be found at a given traffic, and when, and how long an equal version takes.\nExample: slipway release plan --traffic 20/s --baseline-errors 0.5%") { traffic, errors, late, channel };
        verb.SetAction(parsed => Tell(global.Shell(parsed), parsed.GetRequiredValue(traffic), parsed.GetRequiredValue(errors), parsed.GetValue(late), parsed.GetRequiredValue(channel)));
        return verb;
    }

    private static int Tell(Shell shell, string trafficText, string errorsText, string? lateText, string channel)
    {
        var isRate = RequestRate.TryParse(trafficText, out var traffic) && traffic.PerSecond is >= 1e-6 and <= 1e9;
        var isShare = Ratio.TryParse(errorsText, out var errors);
        var late = default(Ratio);
        var isLateShare = lateText is null || Ratio.TryParse(lateText, out late);
        if (!isRate || !isShare || !isLateShare)
            throw new SlipwayException(ExitCode.UnusableInput, [.. Wrong(isRate, "--traffic", trafficText, RequestRate.Allowed), .. Wrong(isShare, "--baseline-errors", errorsText, Ratio.Allowed), .. Wrong(isLateShare, "--baseline-late", lateText, Ratio.Allowed)]);
        var spec = shell.LoadSpec();
        if (spec.Release?.Channels.GetValueOrDefault(channel) is not { } plan)
            throw new SlipwayException(ExitCode.UnusableInput, new Fault("no-release-plan", $"the spec has no release plan for {channel}", shell.SpecFile, Help: $"write release: {{ {channel}: {{ strategy: canary, … }} }}"));

        var healthy = new Healthy(errors, plan is { Guard.Latency: not null, Strategy: not Strategy.Shadow } ? lateText is null ? new Ratio(PlanForecast.LateShare(plan.Guard)) : late : null, lateText is null);
        var forecast = PlanForecast.Of(plan, traffic.PerSecond, errors.Value, healthy.Late?.Value);
        if (shell.Json)
            shell.WriteJson(Json(plan, channel, traffic, healthy, forecast));
        else
            Show(shell, plan, channel, traffic, healthy, forecast);
        return (int)ExitCode.Done;
    }

    private static IEnumerable<Fault> Wrong(bool isRight, string option, string? text, string allowed) =>
        isRight ? [] : [new Fault("bad-argument", $"{option} is '{text}', allowed is {allowed}")];

    private static void Show(Shell shell, ChannelPlan plan, string channel, RequestRate traffic, Healthy healthy, IReadOnlyList<StepForecast> forecast)
    {
        shell.Out.WriteLine($"{channel} at {traffic} with {healthy.Errors} bad answers of a healthy version; false alarms at most {plan.Judge.FalseAlarm}");
        if (healthy.Late is { } late)
            shell.Out.WriteLine($"of its answers {late} {(healthy.IsAssumed ? "are assumed to be" : "are")} later than {plan.Guard.Latency!.Limit}{(healthy.IsAssumed ? ", half of what the guard allows (--baseline-late says otherwise)" : "")}");
        shell.Out.WriteLine($"median time, its 95 % interval over {PlanForecast.Runs} runs, and where nine of ten runs are done");
        for (var i = 0; i < forecast.Count; i++)
        {
            shell.Out.WriteLine();
            shell.Out.WriteLine(Heading(plan, forecast[i], i));
            if (forecast[i] is { NoWorse: null, Step.AtLeast: 0 })
            {
                shell.Out.WriteLine("  harm is not found here: nothing that could show it has the time");
                continue;
            }

            for (var j = 0; j < forecast[i].Harm.Length; j++)
                shell.Out.WriteLine($"  {Times(j)} × the errors  {Text(forecast[i].Harm[j], forecast[i], "found")}");
            for (var j = 0; j < forecast[i].LateHarm.Length; j++)
                shell.Out.WriteLine($"  {Times(j)} × as many late {Text(forecast[i].LateHarm[j], forecast[i], "found")}");
            shell.Out.WriteLine($"  an equal one    {(forecast[i].NoWorse is { } time ? Text(time, forecast[i], plan.Strategy == Strategy.Shadow ? "shown no worse" : "goes on") : "goes on after its time, unless a guard speaks: nothing is beside it to compare with")}");
        }

        shell.Out.WriteLine();
        shell.Out.WriteLine("Bad answers are taken to be of one kind and to come independently of each other; bursts, and users who fail again and again, make every time longer.");
        if (plan.Guard is { ErrorRate: { } bound } && healthy.Errors.CompareTo(bound) >= 0)
            shell.Warn($"a healthy version's {healthy.Errors} is not below the guard's {bound}, so the guard will roll it back");
        if (plan.Guard is { Latency: { } budget } && healthy.Late?.Value >= 1 - budget.Quantile)
            shell.Warn($"a healthy version's {healthy.Late} late answers are not below the {new Ratio(1 - budget.Quantile)} that the latency guard allows, so it will roll it back");
    }

    private static string Times(int index) => PlanForecast.Ratios[index].ToString(CultureInfo.InvariantCulture).PadLeft(3);

    private static string Heading(ChannelPlan plan, StepForecast forecast, int index) => (plan.Strategy, forecast.Step.AtLeast) switch
    {
        (Strategy.Shadow, var least) => $"shadow: a copy of every request that is answered, and nobody sees its answers; held to the error rate for at least {Amounts.Seconds(least)}",
        (Strategy.BlueGreen, 0) => "one switch to 100 %, over at once: the plan has no guard to watch it by",
        (Strategy.BlueGreen, var watch) => $"one switch to 100 %, watched by the guards for {Amounts.Seconds(watch)}, and then over",
        (_, var least) => $"step {index + 1}: {Weight.Text(WeightOf(plan, forecast))}, {(forecast.NoWorse is not null ? least == 0 ? "as long as the evidence takes" : $"at least {Amounts.Seconds(least)}" : least == 0 ? "over at once" : $"over after {Amounts.Seconds(least)}")}{(forecast.Step.AtMost is { } most ? $", at most {Amounts.Seconds(most)}" : "")}",
    };

    private static string Text(ForecastTime time, StepForecast forecast, string what)
    {
        var within = (forecast.NoWorse is null ? forecast.Step.AtLeast : forecast.Step.AtMost) is { } end ? $" within {Amounts.Seconds(end)}" : "";
        return time switch
        {
            { InTime: 0, Median: null } when forecast.NoWorse is null => $"not {what}{within}",
            { InTime: 0, Median: null } => $"not {what}: nothing here would show it, or not by {RolloutForecast.MostEvents:N0} bad answers or in 30 days",
            { Median: null } => $"{what} in {Percent(time.InTime)} of the runs{within}",
            _ => $"{what} after {Bound(time.Median)} ({Bound(time.MedianLow)} to {Bound(time.MedianHigh)}), nine of ten by {Bound(time.Late)}"
                + (within != "" && time.InTime < 0.9 ? $"; {Percent(time.InTime)} of the runs{within}" : ""),
        };
    }

    /// <summary>In 1/10,000; a shadow has none.</summary>
    private static int WeightOf(ChannelPlan plan, StepForecast forecast) => plan.Strategy == Strategy.Shadow ? 0 : (int)Math.Round(forecast.Step.Share * Weight.All);

    private static string Percent(double share) => (100 * share).ToString("0", CultureInfo.InvariantCulture) + " %";

    private static string Bound(double? seconds) => seconds is { } known ? Amounts.Seconds(known) : "never";

    private static JsonObject Json(ChannelPlan plan, string channel, RequestRate traffic, Healthy healthy, IEnumerable<StepForecast> forecast) => new()
    {
        ["channel"] = channel,
        ["strategy"] = plan.Strategy.Word(),
        ["requestsPerSecond"] = traffic.PerSecond,
        ["baselineErrors"] = healthy.Errors.Value,
        ["baselineLate"] = healthy.Late?.Value,
        ["falseAlarm"] = plan.Judge.FalseAlarm.Value,
        ["runs"] = PlanForecast.Runs,
        ["steps"] = new JsonArray([.. forecast.Select(step => new JsonObject
        {
            ["weight"] = WeightOf(plan, step),
            ["atLeast"] = step.Step.AtLeast,
            ["atMost"] = step.Step.AtMost,
            ["harm"] = new JsonArray([.. step.Harm.Select((time, i) => Json(time, PlanForecast.Ratios[i]))]),
            ["lateHarm"] = new JsonArray([.. step.LateHarm.Select((time, i) => Json(time, PlanForecast.Ratios[i]))]),
            ["noWorse"] = step.NoWorse is { } time ? Json(time, 1) : null,
        })]),
    };

    private static JsonObject Json(ForecastTime time, double ratio) => new()
    {
        ["ratio"] = ratio,
        ["median"] = time.Median,
        ["medianLow"] = time.MedianLow,
        ["medianHigh"] = time.MedianHigh,
        ["early"] = time.Early,
        ["late"] = time.Late,
        ["inTime"] = time.InTime,
    };

    /// <param name="Late">Null where no answer is too late.</param>
    /// <param name="IsAssumed">Nobody said <paramref name="Late"/>.</param>
    private sealed record Healthy(Ratio Errors, Ratio? Late, bool IsAssumed);
}
