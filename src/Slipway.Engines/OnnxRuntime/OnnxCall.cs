using System.Buffers;
using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;

namespace Slipway.Engines.OnnxRuntime;

/// <summary>
/// One run at a time of a model: set the inputs, run, read the outputs, clear. Names, run options and the deadline's timer are
/// made once, so that a run allocates nothing here. Not thread-safe.
/// </summary>
public sealed unsafe class OnnxCall : IDisposable
{
    private readonly OrtTable ort = OrtTable.Get();
    private readonly OrtHandle session, options;
    private readonly OnnxElement[] inputElements, outputElements;
    private readonly nint[] inputNames, outputNames, inputs, outputs;
    private readonly MemoryHandle[] pins;
    private readonly int[] outputCounts;
    private readonly TimeProvider time;
    private readonly ITimer timer;
    private readonly Lock terminating = new();
    private long deadline;
    private bool running, terminated, disposed;

    internal OnnxCall(OrtHandle session, IReadOnlyList<string> inputNames, OnnxElement[] inputElements, IReadOnlyList<string> outputNames, OnnxElement[] outputElements, TimeProvider time)
    {
        void* pointer;
        ort.Check(ort.CreateRunOptions(&pointer));
        options = new OrtHandle(pointer, ort.ReleaseRunOptions, session);
        (this.session, this.inputElements, this.outputElements, this.time) = (session, inputElements, outputElements, time);
        this.inputNames = [.. inputNames.Select(Marshal.StringToCoTaskMemUTF8)];
        this.outputNames = [.. outputNames.Select(Marshal.StringToCoTaskMemUTF8)];
        (inputs, outputs, pins, outputCounts) = (new nint[inputNames.Count], new nint[outputNames.Count], new MemoryHandle[inputNames.Count], new int[outputNames.Count]);
        timer = time.CreateTimer(static call => ((OnnxCall)call!).EndIfLate(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Gives an input its elements, in row-major order and the machine's byte order; they stay pinned until <see cref="Clear"/>.</summary>
    /// <exception cref="OnnxException">The number of bytes does not fit the shape.</exception>
    public void SetInput(int index, Memory<byte> data, ReadOnlySpan<long> shape)
    {
        ReleaseInput(index);
        pins[index] = data.Pin();
        void* value;
        fixed (long* sizes = shape)
        {
            ort.Check(ort.CreateTensorOver(
                ort.CpuMemory, pins[index].Pointer, (nuint)data.Length, sizes, (nuint)shape.Length, (int)inputElements[index], &value));
        }

        inputs[index] = (nint)value;
    }

    /// <summary>Gives an input of strings its elements, in row-major order; they are copied.</summary>
    public void SetInput(int index, ReadOnlySpan<string> data, ReadOnlySpan<long> shape)
    {
        ReleaseInput(index);
        void* value;
        fixed (long* sizes = shape)
            ort.Check(ort.CreateTensor(ort.Allocator, sizes, (nuint)shape.Length, (int)OnnxElement.String, &value));
        inputs[index] = (nint)value;
        var texts = new nint[data.Length];
        try
        {
            for (var i = 0; i < data.Length; i++)
                texts[i] = Marshal.StringToCoTaskMemUTF8(data[i]);
            fixed (nint* first = texts)
                ort.Check(ort.FillStrings(value, (byte**)first, (nuint)texts.Length));
        }
        finally
        {
            foreach (var text in texts)
                Marshal.FreeCoTaskMem(text);
        }
    }

    /// <summary>Runs on the calling thread.</summary>
    /// <param name="limit">After this the run is told to end, which it does between two operators.</param>
    /// <returns>False when the deadline ended it; there are no outputs then.</returns>
    /// <exception cref="OnnxException">The model failed on these inputs.</exception>
    public bool Run(TimeSpan limit)
    {
        if (Array.IndexOf(inputs, 0) >= 0)
            throw new InvalidOperationException("an input was not set");
        ReleaseOutputs();
        lock (terminating)
        {
            if (terminated)
                ort.Check(ort.UnsetTerminate(options.Pointer));
            terminated = false;
            running = true;
            deadline = time.GetTimestamp() + (long)(limit.TotalSeconds * time.TimestampFrequency);
        }

        timer.Change(limit, Timeout.InfiniteTimeSpan);
        void* status;
        fixed (nint* names = inputNames, values = inputs, results = outputNames, answers = outputs)
        {
            status = ort.Run(
                session.Pointer, options.Pointer, (byte**)names, (void**)values, (nuint)inputs.Length, (byte**)results, (nuint)outputs.Length, (void**)answers);
        }

        timer.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        bool late;
        lock (terminating)
        {
            running = false;
            late = terminated;
        }

        try
        {
            ort.Check(status);
            return true;        // it was done before it saw that it should end
        }
        catch (OnnxException) when (late)
        {
            ReleaseOutputs();
            return false;
        }
    }

    /// <summary>The shape of an output of the last run.</summary>
    /// <param name="sizes">Takes the sizes; must be long enough.</param>
    /// <returns>The rank.</returns>
    public int OutputShape(int index, Span<long> sizes)
    {
        void* type;
        ort.Check(ort.TypeAndShape(Output(index), &type));
        try
        {
            nuint rank, count;
            ort.Check(ort.Rank(type, &rank));
            ort.Check(ort.ElementCount(type, &count));
            outputCounts[index] = checked((int)count);
            fixed (long* first = sizes[..(int)rank])
                ort.Check(ort.Dimensions(type, first, rank));
            return (int)rank;
        }
        finally
        {
            ort.ReleaseTypeAndShape(type);
        }
    }

    /// <summary>Copies an output, row-major, after a look at its shape; <paramref name="destination"/> has exactly its bytes.</summary>
    public void CopyOutput(int index, Span<byte> destination)
    {
        if (destination.Length != outputCounts[index] * SizeOf(outputElements[index]))
            throw new ArgumentException("the destination's length is not the output's", nameof(destination));
        void* data;
        ort.Check(ort.TensorData(Output(index), &data));
        new ReadOnlySpan<byte>(data, destination.Length).CopyTo(destination);
    }

    /// <summary>Reads an output of strings, after a look at its shape; <paramref name="destination"/> has exactly its number of elements.</summary>
    public void ReadStrings(int index, Span<string> destination)
    {
        if (destination.Length != outputCounts[index] || outputElements[index] != OnnxElement.String)
            throw new ArgumentException("the destination does not fit the output", nameof(destination));
        for (var i = 0; i < destination.Length; i++)
        {
            nuint length;
            ort.Check(ort.StringLength(Output(index), (nuint)i, &length));
            var bytes = new byte[length];
            fixed (byte* first = bytes)
                ort.Check(ort.StringElement(Output(index), length, (nuint)i, first));
            destination[i] = Encoding.UTF8.GetString(bytes);
        }
    }

    /// <summary>Lets go of inputs and outputs.</summary>
    public void Clear()
    {
        for (var i = 0; i < inputs.Length; i++)
            ReleaseInput(i);
        ReleaseOutputs();
    }

    public void Dispose()
    {
        if (disposed)
            return;
        disposed = true;
        timer.Dispose();
        Clear();
        lock (terminating)
            options.Dispose();
        foreach (var name in inputNames.Concat(outputNames))
            Marshal.FreeCoTaskMem(name);
    }

    private static int SizeOf(OnnxElement element) => element switch
    {
        OnnxElement.Bool or OnnxElement.Int8 or OnnxElement.UInt8 => 1,
        OnnxElement.Int16 or OnnxElement.UInt16 or OnnxElement.Float16 => 2,
        OnnxElement.Int32 or OnnxElement.UInt32 or OnnxElement.Float32 => 4,
        OnnxElement.Int64 or OnnxElement.UInt64 or OnnxElement.Float64 => 8,
        _ => throw new UnreachableException($"{element} has no fixed size"),
    };

    private void* Output(int index) =>
        outputs[index] != 0 ? (void*)outputs[index] : throw new InvalidOperationException("there is no output before a run, nor after Clear");

    /// <summary>A timer that fires late must not end the next run: hence the look at the deadline under the lock.</summary>
    private void EndIfLate()
    {
        lock (terminating)
        {
            if (!running || terminated || disposed)
                return;
            if (time.GetElapsedTime(time.GetTimestamp(), deadline) is { Ticks: > 0 } left)
            {
                // Timers count in coarser steps than the clock, and may be early by one.
                timer.Change(left + TimeSpan.FromMilliseconds(1), Timeout.InfiniteTimeSpan);
                return;
            }

            terminated = true;
            ort.Check(ort.SetTerminate(options.Pointer));
        }
    }

    private void ReleaseInput(int index)
    {
        if (inputs[index] != 0)
            ort.ReleaseValue((void*)inputs[index]);
        inputs[index] = 0;
        pins[index].Dispose();
        pins[index] = default;
    }

    private void ReleaseOutputs()
    {
        for (var i = 0; i < outputs.Length; i++)
        {
            if (outputs[i] != 0)
                ort.ReleaseValue((void*)outputs[i]);
            outputs[i] = 0;
        }
    }
}
