using System.Buffers;
using System.Text.Json;
using Slipway.Documents.Monitoring;
using Slipway.Documents.Rollouts;
using Slipway.Documents.Serving;
using Slipway.Runtime.ModelHosts;
using Slipway.Runtime.Tensors;

namespace Slipway.Gateway.Sampling;

/// <summary>Writes requests of one version down as a plan asks, each a line of <c>docs/format/capture.md</c>. Thread-safe.</summary>
/// <remarks>A sensitive input is left out whatever the plan says; the request's id is not written, only its hash.</remarks>
internal sealed class RequestCapture(CaptureBuffer buffer, string model, VersionRef version, HostedModel hosted, SampleClock clock)
{
    private readonly string bundle = version.Bundle.ToString();

    /// <param name="outputs">Null where there is no answer.</param>
    public void Take(in OverRequest request, CaptureRules rules, TensorSet inputs, TensorSet? outputs)
    {
        try
        {
            var line = new ArrayBufferWriter<byte>(1024);
            using (var writer = new Utf8JsonWriter(line))
                Write(writer, request, rules, inputs, outputs);
            line.Write("\n"u8);
            buffer.Add(model, clock.MillisecondsAt(request.Ended), line.WrittenSpan);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            // A caller waits for an answer, and that it is not captured is no fault of theirs.
            buffer.Miss();
        }
    }

    private void Write(Utf8JsonWriter writer, in OverRequest request, CaptureRules rules, TensorSet inputs, TensorSet? outputs)
    {
        writer.WriteStartObject();
        writer.WriteString("model", model);
        writer.WriteNumber("version", version.Number);
        writer.WriteString("bundle", bundle);
        writer.WriteString("arm", request.Arm.Word());
        writer.WriteString("key", PredictionKey.Of(model, request.Id));
        writer.WriteNumber("at", clock.MillisecondsAt(request.Ended));
        writer.WriteStartArray("inputs");
        foreach (var tensor in inputs.Tensors)
        {
            var name = tensor.Spec.Name;
            if (IsDropped(rules, name))
                continue;
            if (rules.Mask.Contains(name))
                WriteMasked(writer, tensor);
            else
                TensorJson.Write(writer, tensor);
        }

        writer.WriteEndArray();
        if (outputs is null || hosted.Signature.Outputs.Any(output => hosted.IsSensitive(output.Name)))
            writer.WriteNull("outputs");
        else
            WriteAll(writer, outputs);
        WriteNames(writer, "dropped", inputs, name => IsDropped(rules, name));
        WriteNames(writer, "masked", inputs, name => rules.Mask.Contains(name) && !IsDropped(rules, name));
        writer.WriteEndObject();
    }

    private bool IsDropped(CaptureRules rules, string name) => rules.Drop.Contains(name) || hosted.IsSensitive(name);

    private static void WriteAll(Utf8JsonWriter writer, TensorSet outputs)
    {
        writer.WriteStartArray("outputs");
        foreach (var tensor in outputs.Tensors)
            TensorJson.Write(writer, tensor);
        writer.WriteEndArray();
    }

    private static void WriteNames(Utf8JsonWriter writer, string key, TensorSet inputs, Func<string, bool> isNamed)
    {
        writer.WriteStartArray(key);
        foreach (var tensor in inputs.Tensors)
        {
            if (isNamed(tensor.Spec.Name))
                writer.WriteStringValue(tensor.Spec.Name);
        }

        writer.WriteEndArray();
    }

    /// <summary>The same type and shape, and of every value the reference's commonest.</summary>
    private void WriteMasked(Utf8JsonWriter writer, Tensor tensor)
    {
        writer.WriteStartObject();
        writer.WriteString("name", tensor.Spec.Name);
        writer.WriteString("datatype", TensorJson.NameOf(tensor.Spec.Datatype));
        writer.WriteStartArray("shape");
        foreach (var size in tensor.Shape)
            writer.WriteNumberValue(size);
        writer.WriteEndArray();
        writer.WriteStartArray("data");
        var reference = hosted.Reference?.Inputs.FirstOrDefault(feature => feature.Name == tensor.Spec.Name);
        for (var i = 0; i < tensor.Count; i++)
            WriteCommonest(writer, tensor.Spec, reference);
        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    private static void WriteCommonest(Utf8JsonWriter writer, TensorSpec spec, ReferenceFeature? reference)
    {
        var bin = reference is { Profile.Bins.IsEmpty: false } ? reference.Profile.Bins.IndexOf(reference.Profile.Bins.Max()) : 0;
        switch (spec.Datatype)
        {
            case Datatype.String:
                writer.WriteStringValue(reference?.Categories is { } categories && bin < categories.Length ? categories[bin] : "");
                break;
            case Datatype.Bool:
                writer.WriteBooleanValue(false);
                break;
            default:
                var value = reference?.Edges is { IsEmpty: false } edges ? edges[Math.Min(bin, edges.Length - 1)] : 0;
                value = spec.Range is { } range ? Math.Clamp(value, range.Low, range.High) : value;
                if (spec.Datatype is Datatype.Float32 or Datatype.Float64)
                    // An edge may lie beyond the type: infinity has no JSON, and here a caller waits for an answer.
                    writer.WriteNumberValue(spec.Datatype == Datatype.Float32 ? (float)Math.Clamp(value, float.MinValue, float.MaxValue) : value);
                else
                    writer.WriteNumberValue((long)Math.Round(value));
                break;
        }
    }
}
