using System.Text;
using System.Text.Json;
using Slipway.Primitives.Bytes;
using Slipway.Store.Oci;

namespace Slipway.Tests.Store.Oci;

/// <summary>The specification's own test cases. Where Slipway is stricter than the specification, the case is listed with the reason.</summary>
public sealed class OciDocumentTests
{
    /// <summary>Valid for the specification; Slipway knows one digest algorithm.</summary>
    private static readonly string[] OtherAlgorithm = ["descriptor/22-valid", "descriptor/24-valid", "descriptor/25-valid", "descriptor/28-valid", "manifest/06-valid"];

    /// <summary>Invalid for the specification in a member that Slipway carries along unread (urls, data, platform), and refuses in a bundle.</summary>
    private static readonly string[] CarriedUnread = ["descriptor/17-invalid", "descriptor/29-invalid", "index/03-invalid"];

    public static TheoryData<string> Cases(string folder)
    {
        var cases = new TheoryData<string>();
        foreach (var file in Directory.EnumerateFiles(Vectors(folder), "*valid.json").Order(StringComparer.Ordinal))
            cases.Add($"{folder}/{Path.GetFileNameWithoutExtension(file)}");
        return cases;
    }

    [Theory]
    [MemberData(nameof(Cases), "manifest")]
    public void A_manifest_is_accepted_as_the_specification_says(string name) => Judge(name, json => OciManifest.Parse(json));

    [Theory]
    [MemberData(nameof(Cases), "index")]
    public void An_index_is_accepted_as_the_specification_says(string name) => Judge(name, json => OciIndex.Parse(json));

    [Theory]
    [MemberData(nameof(Cases), "descriptor")]
    public void A_descriptor_is_accepted_as_the_specification_says(string name) => Judge(name, json => OciIndex.Parse(
        Encoding.UTF8.GetBytes($$"""{"schemaVersion":2,"manifests":[{{Encoding.UTF8.GetString(json)}}]}""")));

    [Theory]
    [MemberData(nameof(Cases), "layout")]
    public void A_layout_file_is_accepted_as_the_specification_says(string name) => Judge(name, json =>
    {
        var folder = Directory.CreateTempSubdirectory("slipway-").FullName;
        File.WriteAllBytes(Path.Combine(folder, "oci-layout"), json);
        try
        {
            OciLayout.Open(folder);
        }
        catch (Slipway.Primitives.Faults.SlipwayException e)
        {
            throw new JsonException(e.Message, e);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    });

    [Fact]
    public void The_model_manifest_of_the_specification_is_read()
    {
        var manifest = OciManifest.Parse(File.ReadAllBytes(Vectors("modelpack-manifest.json")));

        Assert.Equal("application/vnd.cncf.model.manifest.v1+json", manifest.ArtifactType);
        Assert.Equal((4, 5_018_536_960), (manifest.Layers.Length, manifest.Layers[1].Size));
    }

    [Fact]
    public void Unknown_members_are_kept_and_written_again()
    {
        const string json = """{"schemaVersion":2,"manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2,"platform":{"os":"linux","architecture":"amd64"}}],"later":1}""";

        var index = OciIndex.Parse(Encoding.UTF8.GetBytes(json));

        Assert.Equal(CanonicalJson.Canonicalize(Encoding.UTF8.GetBytes(json)), index.ToBytes());
    }

    [Theory]
    [InlineData("""{"schemaVersion":2,"schemaVersion":2,"manifests":[]}""")]
    [InlineData("""{"schemaVersion":2,"manifests":null}""")]
    [InlineData("""{"schemaVersion":2,"manifests":[null]}""")]
    [InlineData("""{"schemaVersion":1,"manifests":[]}""")]
    [InlineData("""{"schemaVersion":2}""")]
    [InlineData("null")]
    [InlineData("")]
    [InlineData("""{"schemaVersion":2,"manifests":[],"deep":[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]}""")]
    public void An_index_that_is_ambiguous_or_cut_is_refused(string json) =>
        Assert.Throws<JsonException>(() => OciIndex.Parse(Encoding.UTF8.GetBytes(json)));

    private static void Judge(string name, Action<byte[]> parse)
    {
        var json = File.ReadAllBytes(Vectors(name + ".json"));
        if (CarriedUnread.Contains(name) || (name.EndsWith("-valid", StringComparison.Ordinal) && !OtherAlgorithm.Contains(name)))
            parse(json);
        else
            Assert.Throws<JsonException>(() => parse(json));
    }

    private static string Vectors(string path) => Path.Combine(AppContext.BaseDirectory, "Store/Oci/vectors", path);
}
