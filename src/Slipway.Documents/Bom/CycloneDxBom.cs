using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;
using Slipway.Primitives.Bytes;

namespace Slipway.Documents.Bom;

/// <summary>A CycloneDX 1.6 bill of materials, as far as Slipway writes it. Source: CycloneDX specification, schema/bom-1.6.schema.json.</summary>
/// <remarks>Another tool's is read by <see cref="BomReader"/>. No time is in it: the same content gives the same bytes.</remarks>
/// <param name="SerialNumber">Of <see cref="WithSerialNumber"/>; null until it is known what it is of.</param>
/// <param name="Version">Of this very serial number; always 1, since another content has another number.</param>
public sealed record CycloneDxBom(
    string BomFormat,
    string SpecVersion,
    int Version,
    BomMetadata Metadata,
    ImmutableArray<BomComponent> Components,
    ImmutableArray<BomDependency> Dependencies,
    string? SerialNumber = null)
{
    public const string PredicateType = "https://cyclonedx.org/bom", Format = "CycloneDX", V16 = "1.6";

    /// <summary>The canonical bytes.</summary>
    public byte[] ToBytes() => CanonicalJson.Serialize(this, BomJson.Default.CycloneDxBom);

    public JsonElement ToJson()
    {
        using var document = JsonDocument.Parse(ToBytes());
        return document.RootElement.Clone();
    }

    /// <summary>With a serial number that follows from all else: the first 16 bytes of SHA-256 over the canonical bytes, as a UUID of version 8.</summary>
    /// <remarks>Source: RFC 9562 §5.8.</remarks>
    public CycloneDxBom WithSerialNumber()
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData((this with { SerialNumber = null }).ToBytes(), hash);
        hash[6] = (byte)(hash[6] & 0x0F | 0x80);
        hash[8] = (byte)(hash[8] & 0x3F | 0x80);
        return this with { SerialNumber = $"urn:uuid:{new Guid(hash[..16], bigEndian: true):D}" };
    }
}

/// <param name="Component">What the bill is of.</param>
public sealed record BomMetadata(BomComponent Component, BomTools Tools);

public sealed record BomTools(ImmutableArray<BomComponent> Components);

/// <param name="Type">library, file, data, machine-learning-model, application.</param>
/// <param name="Purl">Package URL.</param>
/// <param name="Components">Parts of it.</param>
/// <param name="Data">Of a component of type data.</param>
public sealed record BomComponent(
    string Type,
    string Name,
    [property: JsonPropertyName("bom-ref")] string? BomRef = null,
    string? Version = null,
    string? Description = null,
    ImmutableArray<BomHash>? Hashes = null,
    ImmutableArray<BomLicenseChoice>? Licenses = null,
    string? Purl = null,
    ImmutableArray<BomReference>? ExternalReferences = null,
    ImmutableArray<BomProperty>? Properties = null,
    ImmutableArray<BomComponent>? Components = null,
    ImmutableArray<BomData>? Data = null,
    BomModelCard? ModelCard = null);

/// <param name="Alg">SHA-256.</param>
/// <param name="Content">Hex.</param>
public sealed record BomHash(string Alg, string Content)
{
    public static ImmutableArray<BomHash> Of(Digest digest) => [new("SHA-256", digest.Hex)];
}

public sealed record BomLicenseChoice(BomLicense License);

/// <summary>By an identifier of SPDX or, where none is certain, by name: exactly one of them.</summary>
public sealed record BomLicense(string? Id = null, string? Name = null);

public sealed record BomReference(string Type, string Url, string? Comment = null);

public sealed record BomProperty(string Name, string Value);

/// <param name="Ref">A component's <c>bom-ref</c>.</param>
public sealed record BomDependency(string Ref, ImmutableArray<string> DependsOn);

/// <param name="Type">dataset.</param>
public sealed record BomData(string Type, string Name);

public sealed record BomModelCard(BomModelParameters ModelParameters, BomQuantitativeAnalysis? QuantitativeAnalysis = null, BomConsiderations? Considerations = null);

public sealed record BomModelParameters(string Task, ImmutableArray<BomFormat> Inputs, ImmutableArray<BomFormat> Outputs, ImmutableArray<BomDatasetRef> Datasets);

public sealed record BomFormat(string Format);

public sealed record BomDatasetRef(string Ref);

public sealed record BomQuantitativeAnalysis(ImmutableArray<BomMetric> PerformanceMetrics);

/// <param name="Value">A number as text, as the schema has it.</param>
/// <param name="Slice">Null for all rows.</param>
public sealed record BomMetric(string Type, string Value, string? Slice = null, BomInterval? ConfidenceInterval = null);

public sealed record BomInterval(string LowerBound, string UpperBound);

public sealed record BomConsiderations(ImmutableArray<string> TechnicalLimitations);

/// <summary>What is unknown is left out.</summary>
[JsonSourceGenerationOptions(JsonSerializerDefaults.Strict, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(CycloneDxBom))]
internal sealed partial class BomJson : JsonSerializerContext;
