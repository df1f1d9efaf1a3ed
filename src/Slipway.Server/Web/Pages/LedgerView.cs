using System.Collections.Immutable;
using Slipway.Documents.Ledger;

namespace Slipway.Server.Web.Pages;

/// <summary>A page of the ledger's entries, newest first.</summary>
/// <param name="Next">Entries before this index are on the next page; null for the last page.</param>
public sealed record LedgerView(ImmutableArray<LedgerRecord> Records, long Size, string Checkpoint, string Verifier, LedgerFilter Filter, long? Next);

/// <summary>As people asked; empty for anything.</summary>
public sealed record LedgerFilter(string Subject, string Action, string Actor);
