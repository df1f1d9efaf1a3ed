using System.Text;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;
using Slipway.Server.Storage;
using Slipway.Trust.TransparencyLog;

namespace Slipway.Server.Ledger;

/// <summary>Where the log stands: its latest checkpoint, and what is needed to append to it. Read back only when it is what was signed.</summary>
/// <param name="Note">The signed checkpoint.</param>
/// <param name="Tree">Its tree; the one thing in here that changes, by appending.</param>
/// <param name="LastTime">Of the latest entry, in Unix milliseconds; 0 before the first.</param>
internal sealed record LedgerHead(byte[] Note, Checkpoint Checkpoint, CompactRange Tree, long LastTime)
{
    /// <summary>The one row.</summary>
    private const long Row = 1;

    public static Task MakeAsync(Session session, LedgerKey key) =>
        session.ExecuteAsync(
            "INSERT INTO ledger_log (id, verifier, checkpoint, peaks, last_time) VALUES (@Row, @verifier, @checkpoint, @peaks, 0)",
            new { Row, verifier = key.Verifier.ToString(), checkpoint = Encoding.UTF8.GetString(key.Sign(0, MerkleHash.EmptyRoot)), peaks = Array.Empty<byte>() });

    /// <exception cref="SlipwayException">The row is not as the log's key has signed it (exit 1): nothing is signed on top of that.</exception>
    public static async Task<LedgerHead> ReadAsync(Session session, NoteKey verifier)
    {
        var row = await session.FindAsync<LogRow>("SELECT checkpoint, peaks, last_time AS LastTime FROM ledger_log WHERE id = @Row", new { Row })
            ?? throw Damaged("there is no row in ledger_log");
        var note = Encoding.UTF8.GetBytes(row.Checkpoint);
        var verdict = Checkpoint.Open(note, verifier.Name, [verifier], out var checkpoint);
        if (checkpoint is null)
            throw Damaged($"its checkpoint is not one that this log has signed ({verdict})");
        if (row.Peaks.Length % Digest.Length != 0 || row.Peaks.Length / Digest.Length != TreeNode.OfTree(checkpoint.Size).Length)
            throw Damaged($"its peaks are not those of a tree of {checkpoint.Size} entries");
        var tree = new CompactRange(checkpoint.Size, [.. row.Peaks.Chunk(Digest.Length).Select(hash => new Digest(hash))]);
        return tree.Root == checkpoint.Root
            ? new LedgerHead(note, checkpoint, tree, row.LastTime)
            : throw Damaged($"its peaks do not hash to the signed root of its {checkpoint.Size} entries");
    }

    /// <summary>Signs the tree as it is now, and stores that.</summary>
    /// <param name="lastTime">Of the latest entry.</param>
    public Task SignAsync(Session session, LedgerKey key, long lastTime)
    {
        var peaks = new byte[Tree.Peaks.Count * Digest.Length];
        foreach (var (index, hash) in Tree.Peaks.Index())
            hash.CopyTo(peaks.AsSpan(index * Digest.Length));
        return session.ExecuteAsync(
            "UPDATE ledger_log SET checkpoint = @checkpoint, peaks = @peaks, last_time = @lastTime WHERE id = @Row",
            new { Row, checkpoint = Encoding.UTF8.GetString(key.Sign(Tree.Size, Tree.Root)), peaks, lastTime });
    }

    /// <summary>What the database holds is not what was written: somebody changed it, or the disk did.</summary>
    public static SlipwayException Damaged(string what) =>
        new(ExitCode.BadVerdict, new Fault("ledger-damaged", $"the ledger in the database is not as it was signed: {what}", Help: "nothing is written on top of it: restore the database from a backup; `slipway audit verify` shows the place while a server runs, and its --folder checks a mirror"));

    private sealed record LogRow(string Checkpoint, byte[] Peaks, long LastTime);
}
