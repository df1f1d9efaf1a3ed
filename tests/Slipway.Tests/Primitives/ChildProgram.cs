using System.Runtime.CompilerServices;
using Slipway.Primitives.Processes;

namespace Slipway.Tests.Primitives;

/// <summary>
/// Small programs that a test runs as a process of its own, because what they try is global to a process (umask, time zone,
/// working directory) or ends it. They live in this assembly and start before the test runner does.
/// </summary>
internal static class ChildProgram
{
    public const string Variable = "SLIPWAY_TEST_PROGRAM";

    /// <summary>Exit code of a program whose body threw; the exception is on standard error.</summary>
    public const int Threw = 99;

    private static readonly Dictionary<string, Func<string[], int>> Programs = new()
    {
        ["write-atomically"] = Files.AtomicFileTests.WriteProgram,
        ["hold-lock"] = Files.FolderLockTests.HoldProgram,
        ["start-sleeper"] = Processes.ChildProcessTests.StartSleeperProgram,
        ["seal"] = Pipeline.Sealing.SealerTests.SealProgram,
        ["run-pipeline"] = Pipeline.Execution.CrashTests.RunProgram,
        ["hold-connections"] = Server.Api.SlowConnectionTests.HoldProgram,
        ["serve-control-plane"] = Server.Rollouts.KilledServerTests.ServeProgram,
        ["die-with-model"] = Runtime.ModelHosts.CrashMarkTests.DieProgram,
        ["open-database"] = Server.Storage.DatabaseContract.OpenProgram,
        ["leave-unreadable"] = Pipeline.Execution.UnreadableOutputTests.RunProgram,
        ["run-ungrouped"] = Pipeline.Execution.NoControlGroupTests.RunProgram,
        ["size-folder"] = Runtime.Sandbox.FolderSizeTests.SizeProgram,
        ["sql-stage"] = Pipeline.Execution.SqlStageRunTests.SqlProgram,
    };

    /// <summary>This process's own program: its executable, or dotnet and the assembly.</summary>
    public static string[] Line => Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet"
        ? [Environment.ProcessPath!, typeof(ChildProgram).Assembly.Location]
        : [Environment.ProcessPath!];

    /// <summary>The command line that runs a program; the environment holds what a bare child of dotnet needs.</summary>
    public static ChildCommand Command(string program, string[] arguments, string? output = null, string? folder = null, string[]? prefix = null) => new(
        [.. prefix ?? [], .. Line, .. arguments],
        folder ?? Path.GetTempPath(),
        Variables(program),
        output,
        output);

    public static Dictionary<string, string> Variables(string program) => new()
    {
        [Variable] = program,
        ["PATH"] = Environment.GetEnvironmentVariable("PATH") ?? "/usr/bin:/bin",
        ["HOME"] = "/nonexistent",
        ["DOTNET_ROOT"] = Environment.GetEnvironmentVariable("DOTNET_ROOT") ?? "",
        ["DOTNET_EnableDiagnostics"] = "0",
    };

    [ModuleInitializer]
    internal static void Run()
    {
        if (Environment.GetEnvironmentVariable(Variable) is not { Length: > 0 } name)
            return;
        int code;
        try
        {
            code = Programs[name](Environment.GetCommandLineArgs()[1..]);
        }
        catch (Exception e)
        {
            Console.Error.WriteLine(e);
            code = Threw;
        }

        Environment.Exit(code);
    }
}
