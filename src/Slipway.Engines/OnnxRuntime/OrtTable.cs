using System.Runtime.InteropServices;

namespace Slipway.Engines.OnnxRuntime;

/// <summary>The C interface of ONNX Runtime: a table of functions that only ever grows at its end.</summary>
/// <remarks>
/// Source: onnxruntime_c_api.h, struct OrtApi; a number here is the position of a function in it. Loaded once per process and
/// never unloaded. Calls are safe from any thread.
/// </remarks>
internal sealed unsafe class OrtTable
{
    private const string Library = "onnxruntime-node/bin/napi-v6/linux/x64/libonnxruntime.so.1";

    /// <summary>The oldest table that has every function used here; the library at hand offers 1 to 30.</summary>
    private const uint Version = 20;

    /// <summary>Only what ends the process is logged: errors come back as a status.</summary>
    private const int LogFatal = 4;

    private static readonly Lazy<OrtTable> loaded = new(() => new OrtTable());

    private readonly void** functions;

    private OrtTable()
    {
        var getBase = (delegate* unmanaged<void**>)NativeLibrary.GetExport(NativeLibrary.Load(EngineFile.Find(Library)), "OrtGetApiBase");
        var getApi = (delegate* unmanaged<uint, void**>)getBase()[0];
        functions = getApi(Version);
        if (functions == null)
            throw new DllNotFoundException($"{Library} does not offer version {Version} of its interface");

        void* environment;
        fixed (byte* name = "slipway\0"u8)
            Check(((delegate* unmanaged<int, byte*, void**, void*>)functions[3])(LogFatal, name, &environment));
        Environment = environment;
        void* memory;
        Check(((delegate* unmanaged<int, int, void**, void*>)functions[69])(ArenaAllocator, DefaultMemory, &memory));
        CpuMemory = memory;
        void* allocator;
        Check(((delegate* unmanaged<void**, void*>)functions[78])(&allocator));
        Allocator = allocator;
    }

    private const int ArenaAllocator = 1, DefaultMemory = 0;

    /// <exception cref="Slipway.Primitives.Faults.SlipwayException">The library is not installed (exit 3).</exception>
    public static OrtTable Get() => loaded.Value;

    /// <summary>One for the process, never released.</summary>
    public void* Environment { get; }

    /// <summary>Describes ordinary memory; one for the process, never released.</summary>
    public void* CpuMemory { get; }

    /// <summary>The library's own default allocator.</summary>
    public void* Allocator { get; }

    public delegate* unmanaged<void*, byte*, void*, void**, void*> CreateSession => (delegate* unmanaged<void*, byte*, void*, void**, void*>)functions[7];

    public delegate* unmanaged<void*, void*, byte**, void**, nuint, byte**, nuint, void**, void*> Run =>
        (delegate* unmanaged<void*, void*, byte**, void**, nuint, byte**, nuint, void**, void*>)functions[9];

    public delegate* unmanaged<void**, void*> CreateSessionOptions => (delegate* unmanaged<void**, void*>)functions[10];

    public delegate* unmanaged<void*, int, void*> SetLogSeverity => (delegate* unmanaged<void*, int, void*>)functions[22];

    public delegate* unmanaged<void*, int, void*> SetIntraOpThreads => (delegate* unmanaged<void*, int, void*>)functions[24];

    public delegate* unmanaged<void*, int, void*> SetInterOpThreads => (delegate* unmanaged<void*, int, void*>)functions[25];

    public delegate* unmanaged<void*, byte*, byte*, void*> AddSessionConfig => (delegate* unmanaged<void*, byte*, byte*, void*>)functions[130];

    public delegate* unmanaged<void*, nuint*, void*> PortCount(bool input) => (delegate* unmanaged<void*, nuint*, void*>)functions[input ? 30 : 31];

    public delegate* unmanaged<void*, nuint, void**, void*> PortType(bool input) => (delegate* unmanaged<void*, nuint, void**, void*>)functions[input ? 33 : 34];

    public delegate* unmanaged<void*, nuint, void*, byte**, void*> PortName(bool input) => (delegate* unmanaged<void*, nuint, void*, byte**, void*>)functions[input ? 36 : 37];

    public delegate* unmanaged<void**, void*> CreateRunOptions => (delegate* unmanaged<void**, void*>)functions[39];

    public delegate* unmanaged<void*, void*> SetTerminate => (delegate* unmanaged<void*, void*>)functions[46];

    public delegate* unmanaged<void*, void*> UnsetTerminate => (delegate* unmanaged<void*, void*>)functions[47];

    public delegate* unmanaged<void*, long*, nuint, int, void**, void*> CreateTensor => (delegate* unmanaged<void*, long*, nuint, int, void**, void*>)functions[48];

    public delegate* unmanaged<void*, void*, nuint, long*, nuint, int, void**, void*> CreateTensorOver =>
        (delegate* unmanaged<void*, void*, nuint, long*, nuint, int, void**, void*>)functions[49];

    public delegate* unmanaged<void*, void**, void*> TensorData => (delegate* unmanaged<void*, void**, void*>)functions[51];

    public delegate* unmanaged<void*, byte**, nuint, void*> FillStrings => (delegate* unmanaged<void*, byte**, nuint, void*>)functions[52];

    public delegate* unmanaged<void*, void**, void*> AsTensorType => (delegate* unmanaged<void*, void**, void*>)functions[55];

    public delegate* unmanaged<void*, int*, void*> KindOfType => (delegate* unmanaged<void*, int*, void*>)functions[56];

    public delegate* unmanaged<void*, int*, void*> ElementType => (delegate* unmanaged<void*, int*, void*>)functions[60];

    public delegate* unmanaged<void*, nuint*, void*> Rank => (delegate* unmanaged<void*, nuint*, void*>)functions[61];

    public delegate* unmanaged<void*, long*, nuint, void*> Dimensions => (delegate* unmanaged<void*, long*, nuint, void*>)functions[62];

    public delegate* unmanaged<void*, nuint*, void*> ElementCount => (delegate* unmanaged<void*, nuint*, void*>)functions[64];

    public delegate* unmanaged<void*, void**, void*> TypeAndShape => (delegate* unmanaged<void*, void**, void*>)functions[65];

    public delegate* unmanaged<void*, void*, void*> Free => (delegate* unmanaged<void*, void*, void*>)functions[76];

    public delegate* unmanaged<void*, void> ReleaseSession => (delegate* unmanaged<void*, void>)functions[95];

    public delegate* unmanaged<void*, void> ReleaseValue => (delegate* unmanaged<void*, void>)functions[96];

    public delegate* unmanaged<void*, void> ReleaseRunOptions => (delegate* unmanaged<void*, void>)functions[97];

    public delegate* unmanaged<void*, void> ReleaseType => (delegate* unmanaged<void*, void>)functions[98];

    public delegate* unmanaged<void*, void> ReleaseTypeAndShape => (delegate* unmanaged<void*, void>)functions[99];

    public delegate* unmanaged<void*, void> ReleaseSessionOptions => (delegate* unmanaged<void*, void>)functions[100];

    public delegate* unmanaged<void*, nuint, nuint*, void*> StringLength => (delegate* unmanaged<void*, nuint, nuint*, void*>)functions[127];

    public delegate* unmanaged<void*, nuint, nuint, byte*, void*> StringElement => (delegate* unmanaged<void*, nuint, nuint, byte*, void*>)functions[128];

    /// <summary>The one place where a status is looked at; it is released here.</summary>
    /// <exception cref="OnnxException">The call failed; the library's own words.</exception>
    public void Check(void* status)
    {
        if (status != null)
            throw Failure(status);
    }

    private OnnxException Failure(void* status)
    {
        var code = ((delegate* unmanaged<void*, int>)functions[1])(status);
        var message = Marshal.PtrToStringUTF8((nint)((delegate* unmanaged<void*, byte*>)functions[2])(status)) ?? "no message";
        ((delegate* unmanaged<void*, void>)functions[93])(status);
        return new OnnxException(code, message);
    }
}
