using System.Runtime.CompilerServices;
using Slipway.Runtime.ModelHosts;

namespace Slipway.Tests.Runtime.ModelHosts;

/// <summary>Lets this test program stand in for the program whose hidden verb tries an ONNX model in a throw-away child.</summary>
internal static class ProbeEntry
{
    [ModuleInitializer]
    internal static void Run()
    {
        if (Environment.GetCommandLineArgs() is not [_, "onnx-probe", .. var arguments])
            return;
        using var output = Console.OpenStandardOutput();
        Environment.Exit(ModelHost.RunProbe(arguments, output));
    }
}
