using System.Text;
using System.Text.Json;
using Slipway.Documents.Bom;

namespace Slipway.Tests.Documents.Bom;

/// <summary>The specification's own files: a reader that refuses a valid one, or takes an invalid one, is wrong.</summary>
public sealed class BomReaderTests
{
    private static string Folder => Path.Combine(AppContext.BaseDirectory, "Documents/Bom/vectors/1.6");

    /// <summary>What nothing but the list of all SPDX identifiers tells; the published schema has it.</summary>
    private const string OnlyTheSchemaTells = "invalid-metadata-license-1.6.json";

    public static TheoryData<string> Valid => [.. Directory.GetFiles(Folder, "valid-*.json").Select(file => Path.GetFileName(file)).Order()];

    public static TheoryData<string> Invalid => [.. Directory.GetFiles(Folder, "invalid-*.json").Select(file => Path.GetFileName(file)).Where(file => file != OnlyTheSchemaTells).Order()];

    [Theory, MemberData(nameof(Valid))]
    public void Every_valid_file_is_read(string file) => Assert.Equal("1.6", BomReader.Read(File.ReadAllBytes(Path.Combine(Folder, file))).SpecVersion);

    [Theory, MemberData(nameof(Invalid))]
    public void Every_invalid_file_is_refused_with_the_place(string file) =>
        Assert.Contains("$", Assert.Throws<JsonException>(() => BomReader.Read(File.ReadAllBytes(Path.Combine(Folder, file)))).Message);

    [Fact]
    public void All_published_files_are_here() => Assert.Equal((24, 12), (Valid.Count, Invalid.Count));

    [Fact]
    public void Components_are_told_with_hashes_and_licences()
    {
        var reading = BomReader.Read(File.ReadAllBytes(Path.Combine(Folder, "valid-bom-1.6.json")));
        var component = reading.Components.First(component => component.Name == "tomcat-catalina");
        Assert.Equal(("application", "9.0.14", "pkg:maven/com.acme/tomcat-catalina@9.0.14?packaging=jar"), (component.Type, component.Version, component.Purl));
        Assert.Contains(component.Hashes, hash => hash.Alg == "SHA-256");
        Assert.Equal(["Apache-2.0"], component.Licenses);
    }

    [Theory]
    [InlineData("{}", "$.bomFormat")]
    [InlineData("[]", "$")]
    [InlineData("""{"bomFormat":"CycloneDX","specVersion":"1.4"}""", "1.4")]
    [InlineData("""{"bomFormat":"CycloneDX","specVersion":"1.6","serialNumber":"urn:uuid:x"}""", "$.serialNumber")]
    [InlineData("""{"bomFormat":"CycloneDX","bomFormat":"CycloneDX","specVersion":"1.6"}""", "")]
    [InlineData("""{"bomFormat":"CycloneDX","specVersion":"1.6","components":[{"type":"library","name":"x","licenses":[{"license":{}}]}]}""", "neither an id nor a name")]
    [InlineData("""{"bomFormat":"CycloneDX","specVersion":"1.6","components":[{"type":"library","name":"x","licenses":[7]}]}""", "expected Object")]
    [InlineData("""{"bomFormat":"CycloneDX","specVersion":"1.6","components":[{"type":"library","name":"x","licenses":{}}]}""", "expected Array")]
    [InlineData("""{"bomFormat":"CycloneDX","specVersion":"1.6","components":[{"type":7,"name":"x"}]}""", "expected text")]
    [InlineData("""{"bomFormat":"CycloneDX","specVersion":"1.6","\ud800author":"x"}""", "half a character")]
    [InlineData("""{"bomFormat":"CycloneDX","specVersion":"1.6","components":[{"type":"library","name":"\udc00"}]}""", "half a character")]
    [InlineData("not json", "")]
    [InlineData("", "")]
    public void Anything_else_is_refused(string json, string part) =>
        Assert.Contains(part, Assert.ThrowsAny<JsonException>(() => BomReader.Read(Encoding.UTF8.GetBytes(json))).Message);

    [Fact]
    public void Depth_and_size_are_bounded()
    {
        var deep = """{"bomFormat":"CycloneDX","specVersion":"1.6","x":""" + new string('[', 100) + new string(']', 100) + "}";
        Assert.ThrowsAny<JsonException>(() => BomReader.Read(Encoding.UTF8.GetBytes(deep)));
        Assert.Contains("allowed", Assert.Throws<JsonException>(() => BomReader.Read(new byte[BomReader.MaxBytes + 1])).Message);
    }

    /// <summary>Bytes of the valid files, changed at random: whatever comes of it, only the documented exception.</summary>
    [Fact]
    public void Mutated_files_never_throw_anything_else()
    {
        var random = new Random(1);
        foreach (var file in Directory.GetFiles(Folder, "valid-*.json"))
        {
            var bytes = File.ReadAllBytes(file);
            for (var round = 0; round < 60; round++)
            {
                var mutated = (byte[])bytes.Clone();
                for (var i = 0; i < 3; i++)
                    mutated[random.Next(mutated.Length)] = "{}[]\",:0an\\"u8[random.Next(11)];
                try
                {
                    BomReader.Read(mutated);
                }
                catch (JsonException)
                {
                }
            }
        }
    }
}
