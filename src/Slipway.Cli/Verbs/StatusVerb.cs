using System.CommandLine;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Slipway.Documents;
using Slipway.Documents.Runs;
using Slipway.Pipeline;
using Slipway.Pipeline.Execution;
using Slipway.Pipeline.Snapshots;
using Slipway.Primitives.Faults;
using Slipway.Store.Content;

namespace Slipway.Cli.Verbs;

/// <summary><c>slipway status</c>: stats and small documents only, so that it answers at once.</summary>
internal static class StatusVerb
{
    public static Command Build(GlobalOptions global)
    {
        var verb = new Command("status", "Says what a run would do, and why; does nothing.\nExample: slipway status");
        var isolation = new IsolationOption();
        isolation.AddTo(verb);
        verb.SetAction((parsed, cancellation) => Task.FromResult(Tell(global.Shell(parsed), isolation.Read(parsed), PlainQuestion.Of([.. parsed.Tokens.Select(token => token.Value)]), cancellation)));
        return verb;
    }

    private static int Tell(Shell shell, Isolation isolation, PlainQuestion? question, CancellationToken cancellation)
    {
        var clock = TimeProvider.System;
        var began = RememberedAnswer.Now(clock);
        var project = shell.Project;
        var spec = shell.LoadSpec();
        var index = DigestIndex.Open(project.DigestIndex);
        var reading = new TableReading { Index = index, CacheFolder = project.Tables, ScratchFolder = project.Scratch };
        var inputs = ResolvedInputs.Of(spec, project, reading, clock, cancellation);
        var report = Status.Of(spec, project, index, inputs.Data.ToDictionary(taken => taken.Key, taken => taken.Value.Snapshot.Digest), inputs.Environments, isolation);
        var differences = inputs.Against(spec, project).Differences.Select(difference => $"{project.LockName}: {difference.Message}").ToList();
        var text = string.Concat(differences.Concat(Lines(report)).Select(line => line + "\n"));
        var document = JsonSerializer.SerializeToNode(report, DocumentJson.Default.StatusReport)!;
        document["lock"] = new JsonArray([.. differences.Select(difference => (JsonNode)difference)]);
        var json = Shell.Render(document) + "\n";
        try
        {
            index.Save();
            Remember();
        }
        catch (SlipwayException)
        {
            // A project that cannot be written can still be looked at; the next look takes as long as this one.
        }

        shell.Out.Write(shell.Json ? json : text);
        return 0;

        void Remember()
        {
            if (question is not null && report.IsUpToDate && differences.Count == 0 && Footprint.OfStatus(spec, project, inputs, report) is { } footprint)
                RememberedAnswer.Save(question, footprint, began, new Answer([], Encoding.UTF8.GetBytes(text), Encoding.UTF8.GetBytes(text), Encoding.UTF8.GetBytes(json), 0));
        }
    }

    private static IEnumerable<string> Lines(StatusReport report)
    {
        var width = report.Stages.Select(stage => stage.Name.Length).DefaultIfEmpty().Max();
        foreach (var stage in report.Stages)
        {
            yield return stage.State switch
            {
                StageState.Cached => $"{stage.Name.PadRight(width)}  cached",
                StageState.Manual => $"{stage.Name.PadRight(width)}  manual, runs when it is named: {string.Join(", ", stage.Reasons)}",
                _ => $"{stage.Name.PadRight(width)}  would run: {string.Join(", ", stage.Reasons)}",
            };
        }

        if (report.IsUpToDate)
            yield return "nothing would run";
    }
}
