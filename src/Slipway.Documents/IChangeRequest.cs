namespace Slipway.Documents;

/// <summary>What asks the server for a change. Every change has a reason, and the server takes none without.</summary>
public interface IChangeRequest
{
    /// <summary>Characters of a reason: it stands in sentences and in the ledger.</summary>
    const int LongestReason = 2_000;

    /// <summary>Why, in a person's words.</summary>
    string Reason { get; }
}
