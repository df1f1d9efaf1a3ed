using System.Collections.Immutable;
using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Slipway.Documents.Charts;
using Slipway.Documents.Ledger;
using Slipway.Primitives.Faults;

namespace Slipway.Cli.Verbs;

/// <summary><c>slipway audit list</c>.</summary>
internal sealed class AuditList(GlobalOptions global)
{
    private const int DefaultLimit = 50, MaxLimit = 1000;

    private readonly Option<string?> server = ServerClient.ServerOption();
    private readonly Option<string?> subject = new("--subject") { Description = "Only what is about this: a digest, or a name such as models/flight-delay and all below it", HelpName = "NAME" };
    private readonly Option<string?> action = new("--action") { Description = "Only this action, or all that begin with it, such as rollout", HelpName = "ACTION" };
    private readonly Option<string?> actor = new("--actor") { Description = "Only what this person or service did, by id or name", HelpName = "WHO" };
    private readonly Option<string?> since = new("--since") { Description = "Only from this UTC date or time on", HelpName = "TIME" };
    private readonly Option<string?> until = new("--until") { Description = "Only before this UTC date or time", HelpName = "TIME" };
    private readonly Option<long?> before = new("--before") { Description = "Only before this entry: the next page", HelpName = "INDEX" };
    private readonly Option<int> limit = new("--limit") { Description = $"At most so many entries, 1 to {MaxLimit}", HelpName = "N", DefaultValueFactory = _ => DefaultLimit };

    public Command Build()
    {
        var verb = new Command("list", "Lists the ledger, newest first: who, what, when (UTC), why, on which digests.\nExample: slipway audit list --actor ada --since 2026-03-01");
        AddTo(verb);
        return verb;
    }

    public void AddTo(Command verb)
    {
        foreach (var option in new Option[] { server, subject, action, actor, since, until, before, limit })
            verb.Options.Add(option);
        verb.SetAction((parsed, cancellation) => ListAsync(global.Shell(parsed), parsed, cancellation));
    }

    private async Task<int> ListAsync(Shell shell, ParseResult parsed, CancellationToken cancellation)
    {
        var wanted = parsed.GetValue(limit);
        if (wanted is < 1 or > MaxLimit)
            throw new SlipwayException(ExitCode.UnusableInput, new Fault("bad-argument", $"--limit is {wanted}, allowed 1 to {MaxLimit}"));
        var query = new List<string>();
        Add("subject", parsed.GetValue(subject));
        Add("action", parsed.GetValue(action));
        Add("actor", parsed.GetValue(actor));
        Add("since", Milliseconds("--since", parsed.GetValue(since)));
        Add("until", Milliseconds("--until", parsed.GetValue(until)));
        var records = ImmutableArray.CreateBuilder<LedgerRecord>();
        using var client = ServerClient.Open(parsed.GetValue(server));
        var next = parsed.GetValue(before);
        // A page may be shorter than asked for; an empty one is the end.
        while (records.Count < wanted)
        {
            var page = await client.GetAsync(
                string.Join('&', [ServerLedger.Root + "entries?limit=" + Number(wanted - records.Count), .. query, .. next is { } index ? ["before=" + Number(index)] : Array.Empty<string>()]),
                LedgerJson.Default.ImmutableArrayLedgerRecord,
                cancellation);
            if (page.IsEmpty)
                break;
            records.AddRange(page);
            next = page[^1].Index;
        }

        if (shell.Json)
            shell.WriteJson(new JsonObject { ["entries"] = JsonSerializer.SerializeToNode(records.ToImmutable(), LedgerJson.Default.ImmutableArrayLedgerRecord) });
        else
            Show(shell, records.ToImmutable());
        return 0;

        void Add(string name, string? value)
        {
            if (value is not null)
                query.Add($"{name}={Uri.EscapeDataString(value)}");
        }
    }

    /// <summary>An outcome says all that its intent says, so that an intent is shown only while it waits for one.</summary>
    private static void Show(Shell shell, ImmutableArray<LedgerRecord> records)
    {
        var told = records.Select(record => record.Entry.Intent).OfType<long>().ToHashSet();
        foreach (var record in records.Where(record => !told.Contains(record.Index)))
        {
            foreach (var line in Lines(record))
                shell.Out.WriteLine(line);
        }

        if (records is [.., { Index: > 0 and var last }])
            shell.Note($"older ones: --before {Number(last)}");
        else if (records.IsEmpty)
            shell.Note("no entry");
    }

    /// <summary>An entry for people, in two lines or more.</summary>
    /// <param name="missing">Why there is no payload, where there is none.</param>
    /// <param name="intent">What is said of an intent.</param>
    public static IEnumerable<string> Lines(LedgerRecord record, string missing = "erased", string intent = "no outcome yet")
    {
        var (entry, payload) = (record.Entry, record.Payload);
        var time = RolloutText.Time(entry.Time);
        var state = entry.Phase switch { LedgerPhase.Done => "", LedgerPhase.Failed => "  failed", _ => $"  ({intent})" };
        yield return Printable($"#{Number(record.Index)}  {time}  {payload?.ActorName ?? $"({missing})"} <{entry.Actor}>  {entry.Action}{state}");
        foreach (var subject in entry.Subjects)
            yield return Printable($"    {subject.Name}{(subject.Digest is { } digest ? $"  {digest}" : "")}");
        yield return Printable($"    {payload?.Reason ?? $"(reason {missing})"}");
    }

    /// <summary>Text of others' without what steers a terminal.</summary>
    private static string Printable(string text) => string.Concat(text.Select(c => ForeignText.IsHidden(c) ? ' ' : c));

    private static string? Milliseconds(string option, string? text)
    {
        if (text is null)
            return null;
        return TimeText.TryParse(text, needsOffset: false, out var time)
            ? Number(time)
            : throw new SlipwayException(ExitCode.UnusableInput, new Fault("bad-argument", $"{option} is '{text}', expected {TimeText.Allowed}"));
    }

    private static string Number(long number) => number.ToString(CultureInfo.InvariantCulture);
}
