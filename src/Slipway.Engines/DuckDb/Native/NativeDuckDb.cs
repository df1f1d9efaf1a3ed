using System.Runtime.InteropServices;

namespace Slipway.Engines.DuckDb.Native;

/// <summary>The functions of libduckdb 1.5 that this binding needs, as its C header declares them.</summary>
internal static unsafe partial class NativeDuckDb
{
    /// <summary>The library's own name (its SONAME), under which the loader finds what is loaded already.</summary>
    private const string Library = "libduckdb.so";
    private const string Package = "@duckdb/node-bindings-linux-x64/libduckdb.so";

    // An assembly can have but one import resolver, and two engines live in this one: so it is loaded by its path first.
    static NativeDuckDb() => NativeLibrary.Load(File);

    public static string File => EngineFile.Find(Package);

    /// <summary><c>duckdb_result</c>: passed by value to the chunk function, so its size is part of the contract.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct Result
    {
        private ulong columnCount, rowCount, rowsChanged;
        private void* columns, message, data;
    }

    [LibraryImport(Library)]
    public static partial int duckdb_open_ext(byte* path, out nint database, nint config, out nint message);

    [LibraryImport(Library)]
    public static partial void duckdb_close(ref nint database);

    [LibraryImport(Library)]
    public static partial int duckdb_connect(DatabaseHandle database, out nint connection);

    [LibraryImport(Library)]
    public static partial void duckdb_disconnect(ref nint connection);

    [LibraryImport(Library)]
    public static partial void duckdb_interrupt(ConnectionHandle connection);

    [LibraryImport(Library)]
    public static partial void duckdb_free(nint memory);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int duckdb_query(ConnectionHandle connection, string sql, Result* result);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int duckdb_prepare(ConnectionHandle connection, string sql, out nint statement);

    [LibraryImport(Library)]
    public static partial byte* duckdb_prepare_error(nint statement);

    [LibraryImport(Library)]
    public static partial void duckdb_destroy_prepare(ref nint statement);

    [LibraryImport(Library)]
    public static partial int duckdb_pending_prepared_streaming(nint statement, out nint pending);

    [LibraryImport(Library)]
    public static partial byte* duckdb_pending_error(nint pending);

    [LibraryImport(Library)]
    public static partial int duckdb_execute_pending(nint pending, Result* result);

    [LibraryImport(Library)]
    public static partial void duckdb_destroy_pending(ref nint pending);

    [LibraryImport(Library)]
    public static partial byte* duckdb_result_error(Result* result);

    [LibraryImport(Library)]
    public static partial void duckdb_destroy_result(Result* result);

    [LibraryImport(Library)]
    public static partial ulong duckdb_column_count(Result* result);

    [LibraryImport(Library)]
    public static partial byte* duckdb_column_name(Result* result, ulong column);

    [LibraryImport(Library)]
    public static partial nint duckdb_column_logical_type(Result* result, ulong column);

    [LibraryImport(Library)]
    public static partial void duckdb_destroy_logical_type(ref nint type);

    [LibraryImport(Library)]
    public static partial int duckdb_get_type_id(nint type);

    [LibraryImport(Library)]
    public static partial byte duckdb_decimal_scale(nint type);

    [LibraryImport(Library)]
    public static partial int duckdb_decimal_internal_type(nint type);

    [LibraryImport(Library)]
    public static partial nint duckdb_fetch_chunk(Result result);

    [LibraryImport(Library)]
    public static partial void duckdb_destroy_data_chunk(ref nint chunk);

    [LibraryImport(Library)]
    public static partial ulong duckdb_data_chunk_get_size(ChunkHandle chunk);

    [LibraryImport(Library)]
    public static partial nint duckdb_data_chunk_get_vector(ChunkHandle chunk, ulong column);

    [LibraryImport(Library)]
    public static partial void* duckdb_vector_get_data(nint vector);

    [LibraryImport(Library)]
    public static partial ulong* duckdb_vector_get_validity(nint vector);
}
