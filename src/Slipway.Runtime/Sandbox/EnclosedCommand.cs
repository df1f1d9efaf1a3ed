using System.Collections.Immutable;
using Slipway.Documents.Runs;
using Slipway.Primitives.Processes;

namespace Slipway.Runtime.Sandbox;

/// <summary>A command, what it sees and what it may use.</summary>
/// <param name="Name">Of its control group: letters, digits, - and _; no other's at this time.</param>
/// <param name="Arguments">Program and its arguments, as seen inside.</param>
/// <param name="WorkingDirectory">As seen inside.</param>
/// <param name="Environment">All variables of the command.</param>
/// <param name="Mounts">What it sees; with <see cref="Isolation.None"/> it sees the host.</param>
/// <param name="Folder">Absolute path of its private folder on the host: where it may write is below, and so is what the isolation itself needs.</param>
/// <param name="Network">Whether it reaches other hosts.</param>
public sealed record EnclosedCommand(
    string Name,
    IReadOnlyList<string> Arguments,
    string WorkingDirectory,
    IReadOnlyDictionary<string, string> Environment,
    ImmutableArray<Mount> Mounts,
    string Folder,
    bool Network,
    Isolation Isolation,
    ResourceLimits Limits)
{
    /// <summary>Absolute path of a folder for what all commands of a run share; no command may write there.</summary>
    public string SharedFolder { get; } = Path.GetDirectoryName(Folder)!;

    /// <summary>Devices of the host that it sees as they are, such as <c>/dev/nvidia0</c>.</summary>
    public ImmutableArray<string> Devices { get; init; } = [];

    /// <summary>Whether addresses are the same in every run: without the randomisation that is a defence of programs which talk to strangers.</summary>
    public bool FixedAddresses { get; init; }

    /// <summary>Whether strace is around it: its log then gets each of its failed look-ups of files, for <see cref="Strace.Missed"/>, in place of what it writes.</summary>
    public bool IsTraced { get; init; }

    /// <summary>
    /// Called once everything around the command is ready, with its control group, or why there is none, so that limits are held for single processes
    /// only, or not at all: the command begins when that is over, and not at all when that fails.
    /// </summary>
    public Func<ControlGroup?, string?, Task> Ready { get; init; } = (_, _) => Task.CompletedTask;
}

/// <summary>How an enclosed command ended.</summary>
/// <param name="Exceeded">The limit that ended it, or was in its way.</param>
public sealed record EnclosedExit(ChildExit Exit, ExceededLimit Exceeded);
