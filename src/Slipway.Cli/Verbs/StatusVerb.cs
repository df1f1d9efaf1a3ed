using System.CommandLine;
using System.Text.Json;
using Slipway.Documents;
using Slipway.Documents.Runs;
using Slipway.Pipeline;
using Slipway.Pipeline.Execution;
using Slipway.Pipeline.Snapshots;
using Slipway.Store.Content;

namespace Slipway.Cli.Verbs;

/// <summary><c>slipway status</c>: stats and small documents only, so that it answers at once.</summary>
internal static class StatusVerb
{
    public static Command Build(GlobalOptions global)
    {
        var verb = new Command("status", "Says what a run would do, and why; does nothing.\nExample: slipway status");
        verb.SetAction((parsed, cancellation) => Task.FromResult(Tell(global.Shell(parsed), cancellation)));
        return verb;
    }

    private static int Tell(Shell shell, CancellationToken cancellation)
    {
        var project = shell.Project;
        var spec = shell.LoadSpec();
        var index = DigestIndex.Open(project.DigestIndex);
        var reading = new TableReading { Index = index, CacheFolder = project.Tables, ScratchFolder = project.Scratch };
        var inputs = ResolvedInputs.Of(spec, project, reading, TimeProvider.System, cancellation);
        var report = Status.Of(spec, project, index, inputs.Data.ToDictionary(taken => taken.Key, taken => taken.Value.Snapshot.Digest), inputs.Environments);
        index.Save();

        var pins = inputs.Against(spec, project);
        if (shell.Json)
        {
            shell.WriteJson(JsonSerializer.SerializeToNode(report, DocumentJson.Default.StatusReport)!);
            return 0;
        }

        foreach (var difference in pins.Differences)
            shell.Out.WriteLine($"{project.LockName}: {difference.Message}");
        var width = report.Stages.Select(stage => stage.Name.Length).DefaultIfEmpty().Max();
        foreach (var stage in report.Stages)
        {
            shell.Out.WriteLine(stage.State == StageState.Cached
                ? $"{stage.Name.PadRight(width)}  cached"
                : $"{stage.Name.PadRight(width)}  would run: {string.Join(", ", stage.Reasons)}");
        }

        if (report.IsUpToDate)
            shell.Out.WriteLine("nothing would run");
        return 0;
    }
}
