using System.Collections.Immutable;
using Slipway.Primitives.Faults;

namespace Slipway.Documents.Ledger;

/// <summary>Where a log is read from to check it: a server, or a folder that it was copied to. Nothing that it says is believed.</summary>
public interface ILedgerSource
{
    /// <summary>One file of the published layout: <c>key</c>, <c>checkpoint</c>, <c>tile/…</c>.</summary>
    /// <param name="maxBytes">What has more is refused.</param>
    /// <exception cref="SlipwayException">It lacks what its checkpoint says is there, it is too large, or the source says itself that it is damaged (exit 1); no such source (exit 2, 3).</exception>
    Task<byte[]> ReadAsync(string path, int maxBytes, CancellationToken cancellation);

    /// <summary>Entries with their payloads, oldest first.</summary>
    /// <param name="after">Index of the last one already read; −1 for none.</param>
    /// <returns>Empty when there are no more; null when the source holds no payloads.</returns>
    Task<ImmutableArray<LedgerRecord>?> EntriesAsync(long after, CancellationToken cancellation);
}
