using System.Collections.Immutable;
using System.Net;
using Slipway.Documents.Access;

namespace Slipway.Server.Api;

/// <summary>How a control plane runs.</summary>
public sealed record ServerOptions
{
    /// <summary>Holds bundles, the ledger's key and, without <see cref="Database"/>, the database. Made when missing.</summary>
    public required string Folder { get; init; }

    /// <summary>PostgreSQL's connection string; null for SQLite in <see cref="Folder"/>.</summary>
    public string? Database { get; init; }

    /// <summary>Private key that signs the ledger; several servers of one database have the same. Default: <c>ledger.key</c> in <see cref="Folder"/>, made when the ledger is.</summary>
    public string? LedgerKey { get; init; }

    /// <summary>Folder that every checkpoint and all tiles of the ledger are copied to, best one that this server cannot rewrite; null for none.</summary>
    public string? LedgerMirror { get; init; }

    /// <summary>Default: this machine only.</summary>
    public IPAddress Address { get; init; } = IPAddress.Loopback;

    /// <summary>0 takes any that is free.</summary>
    public int Port { get; init; } = 4040;

    /// <summary>Names that a proxy on this machine passes on; a server of this machine alone answers to no other name but localhost.</summary>
    public ImmutableArray<string> HostNames { get; init; } = [];

    /// <summary>Identity providers whose tokens are taken, beside the server's own.</summary>
    public ImmutableArray<OidcTrust> Oidc { get; init; } = [];

    /// <summary>What retraining rules may start; names are unique. Servers of one database have the same.</summary>
    public ImmutableArray<Trigger> Triggers { get; init; } = [];

    /// <summary>Makes a new token for an administrator at this start, for who lost them all.</summary>
    public bool NewAdminToken { get; init; }

    /// <summary>Told in sentences what happens. Default: nobody.</summary>
    public Action<string> Log { get; init; } = static _ => { };

    public TimeProvider Time { get; init; } = TimeProvider.System;
}
