namespace Slipway.Engines.OnnxRuntime;

/// <summary>ONNX Runtime refused a file, a tensor or a run. Whoever asked knows which, and says so to the user.</summary>
public sealed class OnnxException : Exception
{
    internal OnnxException(int code, string message)
        : base(message) => Code = code;

    /// <summary>OrtErrorCode: 2 invalid argument, 3 no such file, 7 invalid protobuf, 9 not implemented, 10 invalid graph, …</summary>
    public int Code { get; }
}
