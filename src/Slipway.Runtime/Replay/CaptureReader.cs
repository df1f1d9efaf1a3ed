using System.Text;
using System.Text.Json;
using Slipway.Documents.Incidents;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;

namespace Slipway.Runtime.Replay;

/// <summary>Reads captured requests: JSON lines, a <see cref="CapturedRequest"/> each.</summary>
public static class CaptureReader
{
    /// <summary>Bytes of one line: a request that gateways take, and its answer.</summary>
    private const int LongestLine = 16 * 1024 * 1024;

    /// <summary>Characters of a value that are shown.</summary>
    private const int LongestShown = 60;

    /// <summary>Where the form is told.</summary>
    public const string Help = "captures are JSON lines as docs/format/capture.md has them";

    /// <summary>All are required; messages are in the words of the format's document.</summary>
    private static readonly (string Name, string Allowed, Func<JsonElement, bool> Is)[] Keys =
    [
        ("model", "the model's name", value => value.ValueKind == JsonValueKind.String),
        ("version", "the number of the version that answered", value => value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var number) && number >= 0),
        ("bundle", "the digest of its bundle, sha256: and 64 hex digits", value => value.ValueKind == JsonValueKind.String && Digest.TryParse(value.GetString()!, out _)),
        ("arm", "direct, stable or candidate", value => value.ValueKind == JsonValueKind.String && value.GetString() is "direct" or "stable" or "candidate"),
        ("key", "the hashed id of the request, 32 hex digits", value => value.ValueKind == JsonValueKind.String),
        ("at", "Unix milliseconds", value => value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out _)),
        ("inputs", "a list of tensors", IsTensors),
        ("outputs", "a list of tensors, or null where there was no answer", value => value.ValueKind == JsonValueKind.Null || IsTensors(value)),
        ("dropped", "a list of inputs' names, mostly empty", IsListOfTexts),
        ("masked", "a list of inputs' names, mostly empty", IsListOfTexts),
    ];

    /// <param name="file">What messages call it.</param>
    /// <exception cref="SlipwayException">A line is no captured request (exit 2), with its number.</exception>
    public static IEnumerable<CapturedRequest> Read(Stream lines, string file)
    {
        using var reader = new StreamReader(lines);
        var number = 0;
        while (reader.Peek() >= 0)
        {
            number++;
            var line = ReadLine(reader, file, number);
            if (line.Length == 0)
                continue;
            yield return Parse(line, file, number);
        }
    }

    /// <summary>No more of a line that is too long is kept than is allowed.</summary>
    private static string ReadLine(StreamReader reader, string file, int number)
    {
        var line = new StringBuilder();
        for (var next = reader.Read(); next is >= 0 and not '\n'; next = reader.Read())
        {
            if (line.Length >= LongestLine)
                throw Malformed($"has more than {LongestLine} characters", file, number);
            line.Append((char)next);
        }

        return line is [.., '\r'] ? line.ToString(0, line.Length - 1) : line.ToString();
    }

    private static SlipwayException Malformed(string message, string file, int number) =>
        new(ExitCode.UnusableInput, new Fault("capture-malformed", $"is no captured request: it {message}", file, number, Help: Help));

    private static CapturedRequest Parse(string line, string file, int number)
    {
        try
        {
            using var document = JsonDocument.Parse(line);
            if (Problem(document.RootElement) is { } problem)
                throw Malformed(problem, file, number);
            return JsonSerializer.Deserialize(document.RootElement, IncidentJson.Default.CapturedRequest)!;
        }
        catch (JsonException e) when (e.Path is null or "$")
        {
            throw Malformed("is no JSON object that ends where the line does", file, number);
        }
        catch (InvalidOperationException)
        {
            throw Malformed("has text that is no Unicode, such as half of a surrogate pair", file, number);
        }
        catch (JsonException e)
        {
            throw Malformed($"has at {e.Path} what is not allowed there", file, number);
        }
    }

    private static string? Problem(JsonElement request)
    {
        if (request.ValueKind != JsonValueKind.Object)
            return $"is {Kind(request)}, allowed is an object";
        if (Keys.FirstOrDefault(key => !request.TryGetProperty(key.Name, out _)) is { Name: not null } missing)
            return $"lacks the key '{missing.Name}', {missing.Allowed}";
        foreach (var found in request.EnumerateObject())
        {
            if (Keys.FirstOrDefault(key => key.Name == found.Name) is not { Name: not null } key)
                return $"has the key '{found.Name}', which captured requests do not have{(NearestName.Of(found.Name, Keys.Select(known => known.Name)) is { } near ? $"; did you mean {near}?" : "")}";
            if (!key.Is(found.Value))
                return $"has as '{key.Name}' {Kind(found.Value)}, allowed is {key.Allowed}";
        }

        return request.EnumerateObject().CountBy(found => found.Name).FirstOrDefault(name => name.Value > 1).Key is { } twice ? $"has the key '{twice}' twice" : null;
    }

    private static string Kind(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object => "an object",
        JsonValueKind.Array => "a list",
        JsonValueKind.String => $"the text '{Shortened(value.GetString()!)}'",
        JsonValueKind.Number => $"the number {Shortened(value.GetRawText())}",
        JsonValueKind.Null => "null",
        _ => value.GetRawText(),
    };

    private static string Shortened(string text) => text.Length <= LongestShown ? text : text[..LongestShown] + "…";

    private static bool IsListOfTexts(JsonElement value) => value.ValueKind == JsonValueKind.Array && value.EnumerateArray().All(item => item.ValueKind == JsonValueKind.String);

    private static bool IsTensors(JsonElement value) => value.ValueKind == JsonValueKind.Array && value.EnumerateArray().All(item => item.ValueKind == JsonValueKind.Object);
}
