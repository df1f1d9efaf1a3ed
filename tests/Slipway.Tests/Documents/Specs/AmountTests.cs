namespace Slipway.Tests.Documents.Specs;

/// <summary>Amounts as people write them, through the keys that take them.</summary>
public sealed class AmountTests
{
    [Theory]
    [InlineData("memory", "512MiB", 536870912)]
    [InlineData("memory", "512 MiB", 536870912)]
    [InlineData("memory", "4Gi", 4294967296)]
    [InlineData("memory", "4 GiB", 4294967296)]
    [InlineData("memory", "1.5 kB", 1500)]
    [InlineData("memory", "'10 MB'", 10000000)]
    [InlineData("memory", "10 B", 10)]
    [InlineData("latency", "10ms", 0.01)]
    [InlineData("latency", "10 ms", 0.01)]
    [InlineData("latency", "24h", 86400)]
    [InlineData("latency", "20 min", 1200)]
    [InlineData("latency", "9000 days", 777600000)]
    [InlineData("bandwidth", "10 MB/s", 10000000)]
    [InlineData("throughput", "500/s", 500)]
    [InlineData("throughput", "30/min", 0.5)]
    [InlineData("confidence", "95 %", 0.95)]
    [InlineData("confidence", "95%", 0.95)]
    [InlineData("confidence", "0.95", 0.95)]
    [InlineData("confidence", "9.5e-1", 0.95)]
    public void An_amount_is_read_as_written(string key, string written, double value)
    {
        var spec = SpecText.Parse(With(key, written));
        var profile = spec.Hardware["h"];
        Assert.Equal(value, key switch
        {
            "memory" => profile.Memory!.Value.Bytes,
            "latency" => profile.LatencyP99!.Value.Seconds,
            "bandwidth" => profile.Bandwidth!.Value.PerSecond.Bytes,
            "throughput" => profile.Throughput!.Value.PerSecond,
            _ => spec.Evaluate!.Confidence.Value,
        }, 1e-9);
    }

    [Theory]
    [InlineData("memory", "4")]
    [InlineData("memory", "4 GBB")]
    [InlineData("memory", "4 gib")]
    [InlineData("memory", "-4 GiB")]
    [InlineData("memory", "GiB")]
    [InlineData("memory", "1e3 MB")]
    [InlineData("memory", "9007199254740993 B")]
    [InlineData("latency", "20")]
    [InlineData("latency", "0 s")]
    [InlineData("latency", "20 m")]
    [InlineData("bandwidth", "10 MB")]
    [InlineData("throughput", "500")]
    [InlineData("throughput", "500 Hz")]
    [InlineData("confidence", "95")]
    [InlineData("confidence", "0.4")]
    [InlineData("confidence", "100 %")]
    [InlineData("confidence", "1e-9")]
    public void A_bare_number_a_wrong_unit_and_what_is_out_of_range_are_refused(string key, string written)
    {
        var fault = Assert.Single(SpecText.Faults(With(key, written)));
        Assert.Equal("wrong-unit", fault.Code);
        Assert.Contains($"is {(double.TryParse(written, out _) ? written : $"'{written}'")}, allowed a", fault.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("1980-01-01", 315532800)]
    [InlineData("2024-02-29", 1709164800)]
    [InlineData("2024-02-29T12:00:01Z", 1709208001)]
    public void An_epoch_is_a_date_or_a_time(string written, long seconds) =>
        Assert.Equal(seconds, SpecText.Parse($"slipway: 1\nname: a\ndeterminism: {{ epoch: {written} }}\n").Determinism.Epoch);

    [Theory]
    [InlineData("2023-02-29")]
    [InlineData("1969-12-31")]
    [InlineData("2200-01-01")]
    [InlineData("2024-01-01T12:00:00")]
    [InlineData("2024-01-01T25:00:00Z")]
    [InlineData("315532800")]
    [InlineData("01.01.1980")]
    public void Any_other_epoch_is_refused(string written) =>
        Assert.Equal("bad-value", Assert.Single(SpecText.Faults($"slipway: 1\nname: a\ndeterminism: {{ epoch: {written} }}\n")).Code);

    private static string With(string key, string written) => SpecText.Full
        .Replace("confidence: 95 %", key == "confidence" ? $"confidence: {written}" : "confidence: 90 %", StringComparison.Ordinal)
        .Replace("hardware:\n", key switch
        {
            "confidence" => "hardware:\n  h: {}\n",
            "latency" => $"hardware:\n  h: {{ latency: {{ p99: {written} }} }}\n",
            _ => $"hardware:\n  h: {{ {key}: {written} }}\n",
        }, StringComparison.Ordinal);
}
