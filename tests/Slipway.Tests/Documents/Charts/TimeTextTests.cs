using Slipway.Documents.Charts;

namespace Slipway.Tests.Documents.Charts;

public sealed class TimeTextTests
{
    [Theory]
    [InlineData("2026-05-01", "2026-05-01T00:00:00.000Z")]
    [InlineData("2026-05-01T12:00", "2026-05-01T12:00:00.000Z")]
    [InlineData("2026-05-01 12:00:30", "2026-05-01T12:00:30.000Z")]
    [InlineData("2026-05-01T12:00:30Z", "2026-05-01T12:00:30.000Z")]
    [InlineData("2026-05-01T12:00:30.25Z", "2026-05-01T12:00:30.250Z")]
    [InlineData("2026-05-01T12:00+02:00", "2026-05-01T10:00:00.000Z")]
    public void Moments_are_read_as_UTC_where_they_name_no_offset(string text, string read)
    {
        Assert.True(TimeText.TryParse(text, needsOffset: false, out var at));
        Assert.Equal(read, TimeText.Iso(at));
    }

    [Theory]
    [InlineData("2026-05-01", false)]
    [InlineData("2026-05-01T12:00:00", false)]
    [InlineData("2026-05-01T12:00:00Z", true)]
    [InlineData("2026-05-01T12:00:00-01:00", true)]
    public void Where_an_offset_is_needed_one_without_is_refused(string text, bool isRead) => Assert.Equal(isRead, TimeText.TryParse(text, needsOffset: true, out _));

    /// <summary>5/6 is May to some and June to others.</summary>
    [Theory]
    [InlineData("")]
    [InlineData("yesterday")]
    [InlineData("5/6/2026")]
    [InlineData("2026-02-30")]
    [InlineData("1969-12-31")]
    [InlineData("12:00")]
    [InlineData("-5")]
    public void What_is_no_moment_or_may_be_two_is_refused(string text) => Assert.False(TimeText.TryParse(text, needsOffset: false, out _));

    [Fact]
    public void Text_in_a_table_is_no_formula_and_ends_no_cell()
    {
        Assert.Equal(("plain", "'=1+1", "\"a,b\"", "\"say \"\"so\"\"\"", "'-0.1"), (CsvText.Cell("plain"), CsvText.Cell("=1+1"), CsvText.Cell("a,b"), CsvText.Cell("say \"so\""), CsvText.Cell("-0.1")));
    }
}
