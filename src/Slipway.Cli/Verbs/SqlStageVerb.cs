using Slipway.Engines.DuckDb;
using Slipway.Pipeline.Execution.Sql;
using Slipway.Primitives.Faults;

namespace Slipway.Cli.Verbs;

/// <summary>The hidden verb by which a run executes an SQL stage in a child of its own: measured, and contained when it crashes.</summary>
internal static class SqlStageVerb
{
    public const string Name = "sql-stage";

    /// <summary>Faults go to stderr, which is the stage's log.</summary>
    public static int Run(string requestFile)
    {
        try
        {
            SqlStageRequest.Run(requestFile, CancellationToken.None);
            return 0;
        }
        catch (SlipwayException failure)
        {
            foreach (var fault in failure.Faults)
                Console.Error.WriteLine(fault.Help is null ? fault : $"{fault}\n  → {fault.Help}");
            return (int)failure.Exit;
        }
        catch (DuckException failure)
        {
            Console.Error.WriteLine(failure.Message);
            return (int)(failure.IsShortage ? ExitCode.NotThere : ExitCode.UnusableInput);
        }
    }
}
