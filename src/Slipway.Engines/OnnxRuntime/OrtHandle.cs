using System.Runtime.InteropServices;

namespace Slipway.Engines.OnnxRuntime;

/// <summary>Owns one object of the library, and keeps the object that it depends on alive.</summary>
internal sealed unsafe class OrtHandle : SafeHandle
{
    private readonly delegate* unmanaged<void*, void> release;
    private readonly OrtHandle? parent;

    public OrtHandle(void* pointer, delegate* unmanaged<void*, void> release, OrtHandle? parent = null)
        : base(0, ownsHandle: true)
    {
        var taken = false;
        parent?.DangerousAddRef(ref taken);
        this.release = release;
        this.parent = parent;
        SetHandle((nint)pointer);
    }

    public override bool IsInvalid => handle == 0;

    /// <summary>Valid while this handle, or a handle whose parent this is, is not disposed.</summary>
    public void* Pointer => (void*)handle;

    protected override bool ReleaseHandle()
    {
        release((void*)handle);
        parent?.DangerousRelease();
        return true;
    }
}
