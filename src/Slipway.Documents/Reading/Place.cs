using Slipway.Primitives.Faults;

namespace Slipway.Documents.Reading;

/// <summary>Where in a file of the user's something stands; both 1-based.</summary>
/// <param name="File">As the user named it, relative to the project.</param>
/// <param name="Column">In UTF-16 code units.</param>
public readonly record struct Place(string File, int Line, int Column)
{
    /// <summary>A fault of a text that begins at this place, with its column in that text.</summary>
    internal Fault Inside(Fault fault) => fault with { File = File, Line = Line, Column = Column + (fault.Column ?? 1) - 1 };

    /// <summary>A fault at this place.</summary>
    public Fault Fault(string code, string message, string? help = null) => new(code, message, File, Line, Column, help);
}
