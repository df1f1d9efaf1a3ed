using System.Runtime.InteropServices;
using Slipway.Engines.DuckDb.Native;
using Slipway.Primitives.Files;

namespace Slipway.Engines.DuckDb;

/// <summary>
/// A DuckDB database in memory with one connection, locked down before the first statement of a caller: no file but the
/// allowed ones, no network, no extension, no setting can be changed.
/// </summary>
/// <remarks>
/// One statement at a time: a reader must be disposed before the next one begins. Not thread-safe. Costs some 15 ms to open
/// (the first one in a process more, for loading the library).
/// </remarks>
public sealed unsafe class DuckDatabase : IDisposable
{
    private static int counter;

    /// <summary>The engine's own file; whoever runs it needs to see it.</summary>
    /// <exception cref="Slipway.Primitives.Faults.SlipwayException">It is not installed (exit 3).</exception>
    public static string LibraryFile => NativeDuckDb.File;

    private readonly string spillFolder;
    private readonly DatabaseHandle database;
    private readonly ConnectionHandle connection;
    private DuckReader? reader;

    private DuckDatabase(string spillFolder)
    {
        this.spillFolder = spillFolder;
        if (NativeDuckDb.duckdb_open_ext(null, out var opened, 0, out var message) != 0)
        {
            var text = Marshal.PtrToStringUTF8(message);
            NativeDuckDb.duckdb_free(message);
            throw new DuckException(text ?? "no database could be opened");
        }

        database = new DatabaseHandle(opened);
        if (NativeDuckDb.duckdb_connect(database, out var connected) != 0)
        {
            database.Dispose();
            throw new DuckException("no connection to the database could be made");
        }

        connection = new ConnectionHandle(database, connected);
    }

    /// <exception cref="Primitives.Faults.SlipwayException">The engine is not installed, or the scratch folder cannot be written (exit 3).</exception>
    /// <exception cref="DuckException">An option is out of its range.</exception>
    public static DuckDatabase Open(DuckOptions options)
    {
        AtomicFile.CreateFolder(options.ScratchFolder);
        RemoveLeftovers(options.ScratchFolder);
        var spill = Path.Combine(Path.GetFullPath(options.ScratchFolder), $"duckdb-{Environment.ProcessId}-{Interlocked.Increment(ref counter)}");
        var opened = new DuckDatabase(spill);
        try
        {
            opened.LockDown(options);
            return opened;
        }
        catch
        {
            opened.Dispose();
            throw;
        }
    }

    /// <summary>Runs one or more statements and drops what they return.</summary>
    /// <exception cref="DuckException">A statement failed; the ones before it took effect.</exception>
    public void Execute(string sql, CancellationToken cancellation = default)
    {
        Begin(sql);
        using var result = new ResultHandle(connection);
        using var interruption = InterruptOn(cancellation);
        if (NativeDuckDb.duckdb_query(connection, sql, result.Value) != 0)
            throw Failure(NativeDuckDb.duckdb_result_error(result.Value), cancellation);
    }

    /// <summary>Starts one statement whose rows are then read chunk by chunk, in memory of bounded size.</summary>
    /// <exception cref="DuckException">It is not exactly one statement, or it failed.</exception>
    public DuckReader Query(string sql, CancellationToken cancellation = default)
    {
        Begin(sql);
        var result = new ResultHandle(connection);
        nint statement = 0, pending = 0;
        try
        {
            using var interruption = InterruptOn(cancellation);
            if (NativeDuckDb.duckdb_prepare(connection, sql, out statement) != 0)
                throw Failure(NativeDuckDb.duckdb_prepare_error(statement), cancellation);
            if (NativeDuckDb.duckdb_pending_prepared_streaming(statement, out pending) != 0)
                throw Failure(NativeDuckDb.duckdb_pending_error(pending), cancellation);
            if (NativeDuckDb.duckdb_execute_pending(pending, result.Value) != 0)
                throw Failure(NativeDuckDb.duckdb_result_error(result.Value), cancellation);
            return reader = new DuckReader(this, result, cancellation);
        }
        catch
        {
            result.Dispose();
            throw;
        }
        finally
        {
            if (pending != 0)
                NativeDuckDb.duckdb_destroy_pending(ref pending);
            if (statement != 0)
                NativeDuckDb.duckdb_destroy_prepare(ref statement);
        }
    }

    /// <summary>The rows of a small result as text; null stands for NULL.</summary>
    /// <remarks>Holds the whole result: for catalogues, counts and examples.</remarks>
    public List<string?[]> Rows(string sql, CancellationToken cancellation = default)
    {
        using var rows = Query(sql, cancellation);
        var all = new List<string?[]>();
        while (rows.Read())
        {
            for (var row = 0; row < rows.Rows; row++)
                all.Add([.. rows.Columns.Select(column => column.IsNull(row) ? null : column.Text(row))]);
        }

        return all;
    }

    /// <summary>Closes it and removes what was spilled.</summary>
    public void Dispose()
    {
        reader?.Dispose();
        connection.Dispose();
        database.Dispose();
        if (Directory.Exists(spillFolder))
            Directory.Delete(spillFolder, recursive: true);
    }

    internal void Release(DuckReader ended)
    {
        if (reader == ended)
            reader = null;
    }

    internal CancellationTokenRegistration InterruptOn(CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        return cancellation.Register(() => NativeDuckDb.duckdb_interrupt(connection));
    }

    /// <summary>The one place where a failed status becomes an exception.</summary>
    internal static Exception Failure(byte* message, CancellationToken cancellation)
    {
        var text = Marshal.PtrToStringUTF8((nint)message) ?? "DuckDB failed without a message";
        return cancellation.IsCancellationRequested && text.StartsWith("INTERRUPT Error", StringComparison.Ordinal)
            ? new OperationCanceledException(cancellation)
            : new DuckException(text);
    }

    private void Begin(string sql)
    {
        ObjectDisposedException.ThrowIf(connection.IsClosed, this);
        if (reader is not null)
            throw new InvalidOperationException("the rows of the query before must be disposed of first: a connection has one at a time");
        if (sql.Contains('\0'))
            throw new DuckException("Parser Error: a NUL character stands in the statement");
    }

    // The order matters: what external access may still reach must be said before it is closed, and the lock comes last.
    private void LockDown(DuckOptions options)
    {
        var folders = options.AllowedPaths.Where(Directory.Exists).ToList();
        var files = options.AllowedPaths.Except(folders).ToList();
        Execute(
            $"""
            SET memory_limit = {SqlText.Literal($"{options.MemoryLimit.Bytes}B")};
            SET threads = {SqlText.Literal(options.Threads)};
            SET temp_directory = {SqlText.Literal(spillFolder)};
            SET preserve_insertion_order = true;
            SET TimeZone = 'UTC';
            SET allow_persistent_secrets = false;
            SET allow_community_extensions = false;
            SET autoinstall_known_extensions = false;
            SET autoload_known_extensions = false;
            SET allowed_directories = {SqlText.List(folders)};
            SET allowed_paths = {SqlText.List(files.Concat(files.Select(SqlText.Plain)).Distinct())};
            SET enable_external_access = false;
            SET lock_configuration = true;
            """);
    }

    // A killed process cannot remove its folder, so the next one here does; a living one's is left alone.
    private static void RemoveLeftovers(string scratch)
    {
        foreach (var folder in Directory.EnumerateDirectories(scratch, "duckdb-*-*"))
        {
            var parts = Path.GetFileName(folder).Split('-');
            if (parts.Length == 3 && int.TryParse(parts[1], out var process) && !Directory.Exists($"/proc/{process}"))
                Directory.Delete(folder, recursive: true);
        }
    }
}
