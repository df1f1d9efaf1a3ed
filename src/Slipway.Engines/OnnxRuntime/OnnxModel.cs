using System.Collections.Immutable;
using System.Runtime.InteropServices;
using System.Text;

namespace Slipway.Engines.OnnxRuntime;

/// <summary>Element types of ONNX tensors, numbered as the library numbers them.</summary>
public enum OnnxElement
{
    Undefined = 0,
    Float32 = 1,
    UInt8 = 2,
    Int8 = 3,
    UInt16 = 4,
    Int16 = 5,
    Int32 = 6,
    Int64 = 7,
    String = 8,
    Bool = 9,
    Float16 = 10,
    Float64 = 11,
    UInt32 = 12,
    UInt64 = 13,
}

/// <summary>An input or output of a model.</summary>
/// <param name="IsTensor">False for a sequence, map or optional value: such a port has neither element nor shape.</param>
/// <param name="Shape">Sizes; −1 is any.</param>
public sealed record OnnxPort(string Name, bool IsTensor, OnnxElement Element, ImmutableArray<long> Shape);

/// <summary>A loaded model. Thread-safe: any number of <see cref="OnnxCall"/>s may run at once.</summary>
/// <remarks>One thread per run and no spinning, so that a waiting model takes no processor from its neighbours.</remarks>
public sealed unsafe class OnnxModel : IDisposable
{
    private const int TensorKind = 1, LogFatal = 4;

    private readonly OrtHandle session;

    private OnnxModel(OrtHandle session)
    {
        this.session = session;
        Inputs = Ports(input: true);
        Outputs = Ports(input: false);
    }

    public ImmutableArray<OnnxPort> Inputs { get; }

    public ImmutableArray<OnnxPort> Outputs { get; }

    /// <param name="path">The model's file; external data is looked for beside it.</param>
    /// <param name="threads">Threads of one run, at least 1; above 1 they still do not spin.</param>
    /// <exception cref="OnnxException">The file is no ONNX model, or has an operator or version that the library lacks.</exception>
    /// <exception cref="Slipway.Primitives.Faults.SlipwayException">The library is not installed (exit 3).</exception>
    public static OnnxModel Load(string path, int threads = 1)
    {
        var ort = OrtTable.Get();
        void* pointer;
        ort.Check(ort.CreateSessionOptions(&pointer));
        using var options = new OrtHandle(pointer, ort.ReleaseSessionOptions);
        ort.Check(ort.SetLogSeverity(pointer, LogFatal));
        ort.Check(ort.SetIntraOpThreads(pointer, threads));
        ort.Check(ort.SetInterOpThreads(pointer, 1));
        fixed (byte* intra = "session.intra_op.allow_spinning\0"u8, inter = "session.inter_op.allow_spinning\0"u8, off = "0\0"u8)
        {
            ort.Check(ort.AddSessionConfig(pointer, intra, off));
            ort.Check(ort.AddSessionConfig(pointer, inter, off));
        }

        void* session;
        fixed (byte* file = Encoding.UTF8.GetBytes(path + '\0'))
            ort.Check(ort.CreateSession(ort.Environment, file, pointer, &session));
        var handle = new OrtHandle(session, ort.ReleaseSession);
        try
        {
            return new OnnxModel(handle);
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }

    /// <summary>Makes what one run at a time needs; keep it and use it again.</summary>
    /// <param name="inputs">Names of inputs, in the order in which the call numbers them.</param>
    /// <param name="outputs">Names of outputs; only these are computed.</param>
    public OnnxCall Prepare(IReadOnlyList<string> inputs, IReadOnlyList<string> outputs, TimeProvider time) =>
        new(session, inputs, [.. inputs.Select(name => Port(Inputs, name).Element)], outputs, [.. outputs.Select(name => Port(Outputs, name).Element)], time);

    /// <summary>Calls that still live keep the model loaded.</summary>
    public void Dispose() => session.Dispose();

    private static OnnxPort Port(ImmutableArray<OnnxPort> ports, string name) =>
        ports.FirstOrDefault(port => port.Name == name) is { IsTensor: true } found ? found : throw new ArgumentException($"the model has no tensor '{name}'", nameof(name));

    private ImmutableArray<OnnxPort> Ports(bool input)
    {
        var ort = OrtTable.Get();
        nuint count;
        ort.Check(ort.PortCount(input)(session.Pointer, &count));
        var ports = ImmutableArray.CreateBuilder<OnnxPort>((int)count);
        for (nuint i = 0; i < count; i++)
        {
            byte* text;
            ort.Check(ort.PortName(input)(session.Pointer, i, ort.Allocator, &text));
            var name = Marshal.PtrToStringUTF8((nint)text)!;
            ort.Check(ort.Free(ort.Allocator, text));
            void* pointer;
            ort.Check(ort.PortType(input)(session.Pointer, i, &pointer));
            using var type = new OrtHandle(pointer, ort.ReleaseType);
            ports.Add(Describe(ort, name, pointer));
        }

        return ports.MoveToImmutable();
    }

    private static OnnxPort Describe(OrtTable ort, string name, void* type)
    {
        int kind;
        ort.Check(ort.KindOfType(type, &kind));
        if (kind != TensorKind)
            return new OnnxPort(name, IsTensor: false, OnnxElement.Undefined, []);

        void* tensor;       // owned by the type
        ort.Check(ort.AsTensorType(type, &tensor));
        int element;
        ort.Check(ort.ElementType(tensor, &element));
        nuint rank;
        ort.Check(ort.Rank(tensor, &rank));
        var shape = new long[rank];
        fixed (long* sizes = shape)
            ort.Check(ort.Dimensions(tensor, sizes, rank));
        return new OnnxPort(name, IsTensor: true, (OnnxElement)element, [.. shape]);
    }
}
