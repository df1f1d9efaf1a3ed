using System.Text.Json;
using System.Text.Json.Serialization;
using FsCheck;
using FsCheck.Fluent;
using Slipway.Primitives.Units;

namespace Slipway.Tests.Primitives.Units;

public sealed partial class UnitsTests
{
    [Theory]
    [InlineData("512MiB", 512L << 20)]
    [InlineData("512 MiB", 512L << 20)]
    [InlineData(" 4Gi ", 4L << 30)]
    [InlineData("4 GiB", 4L << 30)]
    [InlineData("1.5 KiB", 1536)]
    [InlineData("10 MB", 10_000_000)]
    [InlineData("10 kB", 10_000)]
    [InlineData("10 KB", 10_000)]
    [InlineData("2 TB", 2_000_000_000_000)]
    [InlineData("1 TiB", 1L << 40)]
    [InlineData("0 B", 0)]
    [InlineData("9007199254740991 B", (1L << 53) - 1)]
    public void A_size_is_read_as_people_write_it(string text, long bytes)
    {
        Assert.True(ByteSize.TryParse(text, out var size));
        Assert.Equal(bytes, size.Bytes);
    }

    [Theory]
    [InlineData("512")]
    [InlineData("")]
    [InlineData("MiB")]
    [InlineData("-1 B")]
    [InlineData("4 gib")]
    [InlineData("4 mb")]
    [InlineData("1e3 B")]
    [InlineData("1,5 GiB")]
    [InlineData("1.2.3 B")]
    [InlineData("4 GiB/s")]
    [InlineData("٤ GiB")]
    [InlineData("9007199254740992 B")]
    [InlineData("8192 TiB")]
    [InlineData("79228162514264337593543950335 TB")]
    [InlineData("99999999999999999999999999999999999 B")]
    public void A_size_without_its_unit_or_out_of_range_is_refused(string text) => Assert.False(ByteSize.TryParse(text, out _));

    [Theory]
    [InlineData("10ms", 0.010)]
    [InlineData("10 ms", 0.010)]
    [InlineData("250 us", 0.000250)]
    [InlineData("250 µs", 0.000250)]
    [InlineData("3 s", 3)]
    [InlineData("3 seconds", 3)]
    [InlineData("20 min", 1200)]
    [InlineData("1 minute", 60)]
    [InlineData("1.5 h", 5400)]
    [InlineData("24h", 86400)]
    [InlineData("9000 days", 777600000)]
    [InlineData("7 d", 604800)]
    [InlineData("0 s", 0)]
    [InlineData("3652500 days", 315576000000)]
    public void A_time_is_read_as_people_write_it(string text, double seconds)
    {
        Assert.True(Duration.TryParse(text, out var duration));
        Assert.Equal(seconds, duration.Seconds);
    }

    [Theory]
    [InlineData("10")]
    [InlineData("")]
    [InlineData("-1 s")]
    [InlineData("10 m")]
    [InlineData("10 S")]
    [InlineData("1 month")]
    [InlineData("1 h 5 min")]
    [InlineData("1:30 h")]
    [InlineData("3652501 days")]
    [InlineData("79228162514264337593543950335 days")]
    public void A_time_without_its_unit_or_out_of_range_is_refused(string text) => Assert.False(Duration.TryParse(text, out _));

    [Theory]
    [InlineData("5%", 0.05)]
    [InlineData("5 %", 0.05)]
    [InlineData("0.02 %", 0.0002)]
    [InlineData("0.05", 0.05)]
    [InlineData("0", 0)]
    [InlineData("100 %", 1)]
    [InlineData("1", 1)]
    public void A_share_is_read_as_people_write_it(string text, double value)
    {
        Assert.True(Ratio.TryParse(text, out var ratio));
        Assert.Equal(value, ratio.Value);
    }

    [Theory]
    [InlineData("5")]
    [InlineData("101 %")]
    [InlineData("1.01")]
    [InlineData("-1 %")]
    [InlineData("")]
    [InlineData("%")]
    [InlineData("5 percent")]
    [InlineData("5e-2")]
    [InlineData("NaN")]
    public void A_share_beyond_the_whole_is_refused(string text) => Assert.False(Ratio.TryParse(text, out _));

    [Theory]
    [InlineData("500/s", 500)]
    [InlineData("500 /s", 500)]
    [InlineData("90/min", 1.5)]
    [InlineData("0.5/s", 0.5)]
    public void A_request_rate_is_read_as_people_write_it(string text, double perSecond)
    {
        Assert.True(RequestRate.TryParse(text, out var rate));
        Assert.Equal(perSecond, rate.PerSecond);
    }

    [Theory]
    [InlineData("500")]
    [InlineData("-1/s")]
    [InlineData("500/h")]
    [InlineData("500 MB/s")]
    public void A_request_rate_without_its_unit_is_refused(string text) => Assert.False(RequestRate.TryParse(text, out _));

    [Theory]
    [InlineData("10 MB/s", 10_000_000)]
    [InlineData("1GiB/s ", 1L << 30)]
    [InlineData("10 MB /s", 10_000_000)]
    public void A_byte_rate_is_read_as_people_write_it(string text, long perSecond)
    {
        Assert.True(ByteRate.TryParse(text, out var rate));
        Assert.Equal(perSecond, rate.PerSecond.Bytes);
    }

    [Theory]
    [InlineData("10/s")]
    [InlineData("10 MB")]
    [InlineData("10 MB/min")]
    [InlineData("-1 MB/s")]
    public void A_byte_rate_without_its_unit_is_refused(string text) => Assert.False(ByteRate.TryParse(text, out _));

    [Theory]
    [InlineData(0, "0 B")]
    [InlineData(1023, "1023 B")]
    [InlineData(1024, "1 KiB")]
    [InlineData(1536, "1.5 KiB")]
    [InlineData(12_902_400, "12.3 MiB")]
    [InlineData(512L << 20, "512 MiB")]
    public void A_size_is_shown_short(long bytes, string text) => Assert.Equal(text, new ByteSize(bytes).ToString());

    [Theory]
    [InlineData("12 ms", "12 ms")]
    [InlineData("3.42 s", "3.4 s")]
    [InlineData("125 s", "2 min 5 s")]
    [InlineData("63 min", "1 h 3 min")]
    [InlineData("25 h", "1 d 1 h")]
    [InlineData("720 h", "30 d")]
    [InlineData("60 min", "1 h")]
    [InlineData("60 s", "1 min")]
    [InlineData("0 s", "0 s")]
    public void A_time_is_shown_short(string text, string shown)
    {
        Assert.True(Duration.TryParse(text, out var duration));
        Assert.Equal(shown, duration.ToString());
    }

    [Fact]
    public void A_share_and_a_rate_are_shown_with_their_unit()
    {
        Assert.Equal("0.02 %", new Ratio(0.0002).ToString());
        Assert.Equal("500/s", new RequestRate(500).ToString());
        Assert.Equal("9.54 MiB/s", new ByteRate(new ByteSize(10_000_000)).ToString());
    }

    [Fact]
    public void Amounts_go_through_json_unchanged() =>
        Prop.ForAll<NonNegativeInt, NonNegativeInt>((x, y) =>
        {
            var all = new Amounts(new ByteSize((long)x.Get << 20), new Duration(TimeSpan.FromTicks((long)y.Get << 16)), new Ratio(1.0 / (1 + y.Get)), new RequestRate(x.Get / 8.0), new ByteRate(new ByteSize(y.Get)));
            return JsonSerializer.Deserialize(JsonSerializer.Serialize(all, UnitShapes.Default.Amounts), UnitShapes.Default.Amounts) == all;
        }).QuickCheckThrowOnFailure();

    [Theory]
    [InlineData("Size", "-1")]
    [InlineData("Size", "9007199254740992")]
    [InlineData("Size", "1.5")]
    [InlineData("Size", "\"1 MiB\"")]
    [InlineData("Time", "-0.5")]
    [InlineData("Time", "1e300")]
    [InlineData("Time", "\"1 s\"")]
    [InlineData("Share", "1.5")]
    [InlineData("Share", "-0.1")]
    [InlineData("Share", "\"5 %\"")]
    [InlineData("Requests", "-1")]
    [InlineData("Bytes", "-1")]
    public void An_amount_out_of_range_is_refused_in_json_as_well(string name, string value)
    {
        var good = new Dictionary<string, string> { ["Size"] = "1", ["Time"] = "1", ["Share"] = "1", ["Requests"] = "1", ["Bytes"] = "1" };
        Assert.NotNull(JsonSerializer.Deserialize(Json(), UnitShapes.Default.Amounts));
        good[name] = value;
        Assert.Throws<JsonException>(() => JsonSerializer.Deserialize(Json(), UnitShapes.Default.Amounts));

        string Json() => "{" + string.Join(',', good.Select(member => $"\"{member.Key}\":{member.Value}")) + "}";
    }

    [Fact]
    public void Amounts_compare_by_value()
    {
        Assert.True(new ByteSize(1).CompareTo(new ByteSize(2)) < 0);
        Assert.True(new Duration(TimeSpan.FromSeconds(2)).CompareTo(new Duration(TimeSpan.FromSeconds(1))) > 0);
        Assert.Equal(0, new Ratio(0.5).CompareTo(new Ratio(0.5)));
    }

    internal sealed record Amounts(ByteSize Size, Duration Time, Ratio Share, RequestRate Requests, ByteRate Bytes);

    [JsonSourceGenerationOptions(JsonSerializerDefaults.Strict)]
    [JsonSerializable(typeof(Amounts))]
    private sealed partial class UnitShapes : JsonSerializerContext;
}
