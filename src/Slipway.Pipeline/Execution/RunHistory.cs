using System.Collections.Immutable;
using Slipway.Documents.Differences;
using Slipway.Documents.Environments;
using Slipway.Documents.Runs;
using Slipway.Pipeline.Execution.Steps;
using Slipway.Primitives.Faults;
using Slipway.Primitives.Files;

namespace Slipway.Pipeline.Execution;

/// <summary>The runs of a project, by their records.</summary>
public sealed class RunHistory(ProjectFolder project)
{
    /// <summary>The name of the newest run.</summary>
    public const string Latest = "latest";

    /// <summary>Ids, the newest first.</summary>
    public IReadOnlyList<string> Ids { get; } = RunRecord.Ids(project);

    /// <summary>The run of that id, of that beginning of an id, or the newest one.</summary>
    /// <param name="name">An id, the beginning of one alone, or <see cref="Latest"/>; <c>latest~2</c> is the second before it.</param>
    /// <exception cref="SlipwayException">There is none, or more than one; its record cannot be read (exit 2).</exception>
    public RunRecord Find(string name)
    {
        if (Back(name) is { } back)
            return back < Ids.Count ? Read(Ids[back]) : throw (Ids.Count == 0 ? NotFound("nothing has run here yet", "`slipway run` is the first") : NotFound($"there are {Ids.Count} runs, and '{name}' is one before them", null));
        var found = Ids.Where(id => id.StartsWith(name, StringComparison.Ordinal)).ToList();
        return found switch
        {
            [var one] => Read(one),
            [] => throw NotFound($"there is no run '{name}'", Ids.Count == 0 ? "`slipway run` makes the first one" : $"`slipway runs` lists them; the newest is {Ids[0]}"),
            _ => throw NotFound($"'{name}' begins {found.Count} runs", $"write more of it; the newest of them is {found[0]}"),
        };
    }

    /// <summary>The record of a run.</summary>
    /// <exception cref="SlipwayException">It is not there any more, or cannot be read (exit 2).</exception>
    public RunRecord Read(string id) => RunRecord.Read(project, id) ?? throw NotFound($"run {id} is not there any more", null);

    /// <summary>Whether a run that has not ended still works, or was killed. The newest alone can: a run holds the project's lock.</summary>
    public bool IsAtWork(RunRecord run)
    {
        if (run.State != RunState.Running || run.Id != Ids.FirstOrDefault() || !File.Exists(project.RunLock))
            return false;
        try
        {
            using var free = FolderLock.TryTake(project.RunLock, shared: true);
            return free is null;
        }
        catch (SlipwayException)
        {
            return true;        // who may not lock it cannot tell, and a record that says so is believed
        }
    }

    /// <summary>What differs, stage by stage: what could influence it, and what came out.</summary>
    public RunComparison Compare(RunRecord a, RunRecord b)
    {
        var steps = new StepStore(project);
        return RunComparison.Of(a, b, Changes);

        ImmutableArray<string> Changes(StageResult was, StageResult now) =>
            (steps.Find(was.Key), steps.Find(now.Key)) is ({ } before, { } after)
                ? [.. StepDifferences.Between(before.Step, after.Step, steps.Environment)]
                : ["what it was made from, which is no longer recorded"];
    }

    /// <summary>How many runs before the newest; null where the name is no such thing.</summary>
    private static int? Back(string name) =>
        name == Latest ? 0
        : name.StartsWith(Latest + "~", StringComparison.Ordinal) && int.TryParse(name.AsSpan(Latest.Length + 1), System.Globalization.NumberStyles.None, null, out var back) ? back
        : null;

    private static SlipwayException NotFound(string message, string? help) => new(ExitCode.UnusableInput, new Fault("run-not-found", message, Help: help));
}
