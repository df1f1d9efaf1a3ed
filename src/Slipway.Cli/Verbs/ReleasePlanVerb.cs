using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Slipway.Documents.Rollouts;
using Slipway.Primitives.Faults;
using Slipway.Primitives.Units;
using Slipway.Server.Judging;
using Slipway.Stats.Sequential;

namespace Slipway.Cli.Verbs;

/// <summary><c>slipway release plan</c>: what the spec's release plan could find, and when.</summary>
internal static class ReleasePlanVerb
{
    public static Command BuildPlan(GlobalOptions global)
    {
        var traffic = new Option<string>("--traffic") { Description = "Requests that the channel gets, such as 100/s or 30/min", HelpName = "RATE", DefaultValueFactory = _ => "100/s" };
        var errors = new Option<string>("--baseline-errors") { Description = "Share of bad answers that a healthy version gives", HelpName = "SHARE", DefaultValueFactory = _ => "1 %" };
        var channel = new Option<string>("--channel") { Description = "staging or production", HelpName = "NAME", DefaultValueFactory = _ => "production" };
        channel.AcceptOnlyFromAmong([.. ReleasePlan.ChannelNames]);
        var verb = new Command("plan", "Says per step of the spec's release plan which harm could be found at a given traffic, and when, and how long an equal version takes.\nExample: slipway release plan --traffic 20/s --baseline-errors 0.5%") { traffic, errors, channel };
        verb.SetAction(parsed => Tell(global.Shell(parsed), parsed.GetRequiredValue(traffic), parsed.GetRequiredValue(errors), parsed.GetRequiredValue(channel)));
        return verb;
    }

    private static int Tell(Shell shell, string trafficText, string errorsText, string channel)
    {
        var isRate = RequestRate.TryParse(trafficText, out var traffic) && traffic.PerSecond is >= 1e-6 and <= 1e9;
        var isShare = Ratio.TryParse(errorsText, out var errors);
        if (!isRate || !isShare)
            throw new SlipwayException(ExitCode.UnusableInput, [.. Wrong(isRate, "--traffic", trafficText, RequestRate.Allowed), .. Wrong(isShare, "--baseline-errors", errorsText, Ratio.Allowed)]);
        var spec = shell.LoadSpec();
        if (spec.Release?.Channels.GetValueOrDefault(channel) is not { } plan)
            throw new SlipwayException(ExitCode.UnusableInput, new Fault("no-release-plan", $"the spec has no release plan for {channel}", shell.SpecFile, Help: $"write release: {{ {channel}: {{ strategy: canary, … }} }}"));

        var forecast = PlanForecast.Of(plan, traffic.PerSecond, errors.Value);
        if (shell.Json)
            shell.WriteJson(Json(plan, channel, traffic, errors, forecast));
        else
            Show(shell, plan, channel, traffic, errors, forecast);
        return (int)ExitCode.Done;
    }

    private static IEnumerable<Fault> Wrong(bool isRight, string option, string text, string allowed) =>
        isRight ? [] : [new Fault("bad-argument", $"{option} is '{text}', allowed is {allowed}")];

    private static void Show(Shell shell, ChannelPlan plan, string channel, RequestRate traffic, Ratio errors, IReadOnlyList<StepForecast> forecast)
    {
        shell.Out.WriteLine($"{channel} at {traffic} with {errors} bad answers of a healthy version; false alarms at most {plan.Judge.FalseAlarm}");
        shell.Out.WriteLine($"median time, its 95 % interval over {PlanForecast.Runs} runs, and where nine of ten runs are done");
        for (var i = 0; i < forecast.Count; i++)
        {
            var step = plan.Strategy == Strategy.Canary ? plan.Steps[i] : null;
            shell.Out.WriteLine();
            shell.Out.WriteLine(Heading(plan, step, i));
            for (var j = 0; j < PlanForecast.Ratios.Length; j++)
                shell.Out.WriteLine($"  {PlanForecast.Ratios[j].ToString(CultureInfo.InvariantCulture),3} × the errors  {Text(forecast[i].Harm[j], step, "found")}");
            shell.Out.WriteLine($"  an equal one    {(forecast[i].NoWorse is { } time ? Text(time, step, "goes on") : "goes on after its time, unless a guard speaks: nothing is beside it to compare with")}");
        }

        shell.Out.WriteLine();
        shell.Out.WriteLine("Bad answers are taken to come independently of each other; bursts, and users who fail again and again, make every time longer.");
        if (plan.Guard is { ErrorRate: { } bound } && errors.CompareTo(bound) >= 0)
            shell.Warn($"a healthy version's {errors} is not below the guard's {bound}, so the guard will roll it back");
    }

    private static string Heading(ChannelPlan plan, RolloutStep? step, int index) => step is null
        ? plan.Strategy == Strategy.Shadow ? "shadow: copies of all requests, held to the guard alone" : "one switch to 100 %, held to the guards alone"
        : $"step {index + 1}: {Weight.Text(Math.Min(step.Weight, Weight.All - step.HoldBack))}, at least {step.AtLeast}{(step.AtMost is { } most ? $", at most {most}" : "")}";

    private static string Text(ForecastTime time, RolloutStep? step, string what) => time switch
    {
        { InTime: 0, Median: null } => $"not {what}: nothing here would show it, or not by {RolloutForecast.MostEvents:N0} bad answers or in 30 days",
        { Median: null } => $"{what} in {Percent(time.InTime)} of the runs",
        _ => $"{what} after {Bound(time.Median)} ({Bound(time.MedianLow)} to {Bound(time.MedianHigh)}), nine of ten by {Bound(time.Late)}"
            + (step?.AtMost is { } most && time.InTime < 0.9 ? $"; {Percent(time.InTime)} of the runs within {most}" : ""),
    };

    private static string Percent(double share) => (100 * share).ToString("0", CultureInfo.InvariantCulture) + " %";

    private static string Bound(double? seconds) => seconds is { } known ? Amounts.Seconds(known) : "never";

    private static JsonObject Json(ChannelPlan plan, string channel, RequestRate traffic, Ratio errors, IEnumerable<StepForecast> forecast) => new()
    {
        ["channel"] = channel,
        ["requestsPerSecond"] = traffic.PerSecond,
        ["baselineErrors"] = errors.Value,
        ["falseAlarm"] = plan.Judge.FalseAlarm.Value,
        ["runs"] = PlanForecast.Runs,
        ["steps"] = new JsonArray([.. forecast.Select((step, i) => new JsonObject
        {
            ["weight"] = plan.Strategy == Strategy.Canary ? Math.Min(plan.Steps[i].Weight, Weight.All - plan.Steps[i].HoldBack) : Weight.All,
            ["harm"] = new JsonArray([.. step.Harm.Select((time, j) => Json(time, PlanForecast.Ratios[j]))]),
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
}
