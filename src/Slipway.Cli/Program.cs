using Slipway.Cli.Verbs;
using Slipway.Runtime.ModelHosts;

namespace Slipway.Cli;

/// <summary>The composition root: the only place that reads the wall clock, the environment and real randomness.</summary>
internal static class Program
{
    /// <summary>As <c>--version</c> prints it; a test holds it to the assemblies' version.</summary>
    public const string Version = "0.1.0";

    public static Task<int> Main(string[] args)
    {
        // Answered before anything else is loaded: it is what scripts probe with.
        if (args is ["--version"])
        {
            using var output = Console.OpenStandardOutput();
            output.Write(System.Text.Encoding.ASCII.GetBytes($"slipway {Version}\n"));
            return Task.FromResult(0);
        }

        // What a run starts as children of its own; not for people, so not in the command tree.
        if (args is [SqlStageVerb.Name, var request])
            return Task.FromResult(SqlStageVerb.Run(request));
        if (args is ["onnx-probe", .. var probed])
            return Task.FromResult(Probe(probed));
        return RememberedAnswer.TryGive(args) is { } exit ? Task.FromResult(exit) : CommandLine.RunAsync(args);
    }

    private static int Probe(string[] arguments)
    {
        using var output = Console.OpenStandardOutput();
        return ModelHost.RunProbe(arguments, output);
    }
}
