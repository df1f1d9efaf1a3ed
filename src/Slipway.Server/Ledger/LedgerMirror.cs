using System.Globalization;
using System.Text;
using System.Threading.Channels;
using Slipway.Primitives.Faults;
using Slipway.Primitives.Files;
using Slipway.Server.Storage;
using Slipway.Trust.TransparencyLog;

namespace Slipway.Server.Ledger;

/// <summary>
/// Copies the log into a folder after every change, in the published layout: <c>key</c>, <c>tile/…</c>, <c>checkpoints/SIZE</c> and last
/// <c>checkpoint</c>. A log that does not continue what is in the folder is not copied over it: that is how a rewritten one is caught.
/// </summary>
/// <remarks>Best on a disk that the server can add to, and not change. A folder that cannot be written delays no change.</remarks>
internal sealed class LedgerMirror : IAsyncDisposable
{
    /// <summary>How soon a folder that could not be written is tried again where no change asks for it sooner.</summary>
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(30);

    /// <summary>How long stopping waits for the last entries to be copied; the next start copies what is missing.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private readonly Database database;
    private readonly NoteKey verifier;
    private readonly string folder;
    private readonly Action<string> log;

    /// <summary>One pending signal stands for any number of changes: a copy takes all that there is.</summary>
    private readonly Channel<bool> signal = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    private readonly CancellationTokenSource stopping = new();
    private readonly ITimer retry;
    private Task copying = Task.CompletedTask;
    private bool failing;

    private LedgerMirror(Database database, NoteKey verifier, string folder, Action<string> log, TimeProvider time)
    {
        (this.database, this.verifier, this.folder, this.log) = (database, verifier, folder, log);
        retry = time.CreateTimer(_ => Signal(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Brings the folder up to date, and keeps it so.</summary>
    /// <exception cref="SlipwayException">The log is not the one in the folder, or does not continue it (exit 1); the folder cannot be written (exit 3).</exception>
    public static async Task<LedgerMirror> StartAsync(Database database, LedgerWriter ledger, string folder, Action<string> log, TimeProvider time, CancellationToken cancellation)
    {
        var mirror = new LedgerMirror(database, ledger.Verifier, folder, log, time);
        try
        {
            await mirror.CopyAsync(cancellation);
        }
        catch
        {
            await mirror.DisposeAsync();
            throw;
        }

        database.Changed += mirror.Signal;
        mirror.copying = mirror.KeepCopyingAsync();
        return mirror;
    }

    public async ValueTask DisposeAsync()
    {
        database.Changed -= Signal;
        signal.Writer.Complete();
        stopping.CancelAfter(Patience);
        await copying;
        await retry.DisposeAsync();
        stopping.Dispose();
    }

    private void Signal() => signal.Writer.TryWrite(true);

    private async Task KeepCopyingAsync()
    {
        try
        {
            while (await signal.Reader.WaitToReadAsync(stopping.Token))
            {
                while (signal.Reader.TryRead(out _))
                {
                    // All of them are answered by one copy.
                }

                try
                {
                    await CopyAsync(stopping.Token);
                    failing = false;
                }
                catch (Exception e) when (e is SlipwayException or IOException or UnauthorizedAccessException)
                {
                    if (!failing)
                        log($"the ledger is not mirrored: {e.Message}");
                    failing = true;
                    retry.Change(RetryAfter, Timeout.InfiniteTimeSpan);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // Stopped before all was copied; the next start does the rest.
        }
    }

    private async Task CopyAsync(CancellationToken cancellation)
    {
        var mirrored = Mirrored();
        var head = await database.ReadAsync(
            async session =>
            {
                var head = await LedgerHead.ReadAsync(session, verifier);
                await RequireContinuesAsync(session, mirrored, head.Checkpoint);
                return head;
            },
            cancellation);
        var size = head.Checkpoint.Size;
        if (mirrored?.Size == size)
            return;
        AtomicFile.Write(InFolder("key"), Encoding.UTF8.GetBytes(verifier + "\n"));
        // A tile never changes, so each is read by itself.
        foreach (var tile in TilePath.OfTree(size).Where(tile => mirrored is null || !tile.IsIn(mirrored.Size)))
        {
            AtomicFile.Write(InFolder(tile.ToString()), await database.ReadAsync(session => LedgerTree.TileAsync(session, tile), cancellation));
            if (tile.IsFull)
                RemovePartial(tile);
        }

        AtomicFile.Write(InFolder($"checkpoints/{size.ToString(CultureInfo.InvariantCulture)}"), head.Note);
        AtomicFile.Write(InFolder("checkpoint"), head.Note);
    }

    /// <summary>A full tile holds all that its partial ones did; those of every change would come to gigabytes.</summary>
    private void RemovePartial(TilePath full)
    {
        try
        {
            var partial = InFolder(full + ".p");
            if (Directory.Exists(partial))
                Directory.Delete(partial, recursive: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // A disk that can only be added to keeps them, and that is what it is for.
        }
    }

    /// <returns>Null when nothing was mirrored yet.</returns>
    private Checkpoint? Mirrored()
    {
        var file = InFolder("checkpoint");
        if (FileStamp.Of(file) is not { } stamp)
            return null;
        if (stamp.Size > SignedNote.MaxBytes)
            throw Rewritten("the mirror's checkpoint is too large to be one");
        var verdict = Checkpoint.Open(File.ReadAllBytes(file), verifier.Name, [verifier], out var checkpoint);
        return checkpoint ?? throw Rewritten($"the mirror's checkpoint is not one that this ledger has signed ({verdict})");
    }

    private async Task RequireContinuesAsync(Session session, Checkpoint? mirrored, Checkpoint current)
    {
        if (mirrored is null or { Size: 0 })
            return;
        if (current.Size < mirrored.Size)
            throw Rewritten($"the mirror has {mirrored.Size} entries, the database {current.Size}");
        var proof = await LedgerTree.ProveConsistencyAsync(session, mirrored.Size, current.Size);
        if (proof.Verify(mirrored.Root, current.Root) is var verdict and not ConsistencyProof.Verdict.Consistent)
            throw Rewritten($"the database's first {mirrored.Size} entries are not the mirror's ({verdict})");
    }

    private string InFolder(string path) => Path.Combine(folder, path);

    private SlipwayException Rewritten(string what) =>
        new(ExitCode.BadVerdict, new Fault("ledger-rewritten", $"the ledger does not continue its mirror: {what}", folder, Help: "the mirror holds what was signed before: find out who changed or restored the database; for a new beginning, name another folder"));
}
