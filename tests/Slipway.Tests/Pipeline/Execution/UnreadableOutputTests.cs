using Slipway.Documents.Runs;
using Slipway.Primitives.Faults;
using Slipway.Primitives.Processes;
using Slipway.Tests.Primitives;

namespace Slipway.Tests.Pipeline.Execution;

/// <summary>Outputs that the user who runs the stage may not read; root may, unless it gives that capability away.</summary>
public sealed class UnreadableOutputTests : IDisposable
{
    private readonly TestFolder folder = new();

    public void Dispose()
    {
        foreach (var below in Directory.EnumerateDirectories(folder.Root, "*", SearchOption.AllDirectories))
            File.SetUnixFileMode(below, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        folder.Dispose();
    }

    [Theory]
    [InlineData("echo x > build/m; chmod 000 build/m", "m=build/m", "build/m")]
    [InlineData("echo x > build/m/a; echo x > build/m/b; chmod 000 build/m/b", "m=build/m/", "build/m/b")]
    [InlineData("mkdir build/m/c; echo x > build/m/c/f; chmod 000 build/m/c", "m=build/m/", "build/m/c")]
    [InlineData("mkdir build/m/__pycache__; echo x > build/m/f; chmod 000 build/m/__pycache__", "m=build/m/", "build/m/__pycache__")]
    public async Task What_cannot_be_read_is_named_and_it_is_not_the_store_that_cannot_be_written(string line, string output, string named)
    {
        string[] prefix = Environment.IsPrivilegedProcess ? ["/usr/bin/setpriv", "--bounding-set", "-dac_override,-dac_read_search", "--inh-caps", "-dac_override,-dac_read_search"] : [];
        Directory.CreateDirectory(folder["p"]);
        var exit = await ChildProcess.RunAsync(
            ChildProgram.Command("leave-unreadable", [folder["p"], line, output], folder["told"], prefix: prefix), TimeSpan.FromSeconds(1), TestContext.Current.CancellationToken);
        var told = File.ReadAllText(folder["told"]);
        Assert.True(exit.Succeeded, told);
        Assert.Matches($"^UnusableInput unreadable-(output|folder) slipway.yaml:10 stage s[ :].*{named}\\W", told);
        Assert.Equal(named.EndsWith("__pycache__", StringComparison.Ordinal), told.Contains("unreadable-folder", StringComparison.Ordinal));
    }

    /// <summary>Runs in a child: one stage, and how it failed on standard output.</summary>
    internal static int RunProgram(string[] arguments)
    {
        try
        {
            new TestProject(arguments[0]).RunBeforeMain(TestProject.Spec(TestProject.Stage("s", arguments[1], [], arguments[2])), Isolation.None);
            return 1;
        }
        catch (SlipwayException e)
        {
            var fault = e.Faults[0];
            Console.WriteLine($"{e.Exit} {fault.Code} {fault.File}:{fault.Line} {fault.Message}");
            return 0;
        }
    }
}
