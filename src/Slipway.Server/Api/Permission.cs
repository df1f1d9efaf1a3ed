namespace Slipway.Server.Api;

/// <summary>What an endpoint asks of its caller. Every endpoint names one; there is no default.</summary>
internal enum Permission
{
    /// <summary>Anyone, without a token: health and sign-in. Never anything of a model's.</summary>
    Anyone,

    /// <summary>Whoever proves who they are, whatever their roles: only ever about the caller's own self.</summary>
    SignedIn,

    /// <summary>See a model: versions, channels, rollouts, evidence.</summary>
    Read,

    /// <summary>Download bundles: whoever reads a model, and gateways.</summary>
    Fetch,

    /// <summary>Upload bundles and register versions.</summary>
    Push,

    /// <summary>Ask that a version may go to a channel.</summary>
    Promote,

    /// <summary>Approve or reject a promotion.</summary>
    Approve,

    /// <summary>Start, pause, resume, abort and roll back releases.</summary>
    Operate,

    /// <summary>Tell what predictions turned out to be.</summary>
    Label,

    /// <summary>Principals, tokens, trusted keys, policies.</summary>
    Administer,

    /// <summary>A gateway's own calls: desired state, events.</summary>
    Gateway,
}
