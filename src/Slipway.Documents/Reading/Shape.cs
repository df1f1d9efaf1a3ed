using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Nodes;

namespace Slipway.Documents.Reading;

/// <summary>
/// What a value in a file of the user's may be. It reads the value and describes itself as JSON Schema from the same facts, so that
/// parser and schema cannot disagree. Immutable, hence safe to share.
/// </summary>
internal abstract class Shape
{
    /// <summary>A fresh JSON Schema (draft 7) of what is read.</summary>
    public abstract JsonObject Schema();

    /// <summary>What a scalar, list or map must be to be read, for messages: <c>a list</c>, <c>text</c>.</summary>
    public abstract string Allowed { get; }

    /// <summary>A value of a kind that cannot be read here.</summary>
    protected void Refuse(Node node, Label label, FaultList faults)
    {
        var help = node is ScalarNode scalar
            ? scalar.Kind switch
            {
                ScalarKind.Nothing => $"Write a value, or leave '{label.Text}' out.",
                ScalarKind.Unclear => "Put it in quotes if it is text; otherwise write true, false or a decimal number.",
                ScalarKind.Boolean or ScalarKind.Integer or ScalarKind.Number when Allowed.StartsWith("text", StringComparison.Ordinal) => "Put it in quotes.",
                _ => null,
            }
            : null;
        faults.Add(node.At, "wrong-type", $"{label.Text} is {node.Found}, allowed {Allowed}", help);
    }
}

/// <typeparam name="T">What the value becomes.</typeparam>
internal abstract class Shape<T> : Shape
{
    /// <returns>False when nothing was read; then a fault has been added. Parts of a value may be faulty and it is still read, for further checks.</returns>
    public bool TryRead(Node node, Label label, FaultList faults, [MaybeNullWhen(false)] out T value)
    {
        value = default;
        return node is not BrokenNode && Read(node, label, faults, out value);
    }

    protected abstract bool Read(Node node, Label label, FaultList faults, [MaybeNullWhen(false)] out T value);
}

/// <summary>What a value is called in messages, and where that name stands.</summary>
internal readonly record struct Label(string Text, Place At);

/// <summary>A value with its place, for checks that need more than the value alone.</summary>
internal readonly record struct Placed<T>(T Value, Place At);

/// <summary>An entry of a map whose keys are names that the user chose.</summary>
/// <param name="At">The name's place.</param>
/// <param name="Value">Null when nothing could be read, which has been reported; the name counts as declared.</param>
internal sealed record Named<T>(string Name, Place At, T? Value) where T : class;
