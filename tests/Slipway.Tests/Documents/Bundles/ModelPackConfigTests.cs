using System.Text;
using System.Text.Json;
using NJsonSchema;
using Slipway.Documents.Bundles;
using Slipway.Primitives.Bytes;
using Slipway.Store.Oci;
using Slipway.Tests.Pipeline.Sealing;
using Slipway.Trust.Verification;

namespace Slipway.Tests.Documents.Bundles;

public sealed class ModelPackConfigTests
{
    private const string Layer = "sha256:1234567890abcdef1234567890abcdef1234567890abcdef1234567890abcdef";

    private static readonly string Vectors = Path.Combine(AppContext.BaseDirectory, "Documents", "vectors", "modelpack");

    public static TheoryData<string> Published =>
        [.. Directory.GetFiles(Path.Combine(Vectors, "config"), "*valid.json").Select(file => Path.GetFileName(file)!).Order(StringComparer.Ordinal)];

    [Fact]
    public void All_published_vectors_are_there()
    {
        Assert.Equal(22, Published.Count);
        Assert.Equal(2, Published.Count(file => file.Data.EndsWith("-valid.json", StringComparison.Ordinal)));
    }

    [Theory, MemberData(nameof(Published))]
    public void A_published_config_is_judged_as_published(string file)
    {
        var json = File.ReadAllBytes(Path.Combine(Vectors, "config", file));
        if (file.EndsWith("-invalid.json", StringComparison.Ordinal))
        {
            Assert.ThrowsAny<JsonException>(() => ModelPackConfig.Parse(json));
            return;
        }

        var config = ModelPackConfig.Parse(json);
        Assert.Equal(CanonicalJson.Canonicalize(json), config.ToBytes());
    }

    /// <summary>A manifest of the specification's own pages: it is read, its layers are told apart, and it is no bundle of ours, since its layers have no paths.</summary>
    [Fact]
    public void The_published_manifest_is_read_and_is_no_bundle_of_ours()
    {
        var manifest = OciManifest.Parse(File.ReadAllBytes(Path.Combine(Vectors, "examples", "manifest-0.json")));
        Assert.Equal((ModelPack.ManifestType, ModelPack.ConfigType, 4), (manifest.ArtifactType, manifest.Config.MediaType, manifest.Layers.Length));
        Assert.Equal([ModelPack.LayerType(LayerKind.Weight, true), ModelPack.LayerType(LayerKind.Weight, true), ModelPack.LayerType(LayerKind.WeightConfig, true), ModelPack.LayerType(LayerKind.Doc, true)], manifest.Layers.Select(layer => layer.MediaType));
        Assert.All(manifest.Layers, layer => Assert.Null(ModelPack.Layer(layer)));
        Assert.NotNull(ModelPack.Layer(manifest.Layers[0] with { Annotations = SampleRun.Map((ModelPack.PathAnnotation, "model")) }));
    }

    [Theory]
    [InlineData("""{"descriptor":{},"config":{}}""", "modelfs is missing")]
    [InlineData("""{"descriptor":{},"modelfs":{"type":"layers","diffIds":["L"]}}""", "config is missing")]
    [InlineData("""{"config":{},"modelfs":{"type":"layers","diffIds":["L"]}}""", "descriptor is missing")]
    [InlineData("""{"descriptor":{},"config":{},"modelfs":{"type":"layers","diffIds":["L"]},"slipway":{}}""", "another property")]
    [InlineData("""{"descriptor":{"slipway":1},"config":{},"modelfs":{"type":"layers","diffIds":["L"]}}""", "another property of the descriptor")]
    [InlineData("""{"descriptor":{},"config":{"x":1},"modelfs":{"type":"layers","diffIds":["L"]}}""", "another property of config")]
    [InlineData("""{"descriptor":{},"config":{},"modelfs":{"type":"layers","diffIds":["L"],"x":1}}""", "another property of modelfs")]
    [InlineData("""{"descriptor":{"name":null},"config":{},"modelfs":{"type":"layers","diffIds":["L"]}}""", "null")]
    [InlineData("""{"descriptor":{"name":""},"config":{},"modelfs":{"type":"layers","diffIds":["L"]}}""", "an empty name")]
    [InlineData("""{"descriptor":{"createdAt":""},"config":{},"modelfs":{"type":"layers","diffIds":["L"]}}""", "an empty time")]
    [InlineData("""{"descriptor":{"createdAt":"2025-01-01T00:00:00"},"config":{},"modelfs":{"type":"layers","diffIds":["L"]}}""", "a time without zone")]
    [InlineData("""{"descriptor":{"createdAt":"2025-13-01T00:00:00Z"},"config":{},"modelfs":{"type":"layers","diffIds":["L"]}}""", "a month 13")]
    [InlineData("""{"descriptor":{"authors":"me"},"config":{},"modelfs":{"type":"layers","diffIds":["L"]}}""", "authors is not an array")]
    [InlineData("""{"descriptor":{},"config":{"capabilities":{"languages":["eng"]}},"modelfs":{"type":"layers","diffIds":["L"]}}""", "three letters")]
    [InlineData("""{"descriptor":{},"config":{"capabilities":{"inputTypes":["Text"]}},"modelfs":{"type":"layers","diffIds":["L"]}}""", "a capital")]
    [InlineData("""{"descriptor":{},"config":{"capabilities":{"inputTypes":[0]}},"modelfs":{"type":"layers","diffIds":["L"]}}""", "a number for a name")]
    [InlineData("""{"descriptor":{},"config":{},"modelfs":{"type":"layers","diffIds":["L"],"type":"layers"}}""", "a key twice")]
    [InlineData("""{"descriptor":{},"config":{},"modelfs":{"type":"layers","diffIds":"L"}}""", "diffIds is not an array")]
    [InlineData("""{"descriptor":{},"config":{},"modelfs":{"type":"layers","diffIds":["sha256:12"]}}""", "no digest")]
    [InlineData("null", "null")]
    [InlineData("[]", "an array")]
    [InlineData("", "nothing")]
    public void Anything_else_is_refused(string json, string why)
    {
        Assert.NotNull(why);
        Assert.ThrowsAny<JsonException>(() => ModelPackConfig.Parse(Encoding.UTF8.GetBytes(json.Replace("\"L\"", $"\"{Layer}\""))));
    }

    [Theory]
    [InlineData("2025-01-01T00:00:00Z")]
    [InlineData("2025-01-01t00:00:00z")]
    [InlineData("2025-01-01T00:00:00.123+01:30")]
    public void A_time_may_have_any_form_of_rfc_3339(string time) =>
        Assert.Equal(time, ModelPackConfig.Parse(Encoding.UTF8.GetBytes($$$"""{"descriptor":{"createdAt":"{{{time}}}"},"config":{},"modelfs":{"type":"layers","diffIds":["{{{Layer}}}"]}}""")).Descriptor.CreatedAt);

    [Fact]
    public async Task What_we_write_follows_the_published_schema()
    {
        // The validator knows draft 7, where the same definitions stand under another key.
        var text = await File.ReadAllTextAsync(Path.Combine(Vectors, "schema", "config-schema.json"), TestContext.Current.CancellationToken);
        var schema = await JsonSchema.FromJsonAsync(text.Replace("$defs", "definitions"), TestContext.Current.CancellationToken);
        var config = new ModelPackConfig(
            new ModelDescriptor(Name: "m", Licenses: ["Apache-2.0"]),
            new ModelConfig(Format: "onnx", Capabilities: new ModelCapabilities(InputTypes: [Modality.Other], Reasoning: false)),
            new ModelFs(ModelFs.Layers, [Digest.Parse(Layer)]));
        Assert.Empty(schema.Validate(Encoding.UTF8.GetString(config.ToBytes())));
        Assert.NotEmpty(schema.Validate("{}"));
        Assert.Equal(config.ToBytes(), ModelPackConfig.Parse(config.ToBytes()).ToBytes());
    }
}
