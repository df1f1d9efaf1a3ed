using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization;
using Slipway.Documents;
using Slipway.Documents.Access;
using Slipway.Documents.Bundles;
using Slipway.Documents.Evaluations;

namespace Slipway.Tests.Documents;

public sealed class NamedEnumTests
{
    [Fact]
    public void Every_enum_of_a_document_is_written_as_its_name()
    {
        var converters = typeof(NamedEnum<>).Assembly.GetTypes().Where(type => type.IsEnum).Select(type => (type, type.GetCustomAttribute<JsonConverterAttribute>()?.ConverterType)).Where(found => found.ConverterType is not null).ToArray();
        Assert.NotEmpty(converters);
        // ModelPack's own specification has a converter that is stricter still.
        Assert.All(converters.Where(found => found.type != typeof(Modality)), found => Assert.Equal(typeof(NamedEnum<>).MakeGenericType(found.type), found.ConverterType));
    }

    [Theory]
    [InlineData("1")]
    [InlineData("99")]
    [InlineData("\"1\"")]
    [InlineData("\"root\"")]
    public void A_number_and_an_unknown_name_are_refused(string json)
    {
        Assert.Throws<JsonException>(() => JsonSerializer.Deserialize<Role>(json));
        Assert.Throws<JsonException>(() => JsonSerializer.Deserialize<Verdict>(json));
    }

    [Fact]
    public void A_name_is_read() => Assert.Equal(Role.Operator, JsonSerializer.Deserialize<Role>("\"operator\""));
}
