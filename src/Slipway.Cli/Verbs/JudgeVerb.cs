using System.Collections.Immutable;
using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Slipway.Documents.Rollouts;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;
using Slipway.Primitives.Units;
using Slipway.Server.Judging;
using Slipway.Stats.Sequential;

namespace Slipway.Cli.Verbs;

/// <summary><c>slipway judge FILE</c>.</summary>
internal static class JudgeVerb
{
    /// <summary>Of the intervals that are shown, each at all times together.</summary>
    private const double ShownAlpha = 0.05;

    public static Command Build(GlobalOptions global)
    {
        var file = new Argument<string>("file") { Description = "A judge's report, as the server keeps it with each verdict; or what `slipway history MODEL --json` prints, with all of them" };
        var verb = new Command("judge", "Computes a rollout's verdict again from the numbers that led to it.\nExample: slipway judge report.json") { file };
        verb.SetAction(parsed => Tell(global.Shell(parsed), parsed.GetRequiredValue(file)));
        return verb;
    }

    private static int Tell(Shell shell, string file)
    {
        var content = Read(Path.Combine(shell.Folder, file), file);
        return ReportReader.IsHistory(content) ? TellAll(shell, ReportReader.ReadHistory(content, file)) : TellOne(shell, ReportReader.Read(content, file));
    }

    /// <summary>A history: whether each judgement in it is what its numbers give. Its verdicts, good or bad, are history.</summary>
    private static int TellAll(Shell shell, ImmutableArray<HistoryEntry> history)
    {
        var judged = history.Where(entry => entry.Report is not null)
            .Select(entry => (Entry: entry, Verdict: entry.Report!.Verdict, Again: Judge.Recompute(entry.Report!).Verdict, Agrees: Agrees(entry.Report!, Judge.Recompute(entry.Report!)))).ToArray();
        var agree = judged.All(one => one.Agrees);
        if (shell.Json)
        {
            shell.WriteJson(new JsonObject
            {
                ["agrees"] = agree,
                ["judgements"] = new JsonArray([.. judged.Select(one => new JsonObject
                {
                    ["at"] = one.Entry.At, ["rollout"] = one.Entry.Rollout, ["action"] = one.Entry.Action, ["verdict"] = one.Verdict.Word(), ["recomputed"] = one.Again.Word(), ["agrees"] = one.Agrees,
                })]),
            });
        }
        else
        {
            foreach (var (entry, verdict, again, agrees) in judged)
                shell.Out.WriteLine($"{(agrees ? "agrees " : "DIFFERS")}  {RolloutText.Time(entry.At)}  {entry.Rollout}  {entry.Action}: {verdict.Word()}{(agrees ? "" : verdict == again ? ", and other figures than its numbers give" : $", and its numbers give {again.Word()}")}");
            shell.Out.WriteLine($"{judged.Count(one => one.Agrees)} of {judged.Length} judgements are what their numbers give");
        }

        return (int)(agree ? ExitCode.Done : ExitCode.BadVerdict);
    }

    private static bool Agrees(JudgeReport kept, JudgeReport again) =>
        CanonicalJson.Serialize(kept, RolloutJson.Default.JudgeReport).AsSpan().SequenceEqual(CanonicalJson.Serialize(again, RolloutJson.Default.JudgeReport));

    private static int TellOne(Shell shell, JudgeReport kept)
    {
        var report = Judge.Recompute(kept);
        var agrees = Agrees(kept, report);
        if (shell.Json)
        {
            shell.WriteJson(new JsonObject
            {
                ["verdict"] = report.Verdict.Word(),
                ["reasons"] = new JsonArray([report.Reason, .. report.Missing.Skip(1).Select(missing => (JsonNode)missing)]),
                ["agrees"] = agrees,
                ["report"] = JsonNode.Parse(CanonicalJson.Serialize(report, RolloutJson.Default.JudgeReport)),
            });
        }
        else
        {
            Show(shell, report);
            if (agrees)
                shell.Out.WriteLine("agrees   the file says what its numbers give");
            else
                shell.Warn(kept.Verdict == report.Verdict ? "the file's figures are not those that its numbers give; shown is what they give" : $"the file says {kept.Verdict.Word()}, and its numbers give {report.Verdict.Word()}");
        }

        return (int)(report.Verdict == JudgeVerdict.NoWorse && agrees ? ExitCode.Done : ExitCode.BadVerdict);
    }

    private static byte[] Read(string path, string name)
    {
        try
        {
            return File.ReadAllBytes(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new SlipwayException(ExitCode.UnusableInput, new Fault("cannot-read", e.Message.TrimEnd('.'), name), e);
        }
    }

    private static void Show(Shell shell, JudgeReport report)
    {
        shell.Out.WriteLine($"verdict  {report.Verdict.Word()}: {report.Reason}");
        shell.Out.WriteLine($"rollout  {report.Rollout}, step {report.Step + 1}, at {DateTimeOffset.FromUnixTimeMilliseconds(report.At).UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture)} UTC; "
            + $"false alarms at most {report.Settings.FalseAlarm}, tolerated ratio {Number(report.Settings.ToleratedRatio)}, margin {Number(report.Settings.PromoteMargin)}");
        foreach (var missing in report.Missing)
            shell.Out.WriteLine($"missing  {missing}");

        shell.Out.WriteLine();
        shell.Out.WriteLine("harm                  ln E    needs");
        foreach (var measure in report.HarmByKind)
            Show(shell, measure, "decides alone");
        Show(shell, report.Harm, "HARM");
        shell.Out.WriteLine("no worse              ln E    needs");
        foreach (var measure in report.Promotion)
            Show(shell, measure, "suffices");

        shell.Out.WriteLine();
        shell.Out.WriteLine($"requests of {report.Evidence.Gateways} gateways; shares with anytime-valid intervals of {Percent(1 - ShownAlpha)}, which hold at all times together");
        foreach (var cell in report.Evidence.Cells.Where(cell => cell.Candidate.Requests + cell.Stable.Requests > 0))
        {
            Show(shell, cell, "candidate", cell.Candidate, bad => bad.Candidate);
            Show(shell, cell, "stable", cell.Stable, bad => bad.Stable);
        }

        if (report.Evidence.Shadow is { } shadow)
            shell.Out.WriteLine($"  shadow     {shadow.Compared:N0} compared, {Share(shadow.Different, shadow.Compared)} different (by {Number(shadow.LargestDifference)} at most), {Share(shadow.Failed, shadow.Compared + shadow.Failed)} failed, {shadow.Skipped:N0} not copied");
        if (report.Evidence.Halvings > 0)
            shell.Out.WriteLine($"  of the users, 1 in {1L << report.Evidence.Halvings:N0} is followed now");
        foreach (var arm in report.Latency.Where(band => band.N > 0).GroupBy(band => band.Arm))
            shell.Out.WriteLine($"latency  {(arm.Key == Arm.Candidate ? "candidate" : "stable"),-10} {string.Join("   ", arm.Select(Text))}");
    }

    private static void Show(Shell shell, EvidenceMeasure measure, string reached)
    {
        var reading = measure.Reading.StartsWith(measure.Name + ": ", StringComparison.Ordinal) ? measure.Reading[(measure.Name.Length + 2)..] : measure.Reading;
        shell.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {measure.Name,-17} {measure.LogE,6:0.00}   {measure.LogThreshold,6:0.00}  {(measure.LogE >= measure.LogThreshold ? reached + ": " : "")}{reading}"));
    }

    private static void Show(Shell shell, EvidenceCell cell, string name, ArmEvidence arm, Func<KindEvidence, long> firsts)
    {
        var kinds = string.Join(", ", cell.Bad.Where(bad => firsts(bad) > 0).Select(bad => $"{bad.Kind.Word()} {firsts(bad)}"));
        shell.Out.WriteLine($"  {Weight.Text(cell.Weight),7} {name,-10} {arm.Requests,10:N0}   bad {Share(arm.BadRequests, arm.Requests)}, over budget {Share(arm.OverBudget, arm.Requests)}{(kinds.Length > 0 ? "; first of a user: " + kinds : "")}");
    }

    private static string Share(long part, long all)
    {
        var (low, high) = RateGuard.Interval(part, all, ShownAlpha);
        return all == 0 ? "0" : $"{part.ToString("N0", CultureInfo.InvariantCulture)} ({Percent((double)part / all)}, {Percent(low)} to {Percent(high)})";
    }

    private static string Text(LatencyBand band) =>
        $"p{Number(band.Quantile * 100)} {Time(band.Seconds)}" + (band.Low is null ? "" : $" ({Time(band.Low)} to {Time(band.High)})");

    private static string Time(double? seconds) => seconds is { } known ? new Duration(TimeSpan.FromSeconds(known)).ToString() : $"over {new Duration(TimeSpan.FromSeconds(LatencyBuckets.Bounds[^1]))}";

    private static string Percent(double share) => (share * 100).ToString("0.###", CultureInfo.InvariantCulture) + " %";

    private static string Number(double value) => value.ToString("0.####", CultureInfo.InvariantCulture);
}
