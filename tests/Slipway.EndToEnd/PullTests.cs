using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace Slipway.EndToEnd;

/// <summary>What is fetched is there once it verified, and nothing else with it; and no tag is lost on the way.</summary>
public sealed class PullTests(SealedProject project) : IClassFixture<SealedProject>, IDisposable
{
    private const string Manifest = "application/vnd.oci.image.manifest.v1+json", Index = "application/vnd.oci.image.index.v1+json";

    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("slipway-pull-");

    private string Source => Path.Combine(folder.FullName, "from");

    private string Target => Path.Combine(folder.FullName, "to");

    public void Dispose() => folder.Delete(recursive: true);

    [Fact]
    public void A_list_of_nothing_is_not_verified()
    {
        TinyProject.CopyFolder(project.Layout, Source);
        var list = Put(Source, $$"""{"schemaVersion":2,"mediaType":"{{Index}}","manifests":[]}""", Index, "nothing");
        var refused = Run(1, "pull", $"oci:{Source}:nothing", $"oci:{Target}:nothing");
        Assert.Contains("names no bundle", refused.Errors);
        Assert.DoesNotContain("verified", refused.Output);
        Assert.False(File.Exists(Path.Combine(Target, "blobs/sha256", list[7..])));
        Assert.Empty(Run(0, "tags", $"oci:{Target}", "--json").Json.GetProperty("tags").EnumerateArray());
        Assert.Contains("attached  0\n", Run(0, "copy", $"oci:{Source}:nothing", $"oci:{Target}:nothing").Output);
    }

    [Fact]
    public void A_list_of_an_image_is_not_verified()
    {
        TinyProject.CopyFolder(project.Layout, Source);
        var image = Put(Source, Image("an image"), Manifest, null);
        Put(Source, $$$"""{"schemaVersion":2,"mediaType":"{{{Index}}}","manifests":[{"mediaType":"{{{Manifest}}}","digest":"{{{image}}}","size":{{{Image("an image").Length}}}}]}""", Index, "images");
        Assert.DoesNotContain("verified", Run(1, "pull", $"oci:{Source}:images", $"oci:{Target}:images").Output);
        Assert.Empty(Run(0, "tags", $"oci:{Target}", "--json").Json.GetProperty("tags").EnumerateArray());
    }

    [Fact]
    public void Of_a_list_each_bundle_is_verified_and_what_is_attached_to_the_list_is_left_behind()
    {
        TinyProject.CopyFolder(project.Layout, Source);
        Run(0, "tag", $"oci:{Source}:tiny", "both", "--variant", "cpu");
        var list = JsonNode.Parse(File.ReadAllText(Path.Combine(Source, "index.json")))!["manifests"]!.AsArray().Single(entry => (string?)entry!["mediaType"] == Index)!;
        var subject = $$$"""
            "subject":{"mediaType":"{{{Index}}}","digest":"{{{list["digest"]}}}","size":{{{list["size"]}}}}
            """;
        var attached = Image("a claim").Replace("\"layers\"", subject + ",\"layers\"", StringComparison.Ordinal);
        var claim = Put(Source, attached, Manifest, null);

        var pulled = Run(0, "pull", $"oci:{Source}:both", $"oci:{Target}:both");
        Assert.Contains($"verified  {project.Digest}  #cpu\n", pulled.Output);
        Assert.DoesNotContain($"verified  {list["digest"]}", pulled.Output);
        Assert.Contains(" received, ", pulled.Output);
        Assert.Contains($"next      slipway verify oci:{Target}:both#cpu", pulled.Output);
        Assert.Contains($"{claim} was left behind", pulled.Errors);
        Assert.False(File.Exists(Path.Combine(Target, "blobs/sha256", claim[7..])));
        Run(0, "verify", $"oci:{Target}:both#cpu");
        // A copy takes all: it says nothing of anybody's signature.
        Run(0, "copy", $"oci:{Source}:both", $"oci:{Target}:copy");
        Assert.True(File.Exists(Path.Combine(Target, "blobs/sha256", claim[7..])));
    }

    [Fact]
    public void A_tag_that_names_another_bundle_is_kept_unless_told()
    {
        TinyProject.CopyFolder(project.Layout, Source);
        TinyProject.CopyFolder(project.Layout, Target);
        var other = Put(Target, Image("another"), Manifest, "taken");
        Assert.Contains($"'taken' names {other} already", Run(2, "tag", $"oci:{Target}:tiny", "taken").Errors);
        Assert.Contains("--force", Run(2, "pull", $"oci:{Source}:tiny", $"oci:{Target}:taken").Errors);
        Assert.Equal(other, Tagged("taken"));

        Assert.Contains($"before    'taken' named {other}\n", Run(0, "pull", $"oci:{Source}:tiny", $"oci:{Target}:taken", "--force").Output);
        Assert.Equal(project.Digest, Tagged("taken"));
        Assert.DoesNotContain("before", Run(0, "pull", $"oci:{Source}:tiny", $"oci:{Target}:taken").Output);
        Assert.Contains($"and named {project.Digest} before", Run(0, "tag", $"oci:{Target}@{other}", "taken", "--force").Output);
        Assert.Equal(other, Run(0, "copy", $"oci:{Source}:tiny", $"oci:{Target}:taken", "--json").Json.GetProperty("before").GetString());
    }

    private string Tagged(string tag) =>
        Run(0, "tags", $"oci:{Target}", "--json").Json.GetProperty("tags").EnumerateArray().Single(each => each.GetProperty("name").GetString() == tag).GetProperty("digest").GetString()!;

    private Ended Run(int code, params string[] arguments)
    {
        var ended = project.Project.Run(arguments);
        Assert.True(ended.Code == code, ended.All);
        return ended;
    }

    /// <summary>A manifest of nobody's, whose blobs are in the sealed bundle's layout.</summary>
    private string Image(string title)
    {
        var config = Put(Source, "{}", null, null);
        var there = Path.Combine(Target, "blobs/sha256");
        if (Directory.Exists(there))
            File.WriteAllText(Path.Combine(there, config[7..]), "{}");
        var blob = $$"""{"mediaType":"application/vnd.oci.empty.v1+json","digest":"{{config}}","size":2}""";
        return $$$"""{"schemaVersion":2,"mediaType":"{{{Manifest}}}","config":{{{blob}}},"layers":[{{{blob}}}],"annotations":{"title":"{{{title}}}" } }""";
    }

    /// <summary>Puts a blob into a layout; with a media type into its index as well.</summary>
    private static string Put(string layout, string content, string? mediaType, string? tag)
    {
        var bytes = Encoding.UTF8.GetBytes(content);
        var digest = "sha256:" + Convert.ToHexStringLower(SHA256.HashData(bytes));
        File.WriteAllBytes(Path.Combine(layout, "blobs/sha256", digest[7..]), bytes);
        if (mediaType is null)
            return digest;
        var file = Path.Combine(layout, "index.json");
        var index = JsonNode.Parse(File.ReadAllText(file))!;
        var entry = new JsonObject { ["mediaType"] = mediaType, ["digest"] = digest, ["size"] = bytes.Length };
        if (tag is not null)
            entry["annotations"] = new JsonObject { ["org.opencontainers.image.ref.name"] = tag };
        index["manifests"]!.AsArray().Add(entry);
        File.WriteAllText(file, index.ToJsonString());
        return digest;
    }
}
