using System.Collections.Immutable;
using System.Text.Json;
using Slipway.Documents.Runs;
using Slipway.Pipeline.Execution.Steps;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;
using Slipway.Store.Oci;
using Slipway.Trust.Verification;

namespace Slipway.Pipeline.Execution.Sharing;

/// <summary>What a step gave, as it is shared: a manifest whose first layer is the signed record, and whose others are the objects. docs/format/step-cache.md.</summary>
/// <param name="Signed">The record with its signature.</param>
/// <param name="Objects">By digest: files, and the lists of folders' files.</param>
internal sealed record StepEntry(OciDescriptor Signed, ImmutableDictionary<Digest, OciDescriptor> Objects)
{
    /// <summary>Of the manifest, and what the signature is over.</summary>
    public const string Type = "application/vnd.slipway.step.v1+json";

    public const string ObjectType = "application/vnd.slipway.object.v1";

    /// <summary>Most bytes of the signed record: a command of many words, and some hundred inputs and outputs.</summary>
    public const int MaxRecordBytes = 1024 * 1024;

    private static readonly byte[] emptyConfig = "{}"u8.ToArray();

    public static OciDescriptor Config { get; } = new(OciManifest.EmptyMediaType, Digest.Of(emptyConfig), emptyConfig.Length);

    public static Stream OpenConfig() => new MemoryStream(emptyConfig, writable: false);

    /// <exception cref="SlipwayException">It is no such manifest, or more than is taken (exit 1).</exception>
    public static StepEntry Parse(ReadOnlySpan<byte> json)
    {
        OciManifest manifest;
        try
        {
            manifest = OciManifest.Parse(json);
        }
        catch (JsonException e)
        {
            throw Malformed($"its manifest cannot be read: {ForeignText.Shown(e.Message)}");
        }

        if (manifest.ArtifactType != Type || manifest.Subject is not null || manifest.Other is { Count: > 0 })
            throw Malformed($"its manifest is of type '{ForeignText.Shown(manifest.ArtifactType ?? "none")}', expected {Type} and nothing besides");
        var (signed, objects) = (manifest.Layers[0], manifest.Layers[1..]);
        if (signed.MediaType != SignedDocument.MediaType || signed.Size > MaxRecordBytes)
            throw Malformed($"its first layer is '{ForeignText.Shown(signed.MediaType)}' of {signed.Size} bytes, expected {SignedDocument.MediaType} of at most {MaxRecordBytes}");
        if (objects.Any(blob => blob.MediaType != ObjectType) || objects.DistinctBy(blob => blob.Digest).Count() != objects.Length)
            throw Malformed("its objects are of another type, or named twice");
        return new StepEntry(signed, objects.ToImmutableDictionary(blob => blob.Digest));
    }

    /// <returns>The manifest's bytes: equal for equal parts.</returns>
    /// <exception cref="SlipwayException">There are more objects than a manifest holds (exit 1).</exception>
    public byte[] ToManifest()
    {
        var bytes = new OciManifest(2, Config, [Signed, .. Objects.Values.OrderBy(blob => blob.Digest.Hex, StringComparer.Ordinal)], OciManifest.ManifestMediaType, Type).ToBytes();
        return bytes.Length <= OciManifest.MaxBytes
            ? bytes
            : throw Refused("cache-entry-large", $"its outputs are {Objects.Count} files, more than a manifest of {OciManifest.MaxBytes} bytes holds", "let the stage write one archive instead of so many files");
    }

    /// <summary>The record that was signed, when it answers what was asked.</summary>
    /// <param name="asked">The step whose outputs are wanted.</param>
    /// <param name="atLeast">What must have held it to its declaration.</param>
    /// <exception cref="SlipwayException">It is another step's, or was made under less, or is no record of what the step declares (exit 1).</exception>
    public static StepRecord Judge(OpenedDocument signed, StepKeyDocument asked, Isolation atLeast)
    {
        StepRecord record;
        try
        {
            record = JsonSerializer.Deserialize(signed.Payload.Span, StepJson.Default.StepRecord) ?? throw new JsonException("found null");
        }
        catch (JsonException e)
        {
            throw Malformed($"its record cannot be read: {ForeignText.Shown(e.Message)}");
        }

        if (record.Step.Key() != asked.Key())
            throw Refused("cache-entry-other", $"it is signed for another step, {record.Step.Key().Short} of {ForeignText.Shown(record.Step.Stage)}", "somebody has put it there under a wrong name: delete the entry");
        if (!record.Outputs.Keys.ToHashSet(StringComparer.Ordinal).SetEquals(asked.Outputs.Keys))
            throw Malformed($"its outputs are {ForeignText.Shown(string.Join(", ", record.Outputs.Keys))}, declared are {string.Join(", ", asked.Outputs.Keys)}");
        foreach (var (name, path) in asked.Outputs)
        {
            if (record.Outputs[name] is not { Size: > 0 } artifact || artifact.Kind == ArtifactKind.Dataset || (artifact.Kind == ArtifactKind.Folder) != path.EndsWith('/'))
                throw Malformed($"its output {name} is empty, or is not what {path} is declared as");
        }

        return record.Isolation >= atLeast
            ? record
            : throw Refused("cache-isolation", $"it was made with isolation {record.Isolation.Word()}, asked for is {atLeast.Word()}");
    }

    public static SlipwayException Refused(string code, string message, string? help = null) => new(ExitCode.BadVerdict, new Fault(code, message, Help: help));

    private static SlipwayException Malformed(string message) => Refused("cache-entry-malformed", message);
}
