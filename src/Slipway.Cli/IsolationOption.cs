using System.CommandLine;
using Slipway.Documents.Runs;
using Slipway.Primitives.Faults;

namespace Slipway.Cli;

/// <summary>What holds stages to their declarations: <c>--isolation</c>, else <c>$SLIPWAY_ISOLATION</c>, else the sandbox.</summary>
internal sealed class IsolationOption
{
    private const string Variable = "SLIPWAY_ISOLATION";

    private static readonly Isolation[] all = [Isolation.Sandbox, Isolation.Oci, Isolation.None];

    private readonly Option<string?> option = new("--isolation") { Description = $"What holds stages to what they declare: {Words}; else ${Variable}, else sandbox", HelpName = "LEVEL" };

    public void AddTo(Command verb) => verb.Options.Add(option);

    /// <exception cref="SlipwayException">It is none of them (exit 2).</exception>
    public Isolation Read(ParseResult parsed)
    {
        var (said, place) = parsed.GetValue(option) is { } given ? (given, "--isolation") : (Environment.GetEnvironmentVariable(Variable), Variable);
        return string.IsNullOrEmpty(said) ? Isolation.Sandbox
            : Array.FindIndex(all, isolation => isolation.Word() == said) is >= 0 and var found ? all[found]
            : throw new SlipwayException(ExitCode.UnusableInput, new Fault("bad-isolation", $"{place} is '{ForeignText.Shown(said)}', allowed {Words}", Help: NearestName.Of(said, [.. all.Select(isolation => isolation.Word())]) is { } near ? $"did you mean {near}?" : null));
    }

    private static string Words => string.Join(", ", all.Select(isolation => isolation.Word()));
}
