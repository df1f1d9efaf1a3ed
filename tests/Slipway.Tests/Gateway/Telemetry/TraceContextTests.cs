using Slipway.Gateway.Telemetry;

namespace Slipway.Tests.Gateway.Telemetry;

public sealed class TraceContextTests
{
    /// <summary>Examples of the standard, and of its test suite's harness.</summary>
    [Theory]
    [InlineData("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", true)]
    [InlineData("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00", true)]
    [InlineData("cc-12345678901234567890123456789012-1234567890123456-01-what-the-future-will-be-like", true)]
    [InlineData("cc-12345678901234567890123456789012-1234567890123456-01.what-the-future-will-be-like", false)]
    [InlineData("00-12345678901234567890123456789012-1234567890123456-01-what-the-future-will-be-like", false)]
    [InlineData("ff-12345678901234567890123456789012-1234567890123456-01", false)]
    [InlineData(".0-12345678901234567890123456789012-1234567890123456-01", false)]
    [InlineData("00-00000000000000000000000000000000-1234567890123456-01", false)]
    [InlineData("00-12345678901234567890123456789012-0000000000000000-01", false)]
    [InlineData("00-.2345678901234567890123456789012-1234567890123456-01", false)]
    [InlineData("00-12345678901234567890123456789012-.234567890123456-01", false)]
    [InlineData("00-12345678901234567890123456789012-1234567890123456-.0", false)]
    [InlineData("00-ABCDEF78901234567890123456789012-1234567890123456-01", false)]
    [InlineData("00-12345678901234567890123456789012-1234567890123456-1", false)]
    [InlineData("00 12345678901234567890123456789012-1234567890123456-01", false)]
    [InlineData("00--12345678901234567890123456789012-1234567890123456-1", false)]
    [InlineData("00-+2345678901234567890123456789012-1234567890123456-01", false)]
    [InlineData("", false)]
    [InlineData(null, false)]
    public void A_header_is_read_as_the_standard_says(string? header, bool valid)
    {
        Assert.Equal(valid, TraceContext.TryParse(header, out var context));
        if (valid)
            Assert.Equal("00" + header![2..55], context.ToString());
    }

    [Fact]
    public void Ids_are_unique_and_never_zero()
    {
        var (one, other) = (new IdSource(), new IdSource());
        var ids = Enumerable.Range(0, 10_000).SelectMany(_ => new[] { one.Next(), other.Next() }).ToHashSet();
        Assert.Equal(20_000, ids.Count);
        Assert.DoesNotContain(UInt128.Zero, ids);
        Assert.All(ids, id => Assert.NotEqual(0ul, (ulong)id));
    }
}
