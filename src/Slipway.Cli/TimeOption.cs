using Slipway.Documents.Charts;
using Slipway.Primitives.Faults;

namespace Slipway.Cli;

/// <summary>A moment that was given on the command line, in UTC.</summary>
internal static class TimeOption
{
    /// <returns>Unix milliseconds; null where none is given.</returns>
    /// <exception cref="SlipwayException">No moment (exit 2).</exception>
    public static long? Parse(string? text, string option) => text is null ? null
        : TimeText.TryParse(text, needsOffset: false, out var time) ? time
        : throw new SlipwayException(ExitCode.UnusableInput, new Fault("bad-time", $"{option} is '{text}', allowed is {TimeText.Allowed}"));
}
