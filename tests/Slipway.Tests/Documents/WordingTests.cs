using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;
using Slipway.Documents;

namespace Slipway.Tests.Documents;

public sealed partial class WordingTests
{
    [Fact]
    public void Every_word_of_a_document_is_kebab_case()
    {
        var words = typeof(DocumentJson).Assembly.GetTypes()
            .Where(type => type is { IsEnum: true, IsPublic: true } && type.IsDefined(typeof(JsonConverterAttribute), inherit: false))
            .SelectMany(type => Enum.GetValues(type).Cast<object>().Select(value => JsonSerializer.Serialize(value, type)))
            .ToList();
        Assert.Contains("\"not-checked\"", words);
        Assert.DoesNotContain(words, word => !Kebab().IsMatch(word));
    }

    [GeneratedRegex("^\"[a-z0-9]+(-[a-z0-9]+)*\"$")]
    private static partial Regex Kebab();
}
