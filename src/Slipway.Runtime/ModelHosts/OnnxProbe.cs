using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;
using Slipway.Documents;
using Slipway.Documents.Serving;
using Slipway.Engines.OnnxRuntime;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;
using Slipway.Primitives.Processes;
using Slipway.Runtime.Sandbox;
using Slipway.Runtime.Tensors;

namespace Slipway.Runtime.ModelHosts;

/// <summary>What the throw-away child found.</summary>
/// <param name="Exit">Done when the model may be loaded here.</param>
internal sealed record ProbeReport(ExitCode Exit, ImmutableArray<Fault> Faults);

[JsonSourceGenerationOptions(JsonSerializerDefaults.Strict, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(ProbeReport))]
internal sealed partial class ProbeJson : JsonSerializerContext;

/// <summary>First load and warm-up of an ONNX model in a process that may die of it: native code that crashes takes its process along.</summary>
internal static class OnnxProbe
{
    private const string NotOnnx = "not-onnx";

    /// <summary>The child's side.</summary>
    public static int Run(IReadOnlyList<string> arguments, Stream output)
    {
        if (arguments is not [var model, var signature])
            return (int)ExitCode.UnusableInput;
        output.Write(CanonicalJson.Serialize(Examine(model, signature), ProbeJson.Default.ProbeReport));
        output.Flush();
        return (int)ExitCode.Done;
    }

    /// <summary>The parent's side: starts the child, and believes only a report that it wrote whole.</summary>
    /// <exception cref="SlipwayException">The model must not be loaded, or could not be tried.</exception>
    public static async Task CheckAsync(HostedModel model, HostOptions options, CancellationToken cancellation)
    {
        using var folder = new RunFolder(model);
        var (report, errors) = (Path.Combine(folder.Path, "report"), Path.Combine(folder.Path, "errors"));
        var command = new ChildCommand(
            [.. options.Probe, model.ModelPath, folder.Signature], model.Folder, new Dictionary<string, string>(folder.Environment) { ["DOTNET_ROOT"] = FrameworkRoot() }, report, errors);
        ChildExit exit;
        using var limit = new CancellationTokenSource(options.StartLimit, options.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellation);
        try
        {
            exit = await ChildProcess.RunAsync(command, TimeSpan.Zero, either.Token);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw Unusable(model, "model-start-too-slow", $"the model was not loaded within {options.StartLimit.TotalSeconds:0.###} s");
        }

        if (exit.Signal is not null)
            throw Unusable(model, "model-crashes", $"loading the model ended the process that tried it, which {exit}");
        if (!exit.Succeeded || Read(report) is not { } found)
        {
            throw new SlipwayException(
                ExitCode.NotThere, new Fault("probe-failed", $"the model could not be tried before serving: '{string.Join(' ', options.Probe)}' {exit}; {LogTail.InWords(errors)}"));
        }

        if (found.Exit != ExitCode.Done)
            throw new SlipwayException(found.Exit, found.Faults);
    }

    private static ProbeReport Examine(string file, string signatureFile)
    {
        var signature = JsonSerializer.Deserialize(File.ReadAllBytes(signatureFile), DocumentJson.Default.ModelSignature)!;
        var name = Path.GetFileName(file);
        try
        {
            using var model = OnnxModel.Load(file);
            var faults = OnnxSignature.Compare(signature, model, name);
            return faults.IsEmpty ? WarmUp(signature, model, name) : new ProbeReport(ExitCode.UnusableInput, faults);
        }
        catch (OnnxException e)
        {
            const string help = "model.artifact must be an ONNX file that ONNX Runtime 1.30 reads; for any other model set model.runtime to a process";
            return new ProbeReport(ExitCode.UnusableInput, [new Fault(NotOnnx, $"no ONNX model that can be loaded: {e.Message}", name, Help: help)]);
        }
        catch (SlipwayException e)
        {
            return new ProbeReport(e.Exit, [.. e.Faults]);
        }
    }

    private static ProbeReport WarmUp(ModelSignature signature, OnnxModel model, string name)
    {
        using var runner = new OnnxRunner(signature, model, TimeProvider.System);
        var outcome = Once(signature, runner);
        return outcome.Status == PredictionStatus.Done || Answer.IsInconclusive(signature)
            ? new ProbeReport(ExitCode.Done, [])
            : new ProbeReport(ExitCode.UnusableInput, [new Fault("model-fails", $"one row of values that the signature allows fails: {outcome.Reason}", name)]);
    }

    /// <summary>One prediction of the example row; the parent's own process ends it when it takes too long.</summary>
    public static Prediction Once(ModelSignature signature, OnnxRunner runner)
    {
        using var inputs = TensorSet.ForInputs(signature);
        using var outputs = TensorSet.ForOutputs(signature);
        Answer.FillExample(inputs);
        return runner.Predict(inputs, outputs, TimeSpan.FromDays(1));
    }

    private static ProbeReport? Read(string file)
    {
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(file), ProbeJson.Default.ProbeReport);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>The folder of the framework that runs this program, for a child of it whose environment is otherwise empty.</summary>
    private static string FrameworkRoot() => Path.GetFullPath(Path.Combine(Path.GetDirectoryName(typeof(object).Assembly.Location)!, "..", "..", ".."));

    private static SlipwayException Unusable(HostedModel model, string code, string message) =>
        new(ExitCode.UnusableInput, new Fault(code, message, Path.GetFileName(model.ModelPath)));
}
