using Slipway.Primitives.Faults;

namespace Slipway.Expressions.Syntax;

/// <summary>Ends the reading of one expression at the first place that makes no sense; never leaves this room.</summary>
internal sealed class SyntaxFault(string code, int column, string message, string? help = null) : Exception(message)
{
    public Fault Fault { get; } = new(code, message, Column: column, Help: help);
}
