using System.Collections.Immutable;
using Slipway.Primitives.Faults;
using Slipway.Primitives.Files;
using Slipway.Trust.TransparencyLog;

namespace Slipway.Documents.Ledger;

/// <summary>A log in files, as a server's mirror or an export writes it: leaves and hashes, and no payloads.</summary>
public sealed class LedgerFolder(string folder) : ILedgerSource
{
    public Task<byte[]> ReadAsync(string path, int maxBytes, CancellationToken cancellation)
    {
        var file = Path.Combine(folder, path);
        return FileStamp.Of(file) switch
        {
            // Without these it is no such folder; a tile that a checkpoint speaks of is missing from the log.
            null => throw new SlipwayException(path is "key" or "checkpoint" ? ExitCode.UnusableInput : ExitCode.BadVerdict, new Fault("ledger-file-missing", "is not there", file, Help: "is this a folder that a ledger was mirrored or exported to?")),
            { Kind: FileKind.File } stamp when stamp.Size <= maxBytes => File.ReadAllBytesAsync(file, cancellation),
            _ => throw new SlipwayException(ExitCode.BadVerdict, new Fault("ledger-file-unreadable", $"is no file of at most {maxBytes} bytes", file)),
        };
    }

    public Task<ImmutableArray<LedgerRecord>?> EntriesAsync(long after, CancellationToken cancellation) => Task.FromResult<ImmutableArray<LedgerRecord>?>(null);

    /// <summary>Copies a log, checkpoint last: what is read from elsewhere and not yet checked.</summary>
    /// <param name="checkpoint">The size that it says decides which tiles are copied.</param>
    /// <exception cref="SlipwayException">What the source throws; the folder cannot be written (exit 3).</exception>
    public static async Task CopyAsync(ILedgerSource source, string folder, byte[] checkpoint, long size, CancellationToken cancellation)
    {
        AtomicFile.Write(Path.Combine(folder, "key"), await source.ReadAsync("key", SignedNote.MaxBytes, cancellation));
        foreach (var tile in TilePath.OfTree(size))
        {
            var limit = tile.Level is null ? EntryBundle.MaxBytes : TilePath.MaxBytes;
            AtomicFile.Write(Path.Combine(folder, tile.ToString()), await source.ReadAsync(tile.ToString(), limit, cancellation));
        }

        AtomicFile.Write(Path.Combine(folder, "checkpoint"), checkpoint);
    }
}
