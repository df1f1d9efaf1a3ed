using System.Text;
using System.Text.RegularExpressions;
using Slipway.Documents.Specs;
using Slipway.Primitives.Faults;

namespace Slipway.Tests.Documents.Specs;

public sealed class CachePlaceTests
{
    [Theory]
    [InlineData("./cache", true)]
    [InlineData("../cache", true)]
    [InlineData("/srv/cache", true)]
    [InlineData("registry.example.org/team/cache", false)]
    [InlineData("localhost:5000/cache", false)]
    [InlineData("localhost/cache", false)]
    public void A_folder_or_a_repository_is_a_place(string text, bool isFolder)
    {
        Assert.True(CachePlace.TryParse(text, out var place));
        Assert.Equal((isFolder, text), (place.Folder is not null, place.ToString()));
        Assert.Matches(new Regex(CachePlace.Pattern), text);
    }

    [Theory]
    [InlineData("")]
    [InlineData("cache")]
    [InlineData("team/cache")]
    [InlineData("registry.example.org/team/cache:v1")]
    [InlineData("registry.example.org/Team")]
    [InlineData("https://registry.example.org/team/cache")]
    [InlineData("oci:cache")]
    [InlineData("./a\0b")]
    public void Anything_else_is_none(string text)
    {
        Assert.False(CachePlace.TryParse(text, out _));
        Assert.Equal("bad-cache", Assert.Throws<SlipwayException>(() => CachePlace.Parse(text, "--cache")).Faults[0].Code);
    }

    [Fact]
    public void It_is_read_from_the_spec_and_no_part_of_what_is_sealed()
    {
        const string text = "slipway: 1\nname: a\ncache: /srv/cache\n";
        var spec = SpecParser.Parse("slipway.yaml", Encoding.UTF8.GetBytes(text));
        Assert.Equal("/srv/cache", spec.Cache!.Folder);
        Assert.Null(spec.ForSeal().Cache);
        var fault = Assert.Throws<SlipwayException>(() => SpecParser.Parse("slipway.yaml", Encoding.UTF8.GetBytes(text.Replace("/srv/cache", "cache")))).Faults[0];
        Assert.Equal(("bad-value", 3), (fault.Code, fault.Line));
    }
}
