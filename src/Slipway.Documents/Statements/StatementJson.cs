using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Slipway.Documents.Statements;

/// <summary>How predicates are written: what is unknown is left out.</summary>
[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Strict,
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(TestResult))]
[JsonSerializable(typeof(SlsaProvenance))]
[JsonSerializable(typeof(VerificationSummary))]
public sealed partial class StatementJson : JsonSerializerContext
{
    private const string TimeFormat = "yyyy-MM-dd'T'HH:mm:ss'Z'";

    /// <summary>RFC 3339, UTC, whole seconds: the only form that SLSA allows.</summary>
    public static string Time(DateTimeOffset time) => time.UtcDateTime.ToString(TimeFormat, CultureInfo.InvariantCulture);

    /// <returns>Null when the text has another form.</returns>
    public static DateTimeOffset? Time(string text) =>
        DateTimeOffset.TryParseExact(text, TimeFormat, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) ? time : null;
}
