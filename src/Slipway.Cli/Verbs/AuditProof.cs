using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Slipway.Documents.Ledger;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;
using Slipway.Primitives.Files;
using Slipway.Trust.TransparencyLog;

namespace Slipway.Cli.Verbs;

/// <summary><c>slipway audit prove</c> and <c>audit check</c>: one entry, proven to somebody without access to the server.</summary>
internal static class AuditProof
{
    public static Command BuildProve(GlobalOptions global)
    {
        var index = new Argument<long>("index") { Description = "The entry, as `audit list` numbers it" };
        var output = new Option<string?>("-o", "--output") { Description = "Where to; default: INDEX.tlog-proof", HelpName = "FILE" };
        var payload = new Option<bool>("--payload") { Description = "With the actor's name, the reason and the evidence, which cannot be erased from a file that was given away" };
        var server = ServerClient.ServerOption();
        var key = AuditVerify.KeyOption();
        var verb = new Command("prove", "Writes a proof (c2sp.org/tlog-proof@v1) that an entry is in the ledger; it is checked without the server.\nExample: slipway audit prove 12 -o approval.tlog-proof") { index, output, payload, server, key };
        verb.SetAction(async (parsed, cancellation) =>
        {
            var shell = global.Shell(parsed);
            var number = parsed.GetRequiredValue(index);
            using var client = ServerClient.Open(parsed.GetValue(server));
            var path = string.Create(CultureInfo.InvariantCulture, $"{ServerLedger.Root}proof/{number}{(parsed.GetValue(payload) ? "?payload=true" : "")}");
            using var response = await client.SendAsync(new HttpRequestMessage(HttpMethod.Get, path), cancellation);
            await response.Content.LoadIntoBufferAsync(TlogProof.MaxBytes, cancellation);
            var bytes = await response.Content.ReadAsByteArrayAsync(cancellation);
            var (record, checkpoint) = Open(bytes, AuditVerify.ReadKey(shell, parsed.GetValue(key)) ?? RememberedLedger.Of(client.Url)?.NoteKey, client.Url.ToString());
            if (record.Index != number)
                throw Bad("proof-of-another", $"{client.Url} answered with a proof of entry {record.Index}");
            var file = parsed.GetValue(output) ?? string.Create(CultureInfo.InvariantCulture, $"{number}.tlog-proof");
            AtomicFile.Write(shell.PathOf(file), bytes);
            return Tell(shell, record, checkpoint, file);
        });
        return verb;
    }

    public static Command BuildCheck(GlobalOptions global)
    {
        var file = new Argument<string>("file") { Description = "A proof that `audit prove` has written" };
        var key = AuditVerify.KeyOption();
        var verb = new Command("check", "Checks a proof of a ledger entry, without a server.\nExample: slipway audit check approval.tlog-proof --key ledger-key.txt") { file, key };
        verb.SetAction(parsed =>
        {
            var shell = global.Shell(parsed);
            var path = shell.PathOf(parsed.GetRequiredValue(file));
            if (FileStamp.Of(path) is not { Kind: FileKind.File, Size: <= TlogProof.MaxBytes })
                throw new SlipwayException(ExitCode.UnusableInput, new Fault("proof-missing", $"is no file of at most {TlogProof.MaxBytes} bytes", parsed.GetRequiredValue(file)));
            var (record, checkpoint) = Open(File.ReadAllBytes(path), AuditVerify.ReadKey(shell, parsed.GetValue(key)), parsed.GetRequiredValue(file));
            return Tell(shell, record, checkpoint, null);
        });
        return verb;
    }

    /// <summary>Reads a proof, and checks it by a trusted key: the one given, or the one remembered of the log that it names.</summary>
    private static (LedgerRecord Record, Checkpoint Checkpoint) Open(byte[] bytes, NoteKey? key, string from)
    {
        if (TlogProof.Read(bytes) is not { Extra: { } extra } proof || Read(extra.AsSpan()) is not { } record || SignedNote.Read(proof.Checkpoint.AsSpan()) is not { } note)
            throw Bad("proof-malformed", "is no proof of a ledger entry", from);
        var claimed = Checkpoint.ReadUnverified(note)?.Origin ?? "";
        var trusted = key ?? RememberedLedger.KeyOf(claimed)
            ?? throw new SlipwayException(ExitCode.NotThere, new Fault("no-verifier-key", $"it says that it is of the ledger {claimed}, whose key is not known here", from, Help: "say --key KEY, or check that ledger once with `slipway audit verify`"));
        var leaf = CanonicalJson.Serialize(record.Entry, LedgerJson.Default.LedgerEntry);
        var verdict = proof.Verify(leaf, trusted.Name, [trusted], out var checkpoint);
        if (checkpoint is null || record.Index != proof.Index)
            throw Bad("proof-fails", verdict == TlogProof.Verdict.CheckpointNotTrusted ? $"its checkpoint is not one that {trusted.Name} has signed with key {trusted.Key.KeyId[..12]}" : "the entry that it shows is not in the ledger at that place", from);
        if (record.Payload is { } payload && Digest.Of(CanonicalJson.Serialize(payload, LedgerJson.Default.LedgerPayload)) != record.Entry.Payload)
            throw Bad("proof-fails", "the name, reason and evidence that it shows are not those that the entry commits to", from);
        return (record, checkpoint);
    }

    private static LedgerRecord? Read(ReadOnlySpan<byte> extra)
    {
        try
        {
            return JsonSerializer.Deserialize(extra, LedgerJson.Default.LedgerRecord);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static int Tell(Shell shell, LedgerRecord record, Checkpoint checkpoint, string? written)
    {
        if (shell.Json)
        {
            shell.WriteJson(new JsonObject
            {
                ["verdict"] = "pass",
                ["file"] = written,
                ["record"] = JsonSerializer.SerializeToNode(record, LedgerJson.Default.LedgerRecord),
                ["checkpoint"] = new JsonObject { ["origin"] = checkpoint.Origin, ["size"] = checkpoint.Size, ["root"] = checkpoint.Root.ToString() },
            });
            return 0;
        }

        shell.Out.WriteLine($"proven    entry {record.Index} of {checkpoint.Size} in {checkpoint.Origin}");
        foreach (var line in AuditList.Lines(record, missing: "not in this proof", intent: "intended; its outcome is an entry of its own"))
            shell.Out.WriteLine(line);
        if (written is not null)
            shell.Out.WriteLine($"wrote     {written}");
        return 0;
    }

    private static SlipwayException Bad(string code, string message, string? file = null) => new(ExitCode.BadVerdict, new Fault(code, message, file));
}
