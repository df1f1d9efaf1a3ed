using Slipway.Primitives.Faults;

namespace Slipway.Engines.DuckDb;

/// <summary>DuckDB refused or failed a statement; the message is DuckDB's own.</summary>
/// <remarks>The caller knows what the statement was for, and turns this into a fault of its own where the user can mend it.</remarks>
public sealed class DuckException : Exception
{
    internal DuckException(string message)
        : base(message) => Kind = message.IndexOf(" Error: ", StringComparison.Ordinal) is > 0 and var end ? message[..end] : "";

    /// <summary>What stands before "Error:" in the message: <c>Parser</c>, <c>Binder</c>, <c>Catalog</c>, <c>IO</c>, <c>Out of Memory</c>, <c>Permission</c>, <c>Conversion</c>…</summary>
    public string Kind { get; }

    /// <summary>Whether the machine was too small rather than the statement wrong: a full disk, or more memory than was allowed.</summary>
    public bool IsShortage => Kind == "Out of Memory" || Message.Contains("No space left on device", StringComparison.Ordinal);

    /// <summary>The first line, for lists of faults.</summary>
    public string FirstLine => Message.Split('\n', 2)[0].TrimEnd();

    /// <summary>The exception to show the user: exit 3 for a shortage, else exit 2.</summary>
    /// <param name="fault">What the statement was for; the message follows after a colon.</param>
    public SlipwayException Explain(Fault fault) => IsShortage
        ? new SlipwayException(ExitCode.NotThere, fault with { Code = Kind == "Out of Memory" ? "out-of-memory" : "no-space", Message = $"{fault.Message}: {Message}" }, this)
        : new SlipwayException(ExitCode.UnusableInput, fault with { Message = $"{fault.Message}: {Message}" }, this);
}
