using Slipway.Primitives.Units;

namespace Slipway.Documents.Reading;

/// <summary>The shapes of <see cref="Slipway.Primitives.Units"/>.</summary>
internal static class Amounts
{
    public const string Number = @"\+?([0-9]+\.?[0-9]*|\.[0-9]+)";

    private const string Unit = "Write the unit: it is never guessed.";

    private const string Sizes = "(B|KiB|MiB|GiB|TiB|Ki|Mi|Gi|Ti|kB|KB|MB|GB|TB)";

    public static Shape<ByteSize> Size { get; } = new ParsedShape<ByteSize>(ByteSize.TryParse, ByteSize.Allowed, $"^ *{Number} *{Sizes} *$", help: Unit);

    public static Shape<Duration> Time { get; } = new ParsedShape<Duration>(
        IsTime, Duration.Allowed, $"^ *{Number} *(us|µs|ms|s|sec|seconds?|min|minutes?|h|hours?|d|days?) *$", help: Unit);

    public static Shape<ByteRate> Bandwidth { get; } = new ParsedShape<ByteRate>(ByteRate.TryParse, ByteRate.Allowed, $"^ *{Number} *{Sizes} */s *$", help: Unit);

    public static Shape<RequestRate> Throughput { get; } = new ParsedShape<RequestRate>(RequestRate.TryParse, RequestRate.Allowed, $"^ *{Number} */(s|min) *$", help: Unit);

    public static Shape<Ratio> Share { get; } = new ShareShape();

    /// <summary>Longer than nothing: a limit of 0 s would end everything at once.</summary>
    private static bool IsTime(string text, out Duration time) => Duration.TryParse(text, out time) && time.Value > TimeSpan.Zero;
}
