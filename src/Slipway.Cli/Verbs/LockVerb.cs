using System.CommandLine;
using System.Text.Json.Nodes;
using Slipway.Documents.Runs;
using Slipway.Pipeline;
using Slipway.Pipeline.Execution;
using Slipway.Pipeline.Snapshots;
using Slipway.Primitives.Faults;
using Slipway.Store.Content;

namespace Slipway.Cli.Verbs;

/// <summary><c>slipway lock</c>.</summary>
internal static class LockVerb
{
    public static Command Build(GlobalOptions global)
    {
        var check = new Option<bool>("--check") { Description = "Change nothing; exit 1 if slipway.lock would change" };
        var verb = new Command("lock", "Pins data, environments and the baseline in slipway.lock.\nExample: slipway lock --check") { check };
        verb.SetAction((parsed, cancellation) => LockAsync(global.Shell(parsed), parsed.GetValue(check), cancellation));
        return verb;
    }

    private static async Task<int> LockAsync(Shell shell, bool check, CancellationToken cancellation)
    {
        var project = shell.Project;
        var spec = shell.LoadSpec();
        using var held = check ? null : await RunLock.TakeAsync(project, () => shell.Note("a run is under way in this project; waiting for it to end"), cancellation);
        var index = DigestIndex.Open(project.DigestIndex);
        var reading = new TableReading { Index = index, CacheFolder = project.Tables, ScratchFolder = project.Scratch };
        var resolution = ResolvedInputs.Of(spec, project, reading, TimeProvider.System, cancellation).Against(spec, project);
        index.Save();

        var differences = resolution.Differences.Select(difference => difference.Message).ToList();
        if (resolution.Pinned is null)
            differences.Add($"there is no {project.LockName}");
        if (!check)
            ProjectLockFile.Write(project, resolution.Found);

        if (shell.Json)
        {
            shell.WriteJson(new JsonObject { ["changed"] = differences.Count > 0, ["differences"] = new JsonArray([.. differences.Select(text => (JsonNode)text)]) });
        }
        else
        {
            foreach (var difference in differences)
                shell.Out.WriteLine(difference);
            var file = project.LockName;
            shell.Out.WriteLine((differences.Count, check) switch
            {
                (0, _) => $"{file} says what is",
                (_, true) => $"{file} would change: `slipway lock` accepts what is there now",
                _ => $"{file} is written",
            });
        }

        return (int)(check && differences.Count > 0 ? ExitCode.BadVerdict : ExitCode.Done);
    }
}
