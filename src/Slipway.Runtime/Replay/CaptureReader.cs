using System.Text.Json;
using Slipway.Documents.Incidents;
using Slipway.Primitives.Faults;

namespace Slipway.Runtime.Replay;

/// <summary>Reads captured requests: JSON lines, a <see cref="CapturedRequest"/> each.</summary>
public static class CaptureReader
{
    /// <summary>Bytes of one line: a request that gateways take, and its answer.</summary>
    private const int LongestLine = 16 * 1024 * 1024;

    /// <param name="file">What messages call it.</param>
    /// <exception cref="SlipwayException">A line is no captured request (exit 2), with its number.</exception>
    public static IEnumerable<CapturedRequest> Read(Stream lines, string file)
    {
        using var reader = new StreamReader(lines);
        var number = 0;
        while (reader.ReadLine() is { } line)
        {
            number++;
            if (line.Length == 0)
                continue;
            yield return Parse(line, file, number);
        }
    }

    private static CapturedRequest Parse(string line, string file, int number)
    {
        try
        {
            if (line.Length > LongestLine)
                throw new JsonException($"it has {line.Length} characters, allowed are {LongestLine}");
            var request = JsonSerializer.Deserialize(line, IncidentJson.Default.CapturedRequest) ?? throw new JsonException("it is null");
            return request.Dropped.IsDefault || request.Masked.IsDefault ? throw new JsonException("dropped or masked is missing") : request;
        }
        catch (JsonException e)
        {
            throw new SlipwayException(ExitCode.UnusableInput, new Fault("capture-malformed", $"is no captured request: {e.Message}", file, number, Help: "captures are JSON lines as docs/format/capture.md has them"));
        }
    }
}
