using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;
using Slipway.Documents;
using Slipway.Documents.Evaluations;

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

    [Fact]
    public void People_are_told_the_words_of_documents()
    {
        var words = typeof(DocumentJson).Assembly.GetTypes().Where(type => type.IsPublic && type.Name.EndsWith("Words", StringComparison.Ordinal)).SelectMany(type => type.GetMethods(BindingFlags.Public | BindingFlags.Static)).ToArray();
        Assert.Contains(words, word => word.GetParameters()[0].ParameterType == typeof(Verdict));
        foreach (var word in words)
        {
            var type = word.GetParameters()[0].ParameterType;
            foreach (var value in Enum.GetValues(type))
                Assert.Equal(JsonSerializer.Serialize(value, type), $"\"{word.Invoke(null, [value])}\"");
        }

        Assert.Throws<ArgumentOutOfRangeException>(() => ((Verdict)99).Word());
    }

    [GeneratedRegex("^\"[a-z0-9]+(-[a-z0-9]+)*\"$")]
    private static partial Regex Kebab();
}
