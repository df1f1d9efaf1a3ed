using System.Collections.Immutable;
using System.Text.Json;
using Slipway.Documents.Rollouts;
using Slipway.Primitives.Faults;

namespace Slipway.Server.Judging;

/// <summary>Reads a judgement that was kept, strictly: what could not have been judged is refused, so that computing it again means something.</summary>
public static class ReportReader
{
    /// <summary>Longest file, in bytes: a report of a thousand weights has about 2 MB.</summary>
    private const int MostBytes = 16 << 20;

    /// <param name="name">Of the file, for faults.</param>
    /// <exception cref="SlipwayException">It is no such report (exit 2).</exception>
    public static JudgeReport Read(ReadOnlySpan<byte> json, string name)
    {
        if (json.Length > MostBytes)
            throw Unusable(name, $"it has {json.Length} bytes, allowed {MostBytes}");
        try
        {
            var report = JsonSerializer.Deserialize(json, RolloutJson.Default.JudgeReport) ?? throw Unusable(name, "it is null");
            return Fault(report) is { } fault ? throw Unusable(name, fault) : report;
        }
        catch (JsonException e)
        {
            throw new SlipwayException(ExitCode.UnusableInput, new Fault("bad-report", $"this is no judge's report: {Plainly(e)}", name, (int?)e.LineNumber + 1, null, Help), e);
        }
    }

    /// <summary>Whether the file is a history with judgements in it, as <c>slipway history --json</c> prints one, rather than one judgement.</summary>
    public static bool IsHistory(ReadOnlySpan<byte> json) => json.TrimStart(" \t\r\n"u8) is [(byte)'[', ..];

    /// <inheritdoc cref="Read"/>
    public static ImmutableArray<HistoryEntry> ReadHistory(ReadOnlySpan<byte> json, string name)
    {
        if (json.Length > MostBytes)
            throw Unusable(name, $"it has {json.Length} bytes, allowed {MostBytes}");
        try
        {
            var history = JsonSerializer.Deserialize(json, RolloutJson.Default.ImmutableArrayHistoryEntry);
            return history.Select(entry => entry?.Report is { } report ? Fault(report) : entry is null ? "an entry is null" : null).FirstOrDefault(fault => fault is not null) is { } fault
                ? throw Unusable(name, fault)
                : history;
        }
        catch (JsonException e)
        {
            throw new SlipwayException(ExitCode.UnusableInput, new Fault("bad-report", $"this is no history with judgements: {Plainly(e)}", name, (int?)e.LineNumber + 1, null, Help), e);
        }
    }

    /// <summary>The reader speaks of types of its language; what it misses and where it stopped is enough.</summary>
    private static string Plainly(JsonException e) =>
        e.Message.IndexOf("missing required properties", StringComparison.Ordinal) is >= 0 and var at ? $"it lacks what it must have: {e.Message[at..]}"
        : $"it cannot be read at {(e.Path is { Length: > 0 } path ? path : "$")}";

    private const string Help = "give a report as the server keeps it, or all of `slipway history MODEL --json`";

    private static SlipwayException Unusable(string name, string fault) => new(ExitCode.UnusableInput, new Fault("bad-report", $"this is no judge's report: {fault}", name, Help: Help));

    private static string? Fault(JudgeReport report) => report switch
    {
        _ when !Enum.IsDefined(report.Strategy) || !Enum.IsDefined(report.Verdict) || !Enum.IsDefined(report.Settings.OnInsufficient) => "it names an unknown strategy or verdict",
        { Settings.FalseAlarm.Value: not (> 0 and < 1) } => $"false-alarm is {report.Settings.FalseAlarm}, allowed between 0 and 1",
        { Settings.ToleratedRatio: not (> 0 and < double.PositiveInfinity) } => $"tolerated-ratio is {report.Settings.ToleratedRatio}, allowed above 0",
        { Settings.PromoteMargin: not (> 0 and < double.PositiveInfinity) } => $"promote-margin is {report.Settings.PromoteMargin}, allowed above 0",
        { Guard.Latency.Quantile: not (> 0 and < 1) } => $"the latency guard's quantile is {report.Guard.Latency.Quantile}, allowed between 0 and 1",
        { Evidence: { Lost: < 0 } or { Gateways: < 0 } or { Waiting: < 0 } or { Halvings: < 0 or > 63 } } => "a count of its evidence is below 0, or beyond all reason",
        { Evidence.Shadow: { } shadow } when !IsCount(shadow.Compared) || !IsCount(shadow.Failed) || !IsCount(shadow.Skipped) || shadow.Different < 0 || shadow.Different > shadow.Compared => "its counts of the shadow do not hold together",
        _ => report.Evidence.Cells.Select(Fault).FirstOrDefault(fault => fault is not null)
            ?? (report.Evidence.Cells.Zip(report.Evidence.Cells.Skip(1)).Any(pair => pair.First.WeightRevision >= pair.Second.WeightRevision) ? "its weight revisions do not ascend" : null),
    };

    private static string? Fault(EvidenceCell cell) => cell switch
    {
        { Weight: < 0 or > Weight.All } => $"weight revision {cell.WeightRevision} has the weight {cell.Weight}, allowed 0 to {Weight.All}",
        _ when !IsSound(cell.Candidate) || !IsSound(cell.Stable) => $"the counts of weight revision {cell.WeightRevision} do not hold together",
        _ when cell.Bad.Any(bad => !Enum.IsDefined(bad.Kind) || !IsCount(bad.Candidate) || !IsCount(bad.Stable)) || cell.Bad.Select(bad => bad.Kind).Distinct().Count() < cell.Bad.Length => $"the bad events of weight revision {cell.WeightRevision} do not hold together",
        _ => null,
    };

    private static bool IsSound(ArmEvidence arm) =>
        IsCount(arm.Requests) && IsCount(arm.BadRequests) && IsCount(arm.OverBudget) && arm.BadRequests + arm.OverBudget <= arm.Requests
        && arm.Latency.Length == LatencyBuckets.Count && arm.Latency.All(IsCount) && arm.Latency.Sum() == arm.Requests;

    private static bool IsCount(long count) => count is >= 0 and <= 1L << 50;
}
