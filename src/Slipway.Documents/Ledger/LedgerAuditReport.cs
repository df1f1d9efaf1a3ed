using System.Collections.Immutable;
using Slipway.Primitives.Faults;
using Slipway.Trust.TransparencyLog;

namespace Slipway.Documents.Ledger;

/// <summary>What checking a whole log has found.</summary>
/// <param name="Key">The key that its checkpoint was checked with; null when there was none to be had.</param>
/// <param name="Note">The checkpoint as it was signed; worth keeping when there are no problems.</param>
/// <param name="Checkpoint">Null when it is not signed by the key.</param>
/// <param name="Entries">How many were read and checked.</param>
/// <param name="Payloads">How many of them have a payload, which matches what the entry commits to.</param>
/// <param name="Erased">How many payloads are gone and the ledger tells of their erasure.</param>
/// <param name="Open">Indices of intents without an outcome yet: what is under way, or was cut off.</param>
/// <param name="Problems">Empty when the log is sound; at most <see cref="MaxProblems"/>.</param>
/// <param name="Notes">What was not checked, and why.</param>
public sealed record LedgerAuditReport(
    NoteKey? Key,
    ImmutableArray<byte> Note,
    Checkpoint? Checkpoint,
    long Entries,
    long Payloads,
    long Erased,
    ImmutableArray<long> Open,
    ImmutableArray<Fault> Problems,
    ImmutableArray<string> Notes)
{
    /// <summary>More would hide the first ones, which say where to look.</summary>
    public const int MaxProblems = 50;

    public bool IsSound => Problems.IsEmpty && Checkpoint is not null;
}
