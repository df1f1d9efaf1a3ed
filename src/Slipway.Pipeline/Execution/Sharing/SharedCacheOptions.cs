using Slipway.Trust.Policies;
using Slipway.Trust.Signing;

namespace Slipway.Pipeline.Execution.Sharing;

/// <summary>How a run uses a shared cache.</summary>
public sealed record SharedCacheOptions
{
    /// <summary>Whose entries are believed: of signers whom it names for provenance, of them alone.</summary>
    public required TrustPolicy Trusted { get; init; }

    /// <summary>Signs what is put there. Default: null, nothing is put there.</summary>
    public ISigner? Signer { get; init; }

    public TimeProvider Clock { get; init; } = TimeProvider.System;

    /// <summary>How long the cache may take to say whether it has an entry; then it is not asked again in this run. Default 5 s, above 0.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(5);
}
