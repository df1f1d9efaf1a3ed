using System.CommandLine;
using System.Text;
using System.Text.Json.Nodes;
using Slipway.Documents.Ledger;
using Slipway.Primitives.Faults;
using Slipway.Primitives.Files;
using Slipway.Trust.TransparencyLog;

namespace Slipway.Cli.Verbs;

/// <summary><c>slipway audit verify</c> and <c>audit export</c>.</summary>
internal static class AuditVerify
{
    public static Option<string?> KeyOption() => new("--key")
    {
        Description = "The ledger's verifier key, NAME+ID+KEY, or a file that holds it; default: the one remembered from the last check",
        HelpName = "KEY",
    };

    public static Command BuildVerify(GlobalOptions global)
    {
        var server = ServerClient.ServerOption();
        var folder = new Option<string?>("--folder") { Description = "Check a copy in this folder instead, which a server has mirrored or `audit export` has written", HelpName = "DIR" };
        var earlier = new Option<string[]>("--checkpoint") { Description = "An earlier checkpoint that the ledger must continue; may be given several times", HelpName = "FILE" };
        var key = KeyOption();
        var anew = new Option<bool>("--trust-anew") { Description = "Forget what is remembered of this server's ledger: it was set up anew on purpose" };
        var verb = new Command("verify", "Fetches the whole ledger and checks it: signature, every entry, the tree, and that it continues what it was when last checked.\nExample: slipway audit verify --checkpoint backup/checkpoint") { server, folder, earlier, key, anew };
        verb.SetAction((parsed, cancellation) => VerifyAsync(
            global.Shell(parsed), parsed.GetValue(server), parsed.GetValue(folder), parsed.GetValue(earlier) ?? [], ReadKey(global.Shell(parsed), parsed.GetValue(key)), parsed.GetValue(anew), cancellation));
        return verb;
    }

    public static Command BuildExport(GlobalOptions global)
    {
        var folder = new Argument<string>("folder") { Description = "Where to; made when missing" };
        var server = ServerClient.ServerOption();
        var key = KeyOption();
        var verb = new Command("export", "Copies the ledger as static files (C2SP tlog-tiles), without payloads, and checks the copy.\nExample: slipway audit export ledger-copy") { folder, server, key };
        verb.SetAction(async (parsed, cancellation) =>
        {
            var shell = global.Shell(parsed);
            using var client = ServerClient.Open(parsed.GetValue(server));
            var source = new ServerLedger(client);
            var note = await source.ReadAsync("checkpoint", SignedNote.MaxBytes, cancellation);
            var unverified = SignedNote.Read(note) is { } signed ? Checkpoint.ReadUnverified(signed) : null;
            if (unverified is null)
                throw new SlipwayException(ExitCode.BadVerdict, new Fault("ledger-checkpoint-untrusted", $"{client.Url} shows no checkpoint"));
            var to = shell.PathOf(parsed.GetRequiredValue(folder));
            await LedgerFolder.CopyAsync(source, to, note, unverified.Size, cancellation);
            return await VerifyAsync(shell, null, to, [], ReadKey(shell, parsed.GetValue(key)) ?? RememberedLedger.Of(client.Url)?.NoteKey, false, cancellation);
        });
        return verb;
    }

    /// <summary>The key that <c>--key</c> names.</summary>
    /// <exception cref="SlipwayException">Neither a key nor a file with one (exit 2).</exception>
    public static NoteKey? ReadKey(Shell shell, string? named)
    {
        if (named is null)
            return null;
        var file = shell.PathOf(named);
        var isFile = FileStamp.Of(file) is { Kind: FileKind.File, Size: <= SignedNote.MaxBytes };
        try
        {
            return NoteKey.Parse(isFile ? File.ReadAllText(file) : named);
        }
        catch (FormatException e)
        {
            throw new SlipwayException(ExitCode.UnusableInput, new Fault("bad-verifier-key", e.Message, isFile ? named : null, Help: "`slipway audit verify` prints a ledger's verifier key, and a mirror holds it in the file `key`"), e);
        }
    }

    private static async Task<int> VerifyAsync(Shell shell, string? server, string? folder, string[] earlier, NoteKey? key, bool anew, CancellationToken cancellation)
    {
        using var client = folder is null ? ServerClient.Open(server) : null;
        var remembered = client is null || anew ? null : RememberedLedger.Of(client.Url);
        if (remembered is not null && key is not null && !remembered.NoteKey.Equals(key))
            remembered = null;          // the person vouches for this key; what another has signed says nothing of it
        var notes = earlier.Select(file => ReadCheckpoint(shell, file)).ToList();
        if (remembered?.Checkpoint is { } last)
            notes.Add(Encoding.UTF8.GetBytes(last));
        ILedgerSource source = client is null ? new LedgerFolder(shell.PathOf(folder!)) : new ServerLedger(client);
        var trusted = key ?? remembered?.NoteKey ?? (client is null ? await RememberedKeyAsync(source, cancellation) : null);
        var report = await LedgerAudit.RunAsync(source, trusted, notes, Progress(shell), cancellation);
        if (shell.Live && !shell.Quiet)
            shell.Err.WriteRaw("\r\x1b[K");
        if (report.IsSound && client is not null)
            new RememberedLedger(report.Key!.ToString(), Encoding.UTF8.GetString(report.Note.AsSpan())).Save(client.Url);
        Tell(shell, report, trusted is null, notes.Count, remembered is not null && report.Problems.Any(problem => problem.Code is "ledger-checkpoint-untrusted"), client?.Url);
        return (int)(report.IsSound ? ExitCode.Done : ExitCode.BadVerdict);
    }

    /// <summary>A copy may be older than what was seen of its log, so that the key alone is taken from there.</summary>
    private static async Task<NoteKey?> RememberedKeyAsync(ILedgerSource source, CancellationToken cancellation) =>
        SignedNote.Read(await source.ReadAsync("checkpoint", SignedNote.MaxBytes, cancellation)) is { } note && Checkpoint.ReadUnverified(note) is { } claimed ? RememberedLedger.KeyOf(claimed.Origin) : null;

    private static void Tell(Shell shell, LedgerAuditReport report, bool firstUse, int earlier, bool otherKey, Uri? server)
    {
        if (shell.Json)
        {
            shell.WriteJson(new JsonObject
            {
                ["verdict"] = report.IsSound ? "pass" : "fail",
                ["key"] = report.Key?.ToString(),
                ["firstUse"] = firstUse,
                ["checkpoint"] = report.Checkpoint is { } signed ? new JsonObject { ["origin"] = signed.Origin, ["size"] = signed.Size, ["root"] = signed.Root.ToString() } : null,
                ["entries"] = report.Entries,
                ["payloads"] = report.Payloads,
                ["erased"] = report.Erased,
                ["earlierCheckpoints"] = earlier,
                ["open"] = new JsonArray([.. report.Open.Select(index => (JsonNode)index)]),
                ["reasons"] = new JsonArray([.. report.Problems.Select(problem => (JsonNode)problem.ToString())]),
                ["faults"] = new JsonArray([.. report.Problems.Select(Shell.Render)]),
                ["notes"] = new JsonArray([.. report.Notes.Select(note => (JsonNode)note)]),
            });
            return;
        }

        foreach (var note in report.Notes)
            shell.Note("note: " + note);
        if (!report.IsSound)
        {
            shell.Report(new SlipwayException(ExitCode.BadVerdict, report.Problems));
            if (otherKey)
                shell.Err.WriteLine($"  → if {server} was set up anew on purpose: slipway audit verify --trust-anew");
            return;
        }

        var checkpoint = report.Checkpoint!;
        shell.Out.WriteLine($"verified  {checkpoint.Size} entries, root {checkpoint.Root}");
        shell.Out.WriteLine($"log       {checkpoint.Origin}");
        shell.Out.WriteLine($"key       {report.Key}");
        if (report.Payloads + report.Erased > 0)
            shell.Out.WriteLine($"payloads  {report.Payloads} as committed to, {report.Erased} erased");
        shell.Out.WriteLine($"earlier   {(earlier == 0 ? "no checkpoint to compare with" : $"continues {earlier} earlier checkpoint{(earlier == 1 ? "" : "s")}")}");
        if (!report.Open.IsEmpty)
            shell.Out.WriteLine($"open      {string.Join(", ", report.Open.Select(index => $"#{index}"))} (no outcome yet)");
        if (firstUse)
            shell.Warn("the key is the one that was shown with the ledger itself; compare it once with the one that the server's operator tells you");
    }

    private static Action<long, long> Progress(Shell shell) =>
        shell.Live && !shell.Quiet ? (done, all) => shell.Err.WriteRaw($"\rchecked {done} of {all} entries") : (_, _) => { };

    /// <summary>What it says is believed only as far as the ledger's key has signed it; that it is none at all is a slip of whoever named it.</summary>
    private static byte[] ReadCheckpoint(Shell shell, string named)
    {
        var file = shell.PathOf(named);
        if (FileStamp.Of(file) is not { Kind: FileKind.File, Size: <= SignedNote.MaxBytes })
            throw new SlipwayException(ExitCode.UnusableInput, new Fault("checkpoint-missing", $"is no file of at most {SignedNote.MaxBytes} bytes", named, Help: "name a file that holds an earlier checkpoint, such as `checkpoint` of an export or a mirror"));
        var note = File.ReadAllBytes(file);
        return SignedNote.Read(note) is { } signed && Checkpoint.ReadUnverified(signed) is not null
            ? note
            : throw new SlipwayException(ExitCode.UnusableInput, new Fault("checkpoint-malformed", "is no checkpoint of a ledger", named, Help: "name a file that holds an earlier checkpoint, such as `checkpoint` of an export or a mirror"));
    }
}
