using Slipway.Documents.Reading;

namespace Slipway.Tests.Documents.Reading;

public sealed class PlainScalarTests
{
    /// <summary>YAML 1.2.2 §10.3.2 (core schema), with what YAML 1.1 reads differently marked as unclear.</summary>
    [Theory]
    [InlineData("Nothing", "", "~", "null", "Null", "NULL")]
    [InlineData("Boolean", "true", "True", "TRUE", "false", "False", "FALSE")]
    [InlineData("Integer", "0", "1", "-1", "+12", "9007199254740993")]
    [InlineData("Number", "0.1", "-.5", "1.", "1e3", "+1.5E-3", "0.0", "0e1", "12e03")]
    [InlineData("Unclear", "yes", "No", "ON", "off", "010", "0x1F", "0o17", "0b11", "00.5", "1_000", ".inf", "-.Inf", ".NAN")]
    [InlineData("Text", "a", "nulls", "tRue", "1a", "1-2", "2001-01-31", "00:10:00", "-", "+", ".", "-.", "1e", "e3", "1.2.3", "0.1 %", "n", "y", "0x", "1e+", "_1", "01.01.1980", "007a")]
    public void A_plain_scalar_is_what_the_core_schema_says(string kind, params string[] texts)
    {
        foreach (var text in texts)
            Assert.Equal((text, kind), (text, PlainScalar.KindOf(text).ToString()));
    }
}
