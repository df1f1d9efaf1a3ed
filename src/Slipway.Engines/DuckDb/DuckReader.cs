using System.Collections.Immutable;
using System.Runtime.InteropServices;
using Slipway.Engines.DuckDb.Native;

namespace Slipway.Engines.DuckDb;

/// <summary>The rows of a query, a chunk of at most 2,048 at a time.</summary>
/// <example><code>
/// using var rows = database.Query("SELECT late, probability FROM predictions");
/// while (rows.Read())
///     for (var i = 0; i &lt; rows.Rows; i++)
///         Add(rows.Columns[0].Int64(i), rows.Columns[1].Double(i));
/// </code></example>
public sealed unsafe class DuckReader : IDisposable
{
    private readonly DuckDatabase database;
    private readonly ResultHandle result;
    private readonly CancellationToken cancellation;
    private ChunkHandle? chunk;

    internal DuckReader(DuckDatabase database, ResultHandle result, CancellationToken cancellation)
    {
        (this.database, this.result, this.cancellation) = (database, result, cancellation);
        var columns = ImmutableArray.CreateBuilder<DuckColumn>();
        for (ulong i = 0; i < NativeDuckDb.duckdb_column_count(result.Value); i++)
        {
            var type = NativeDuckDb.duckdb_column_logical_type(result.Value, i);
            var name = Marshal.PtrToStringUTF8((nint)NativeDuckDb.duckdb_column_name(result.Value, i))!;
            columns.Add(new DuckColumn(name, ColumnType.Of(type)));
            NativeDuckDb.duckdb_destroy_logical_type(ref type);
        }

        Columns = columns.ToImmutable();
    }

    /// <summary>In the order of the query; their values are those of the current chunk.</summary>
    public ImmutableArray<DuckColumn> Columns { get; }

    /// <summary>Rows of the current chunk; 0 before the first <see cref="Read"/>.</summary>
    public int Rows { get; private set; }

    /// <summary>The column of that name, compared exactly.</summary>
    /// <exception cref="KeyNotFoundException">There is none.</exception>
    public DuckColumn this[string name] =>
        Columns.FirstOrDefault(column => column.Name == name) ?? throw new KeyNotFoundException($"the query has no column '{name}'");

    /// <summary>Moves to the next chunk; spans of the one before are dead from here on.</summary>
    /// <returns>False when all rows were read.</returns>
    /// <exception cref="DuckException">The query failed on the way: what was read so far is not the whole result.</exception>
    public bool Read()
    {
        ObjectDisposedException.ThrowIf(result.IsClosed, this);
        using var interruption = database.InterruptOn(cancellation);
        Drop();
        var next = NativeDuckDb.duckdb_fetch_chunk(*result.Value);
        if (next == 0)
        {
            var message = NativeDuckDb.duckdb_result_error(result.Value);
            return message is null || *message == 0 ? false : throw DuckDatabase.Failure(message, cancellation);
        }

        chunk = new ChunkHandle(result, next);
        Rows = (int)NativeDuckDb.duckdb_data_chunk_get_size(chunk);
        for (var i = 0; i < Columns.Length; i++)
            Columns[i].Point(NativeDuckDb.duckdb_data_chunk_get_vector(chunk, (ulong)i), Rows);
        return true;
    }

    public void Dispose()
    {
        Drop();
        result.Dispose();
        database.Release(this);
    }

    private void Drop()
    {
        Rows = 0;
        foreach (var column in Columns)
            column.Point(0, 0);
        chunk?.Dispose();
        chunk = null;
    }
}
