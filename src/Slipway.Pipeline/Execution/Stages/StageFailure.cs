using Slipway.Documents.Runs;
using Slipway.Documents.Specs;
using Slipway.Primitives.Faults;
using Slipway.Primitives.Processes;
using Slipway.Primitives.Units;
using Slipway.Runtime.Sandbox;

namespace Slipway.Pipeline.Execution.Stages;

/// <summary>Why a stage's command did not end well, in words that say what to do.</summary>
/// <param name="users">The folder whose files the command may have meant.</param>
/// <param name="log">Path of the stage's log, whose last lines are shown.</param>
/// <param name="memoryOfEach">What each of its processes was held to, where nothing held all of them together; null otherwise.</param>
internal sealed class StageFailure(StageSpec stage, Spec spec, ProjectFolder project, string users, StageFolder folder, string log, ByteSize? memoryOfEach)
{
    /// <summary>Bytes: with less than this left when a stage fails, the disk is named as the likely cause.</summary>
    private const long FullDisk = 1 << 20;

    private string Where => $"the whole log is {Path.GetRelativePath(project.Root, log)}";

    /// <summary>Whether the command's last words tell of a file that it was not given.</summary>
    public bool NamesRead => Read(LogTail.Of(log)) is not null;

    /// <summary>The first of the paths that the command was not given and the project has; null when there is none.</summary>
    public string? Missed(IEnumerable<string> paths) => UndeclaredReads.First(paths, users, folder, stage.Outputs.Values);

    /// <param name="traced">What a second run looked for and was not given; null when nothing is known of one.</param>
    public SlipwayException OfCommand(ChildExit exit, string? traced)
    {
        // A full disk takes many forms in a child (a signal, a cut file, no word at all), so the disk itself is asked.
        var left = new DriveInfo(project.Work).AvailableFreeSpace;
        var isFull = left < FullDisk || stage.Sql is not null && exit.Code == (int)ExitCode.NotThere;
        var why = left < FullDisk ? $", with {new ByteSize(left)} of space left on the disk" : exit.Signal == 9 ? ", perhaps for want of memory" : "";
        return Failed("stage-failed", $"its {(stage.Sql is null ? "command" : "query")} {exit}{why}", isFull ? ExitCode.NotThere : ExitCode.UnusableInput, traced, MemoryHint(exit));
    }

    private string MemoryHint(ChildExit exit) =>
        memoryOfEach is { } each && spec.ProfileOf(stage)?.Memory is not null && (exit.Signal is not null || LogTail.Of(log).Any(LogTail.MissesMemory))
            ? $"each of its processes was held to {each} of memory (hardware.{stage.Hardware}.memory); "
            : "";

    public SlipwayException OfTimeout()
    {
        var limit = spec.TimeLimitOf(stage);
        var (what, key) = limit == stage.Timeout ? ("its timeout", "timeout") : ("its limit", $"hardware.{stage.Hardware}.time");
        return Failed("stage-timeout", $"its command was ended after {limit}, {what}", ExitCode.UnusableInput, next: $"raise {key}, or let it do less; ");
    }

    public SlipwayException OverLimit(ExceededLimit exceeded, ResourceLimits limits)
    {
        var profile = spec.ProfileOf(stage);
        var (what, key, isDeclared) = exceeded switch
        {
            ExceededLimit.Memory => ($"used {limits.Memory} of memory", "memory", profile?.Memory is not null),
            ExceededLimit.Disk => ($"wrote more than {limits.Disk}", "disk", true),
            _ => ($"had {limits.Processes} processes and threads", "pids", profile?.Pids is not null),
        };
        var raise = stage.Hardware is null ? $"give it a hardware profile with {key}" : isDeclared ? $"raise hardware.{stage.Hardware}.{key}" : $"set hardware.{stage.Hardware}.{key}";
        return new SlipwayException(ExitCode.UnusableInput, stage.At.Fault("over-limit", $"stage {stage.Name} {what}, its limit, and was ended{Last(LogTail.Of(log))}", $"{raise}, or let it use less; {Where}"));
    }

    private string? Read(IReadOnlyList<string> tail) => UndeclaredReads.Find(tail, users, folder, stage.Outputs.Values, stage.Inputs.Select(input => input.Name));

    private SlipwayException Failed(string code, string what, ExitCode exit, string? traced = null, string next = "")
    {
        var tail = LogTail.Of(log);
        var shown = Last(tail);
        if ((Read(tail) ?? traced) is { } read)
        {
            var (did, seen) = traced is null ? ("read", "") : ("looked for", " (seen on a second run under strace)");
            return new SlipwayException(exit, stage.At.Fault("undeclared-read", $"stage {stage.Name} {did} {read}, which is not among its inputs{seen}: {what}{shown}", $"add {UndeclaredReads.InputFor(read, spec, users)} to in:; {Where}"));
        }

        var found = tail.Any(LogTail.MissesFile) ? $"a stage finds only what it declares under in:{(stage.Inputs.IsEmpty ? ", which is nothing" : $" ({string.Join(", ", stage.Inputs.Select(input => input.Name))})")}; "
            : stage.Network == StageNetwork.None && tail.Any(LogTail.MissesNetwork) ? "a stage reaches no network unless its network: says so; "
            : tail.Any(LogTail.MayNotWrite) ? "a stage writes only where its out: says, and scratch files under $TMPDIR; "
            : "";
        return new SlipwayException(exit, stage.At.Fault(code, $"stage {stage.Name}: {what}{shown}", next + found + Where));
    }

    private static string Last(IReadOnlyList<string> tail) => tail.Count == 0 ? ", and wrote nothing" : "; the last it wrote:" + string.Concat(tail.Select(line => "\n  | " + line));
}
