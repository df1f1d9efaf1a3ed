using System.Collections.Immutable;
using System.Text;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;
using Slipway.Trust.TransparencyLog;

namespace Slipway.Documents.Ledger;

/// <summary>
/// Checks a whole log: its checkpoint's signature, every entry and payload, every stored hash, the root, and that it continues earlier
/// checkpoints. Believes nothing but the key and the checkpoints that it is given.
/// </summary>
/// <remarks>Holds some 100 bytes an entry in memory, and one bundle of 256 entries at a time. What a source says to be damaged, or lacks, is a problem of the log.</remarks>
public sealed partial class LedgerAudit
{
    private readonly ILedgerSource source;
    private readonly Action<long, long> progress;
    private readonly List<Fault> problems = [];
    private readonly List<string> notes = [];

    private LedgerAudit(ILedgerSource source, Action<long, long> progress) => (this.source, this.progress) = (source, progress);

    /// <param name="trusted">Null takes the key that the source names: then only what was signed by one key from now on can be told.</param>
    /// <param name="earlier">Checkpoints that this log has shown before, as it signed them.</param>
    /// <param name="progress">Told how many entries of how many are checked.</param>
    /// <exception cref="SlipwayException">The source cannot be reached (exit 3), or is none (exit 2): nothing is known of the log then.</exception>
    public static async Task<LedgerAuditReport> RunAsync(
        ILedgerSource source, NoteKey? trusted, IReadOnlyCollection<byte[]> earlier, Action<long, long> progress, CancellationToken cancellation)
    {
        var audit = new LedgerAudit(source, progress);
        byte[] note = [];
        Checkpoint? checkpoint = null;
        NoteKey? key = null;
        try
        {
            key = trusted ?? await audit.ReadKeyAsync(cancellation);
            // The payloads first: what is missing of them was erased before, so the checkpoint that follows covers the entry that says so.
            var hasList = await audit.TryListAsync(cancellation);
            note = await source.ReadAsync("checkpoint", SignedNote.MaxBytes, cancellation);
            checkpoint = key is null ? null : audit.Open(note, key, "the checkpoint");
            if (checkpoint is not null)
                await audit.CheckAsync(checkpoint, audit.OpenEarlier(earlier, key!, checkpoint), hasList, cancellation);
        }
        catch (SlipwayException e) when (e.Exit == ExitCode.BadVerdict)
        {
            // It could not be checked to its end, and so it is not sound.
            foreach (var fault in e.Faults)
                audit.Report(fault);
        }

        var present = audit.listed.Take((int)audit.tree.Size).Count(entry => entry.Payload is not null);
        return new LedgerAuditReport(
            key, [.. note], checkpoint, audit.tree.Size, present, audit.listed.Count > 0 ? audit.tree.Size - present : 0, audit.rules.Open, [.. audit.problems.Take(LedgerAuditReport.MaxProblems)], [.. audit.notes]);
    }

    private async Task CheckAsync(Checkpoint checkpoint, ILookup<long, (Digest Root, string Name)> earlier, bool hasList, CancellationToken cancellation)
    {
        Compare(earlier);
        foreach (var bundle in TilePath.OfLevel(null, checkpoint.Size))
        {
            await CheckBundleAsync(bundle, earlier, cancellation);
            progress(tree.Size, checkpoint.Size);
        }

        if (tree.Root != checkpoint.Root)
            Report("ledger-root-differs", $"the {checkpoint.Size} entries do not hash to the root that was signed for them: entries were edited, re-ordered, put in or taken out");
        foreach (var tile in TilePath.OfTree(checkpoint.Size).Where(tile => tile.Level > 0))
            await CheckTileAsync(tile, upper[tile.Level!.Value], cancellation);
        if (hasList)
            await CheckListAsync(checkpoint.Size, cancellation);
    }

    private async Task<NoteKey?> ReadKeyAsync(CancellationToken cancellation)
    {
        try
        {
            return NoteKey.Parse(Encoding.UTF8.GetString(await source.ReadAsync("key", SignedNote.MaxBytes, cancellation)));
        }
        catch (FormatException e)
        {
            Report("ledger-key-malformed", $"the log's key cannot be read: {e.Message}");
            return null;
        }
    }

    private ILookup<long, (Digest Root, string Name)> OpenEarlier(IReadOnlyCollection<byte[]> notes, NoteKey key, Checkpoint checkpoint)
    {
        var opened = notes.Select(note => Open(note, key, "an earlier checkpoint")).OfType<Checkpoint>().ToArray();
        foreach (var longer in opened.Where(old => old.Size > checkpoint.Size))
            Report("ledger-truncated", $"the log had {longer.Size} entries when an earlier checkpoint was signed, and has {checkpoint.Size} now");
        return opened.Where(old => old.Size <= checkpoint.Size).ToLookup(old => old.Size, old => (old.Root, $"the earlier checkpoint of {old.Size} entries"));
    }

    private Checkpoint? Open(byte[] note, NoteKey key, string name)
    {
        var verdict = Checkpoint.Open(note, key.Name, [key], out var checkpoint);
        if (checkpoint is null)
            Report("ledger-checkpoint-untrusted", $"{name} is not one that {key.Name} has signed with key {key.Key.KeyId[..12]} ({verdict})");
        return checkpoint;
    }

    private void Compare(ILookup<long, (Digest Root, string Name)> earlier)
    {
        foreach (var (_, name) in earlier[tree.Size].Where(old => old.Root != tree.Root))
            Report("ledger-forked", $"the log's first {tree.Size} entries are not those of {name}: this is another history than the one that was shown then");
    }

    private void Report(string code, string message) => Report(new Fault(code, message));

    private void Report(Fault fault)
    {
        if (problems.Count < LedgerAuditReport.MaxProblems)
            problems.Add(fault);
    }

    private static SlipwayException Failure(string code, string message) => new(ExitCode.BadVerdict, new Fault(code, message));
}
