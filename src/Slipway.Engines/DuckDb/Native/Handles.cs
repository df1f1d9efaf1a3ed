using System.Runtime.InteropServices;

namespace Slipway.Engines.DuckDb.Native;

/// <summary>A handle that keeps its parent alive until it is gone itself.</summary>
internal abstract class ChildHandle : SafeHandle
{
    private readonly SafeHandle? parent;

    protected ChildHandle(SafeHandle? parent, nint value)
        : base(0, ownsHandle: true)
    {
        var held = false;
        parent?.DangerousAddRef(ref held);
        this.parent = parent;
        SetHandle(value);
    }

    public sealed override bool IsInvalid => handle == 0;

    protected sealed override bool ReleaseHandle()
    {
        Destroy();
        parent?.DangerousRelease();
        return true;
    }

    protected abstract void Destroy();
}

internal sealed class DatabaseHandle(nint value) : ChildHandle(null, value)
{
    protected override void Destroy() => NativeDuckDb.duckdb_close(ref handle);
}

internal sealed class ConnectionHandle(DatabaseHandle database, nint value) : ChildHandle(database, value)
{
    protected override void Destroy() => NativeDuckDb.duckdb_disconnect(ref handle);
}

/// <summary>A running or finished query; owns the memory of the C struct.</summary>
internal sealed unsafe class ResultHandle(ConnectionHandle connection) : ChildHandle(connection, (nint)NativeMemory.AllocZeroed((nuint)sizeof(NativeDuckDb.Result)))
{
    /// <summary>Valid while this handle is; callers keep it alive.</summary>
    public NativeDuckDb.Result* Value => (NativeDuckDb.Result*)handle;

    protected override void Destroy()
    {
        NativeDuckDb.duckdb_destroy_result(Value);
        NativeMemory.Free(Value);
    }
}

/// <summary>Up to 2,048 rows of a result.</summary>
internal sealed class ChunkHandle(ResultHandle result, nint value) : ChildHandle(result, value)
{
    protected override void Destroy() => NativeDuckDb.duckdb_destroy_data_chunk(ref handle);
}
