using Slipway.Documents.Serving;
using Slipway.Documents.Specs;

namespace Slipway.Runtime.ModelHosts;

/// <summary>Makes the host that a model's runtime asks for.</summary>
public static class ModelHost
{
    /// <summary>
    /// Starts hosting. An ONNX model has answered once when this completes; a process is still starting, see <see cref="IModelHost.WaitUntilReadyAsync"/>.
    /// </summary>
    /// <exception cref="Slipway.Primitives.Faults.SlipwayException">
    /// The file is no ONNX model, does not match its signature, or ended the process that tried it (exit 2); ONNX Runtime is not installed (exit 3).
    /// </exception>
    public static async Task<IModelHost> StartAsync(HostedModel model, HostOptions options, CancellationToken cancellation) =>
        model.Runtime.IsOnnx ? await OnnxHost.StartAsync(model, options, cancellation) : ProcessHost.Start(model, options);

    /// <summary>Tries an ONNX model before it is sealed: loads it in a throw-away child, holds it against its signature, asks it once. It is never loaded here.</summary>
    /// <param name="name">What messages call the model.</param>
    /// <param name="file">Absolute path of its bytes.</param>
    /// <exception cref="Slipway.Primitives.Faults.SlipwayException">It is no ONNX model, does not match the signature, or ended the child (exit 2); ONNX Runtime is not installed (exit 3).</exception>
    public static Task TryOnnxAsync(string name, string file, ModelSignature signature, HostOptions options, CancellationToken cancellation) =>
        OnnxProbe.CheckAsync(new HostedModel(name, default, Path.GetDirectoryName(file)!, file, signature, new RuntimeSpec(null, [], null)), options, cancellation);

    /// <summary>The throw-away child's side of an ONNX model's first load: the hidden verb <c>onnx-probe MODEL SIGNATURE</c>.</summary>
    /// <param name="arguments">What follows the verb.</param>
    /// <param name="output">Takes one JSON document.</param>
    /// <returns>The process's exit code: 0 whenever the document was written, whatever it says.</returns>
    public static int RunProbe(IReadOnlyList<string> arguments, Stream output) => OnnxProbe.Run(arguments, output);
}
