namespace Slipway.Primitives.Faults;

/// <summary>How a verb ends; the numbers are the process's exit codes and never change.</summary>
public enum ExitCode
{
    /// <summary>Done; the verdict, if there is one, is good.</summary>
    Done = 0,

    /// <summary>Done; the verdict is bad: gate failed, verification failed, drift found, not reproduced.</summary>
    BadVerdict = 1,

    /// <summary>The input is unusable: bad spec, bad flag, missing file.</summary>
    UnusableInput = 2,

    /// <summary>Something needed is not there: a tool, a server, hardware, a permission, disk space.</summary>
    NotThere = 3,

    /// <summary>A bug of ours.</summary>
    Bug = 70,
}

/// <summary>One thing that is wrong, said so that a person can mend it.</summary>
/// <param name="Code">Stable kebab-case name that scripts may rely on, such as <c>unknown-key</c>.</param>
/// <param name="Message">What was found and what is allowed, without place and without a final stop.</param>
/// <param name="File">The file as the user named it, relative to the project where it is inside.</param>
/// <param name="Line">1-based.</param>
/// <param name="Column">1-based, in characters.</param>
/// <param name="Help">The next step, as a sentence or a command line.</param>
public sealed record Fault(string Code, string Message, string? File = null, int? Line = null, int? Column = null, string? Help = null)
{
    /// <summary><c>file:line:column: message</c>, the form that editors jump to.</summary>
    public override string ToString() =>
        string.Join(':', new[] { File, Line?.ToString(), Column?.ToString() }.Where(part => part is not null)) is { Length: > 0 } place
            ? $"{place}: {Message}"
            : Message;
}

/// <summary>Unusable input or something missing: faults that the user can mend, and the exit code that goes with them.</summary>
/// <remarks>A bug of ours is an <see cref="System.Diagnostics.UnreachableException"/> instead; an expected verdict is a result.</remarks>
public sealed class SlipwayException : Exception
{
    /// <param name="faults">At least one.</param>
    public SlipwayException(ExitCode exit, IReadOnlyList<Fault> faults, Exception? cause = null)
        : base(string.Join('\n', faults), cause) => (Exit, Faults) = (exit, faults);

    public SlipwayException(ExitCode exit, Fault fault, Exception? cause = null)
        : this(exit, [fault], cause)
    {
    }

    /// <summary>Several failures as one: all faults, and the exit code that is highest.</summary>
    /// <param name="failures">At least one.</param>
    public static SlipwayException Together(IReadOnlyList<SlipwayException> failures) =>
        new(failures.Max(failure => failure.Exit), [.. failures.SelectMany(failure => failure.Faults)], failures[0]);

    public ExitCode Exit { get; }

    public IReadOnlyList<Fault> Faults { get; }
}
