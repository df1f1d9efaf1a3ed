using System.CommandLine;
using Slipway.Gateway.Admission;
using Slipway.Gateway.Protocol;
using Slipway.Primitives.Faults;

namespace Slipway.Cli;

/// <summary>What a gateway allows its callers.</summary>
internal sealed class ServingLimits
{
    private readonly Option<double?> rate = new("--rate-limit") { Description = "Requests a second that one caller may send, and so many at once; default: any number", HelpName = "N" };
    private readonly Option<string?> caller = new("--caller-header") { Description = "With --rate-limit: the header that names a caller; default: its address", HelpName = "NAME" };
    private readonly Option<double?> time = new("--request-limit") { Description = "Seconds from a request to its answer; default: 10", HelpName = "S" };

    public void AddTo(Command verb)
    {
        verb.Options.Add(rate);
        verb.Options.Add(caller);
        verb.Options.Add(time);
    }

    /// <exception cref="SlipwayException">A header without a rate, or no number of seconds (exit 2); the gateway checks the rest.</exception>
    public InferenceOptions Apply(ParseResult parsed, InferenceOptions options)
    {
        if (parsed.GetValue(caller) is not null && parsed.GetValue(rate) is null)
            throw new SlipwayException(ExitCode.UnusableInput, new Fault("caller-header-without-rate", "--caller-header names callers for a limit, and there is none", Help: "add --rate-limit N"));
        if (parsed.GetValue(time) is { } seconds)
        {
            if (!(seconds is >= 0.001 and <= 3600))
                throw new SlipwayException(ExitCode.UnusableInput, new Fault("bad-request-limit", $"--request-limit is {seconds} s, allowed 0.001 to 3600"));
            options = options with { RequestLimit = TimeSpan.FromSeconds(seconds) };
        }

        return parsed.GetValue(rate) is { } limit ? options with { RateLimit = new RateLimit(limit, (int)Math.Clamp(Math.Ceiling(limit), 1, int.MaxValue), parsed.GetValue(caller)) } : options;
    }
}
