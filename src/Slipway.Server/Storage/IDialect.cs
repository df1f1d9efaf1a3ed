using System.Data.Common;
using Slipway.Primitives.Faults;

namespace Slipway.Server.Storage;

/// <summary>Where SQLite and PostgreSQL differ.</summary>
internal interface IDialect : IAsyncDisposable
{
    string BytesType { get; }

    /// <summary>An expression for the database's clock: Unix milliseconds, a BIGINT.</summary>
    string Now { get; }

    ValueTask<DbConnection> OpenAsync(CancellationToken cancellation);

    ValueTask<DbTransaction> BeginReadAsync(DbConnection connection, CancellationToken cancellation);

    /// <summary>Begins a transaction that no other change of any process runs beside.</summary>
    ValueTask<DbTransaction> BeginChangeAsync(DbConnection connection, CancellationToken cancellation);

    /// <summary>Tells of other processes' committed changes from when this returns until it is cancelled.</summary>
    /// <returns>What then ends, without an exception.</returns>
    Task<Task> ListenAsync(Action changed, CancellationToken cancellation);

    /// <summary>Lets no copy of what was deleted or overwritten in a table stay in the database's own files. Outside of any transaction.</summary>
    Task ScrubAsync(DbConnection connection, string table, CancellationToken cancellation);

    /// <summary>Whether another connection could do better.</summary>
    bool IsConnectionLost(DbException failure);

    /// <summary>Takes no kept connection for the next call.</summary>
    void DropConnections();

    /// <returns>What a person can mend; null when it is a mistake of ours.</returns>
    SlipwayException? Explain(DbException failure);
}
