namespace Slipway.Cli;

/// <summary>The composition root: the only place that reads the wall clock, the environment and real randomness.</summary>
internal static class Program
{
    /// <summary>As <c>--version</c> prints it; the assembly's informational version without any suffix.</summary>
    public const string Version = "0.1.0";

    public static Task<int> Main(string[] args)
    {
        // Answered before anything else is loaded: it is what scripts probe with.
        if (args is ["--version"])
        {
            using var output = Console.OpenStandardOutput();
            output.Write("slipway 0.1.0\n"u8);
            return Task.FromResult(0);
        }

        return CommandLine.RunAsync(args);
    }
}
