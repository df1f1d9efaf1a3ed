using System.Collections.Immutable;
using System.Text;

namespace Slipway.Documents.Specs;

/// <summary>
/// <c>${params.depth}</c> in a stage's command. Everything of the form <c>${word.…}</c> is ours (no shell has a variable with a dot),
/// all else, such as <c>${HOME}</c>, is the shell's.
/// </summary>
public static class ParamReferences
{
    /// <param name="Source">The word before the dot; only <c>params</c> has values.</param>
    /// <param name="Name">What follows the dot: <c>depth</c>, or <c>model.depth</c> for a nested one.</param>
    /// <param name="Start">Index of the dollar sign.</param>
    /// <param name="Length">Up to and with the closing brace.</param>
    public readonly record struct Reference(string Source, string Name, int Start, int Length);

    /// <summary>All references, in order.</summary>
    public static ImmutableArray<Reference> In(string text)
    {
        var found = ImmutableArray.CreateBuilder<Reference>();
        for (var start = text.IndexOf("${", StringComparison.Ordinal); start >= 0; start = text.IndexOf("${", start + 2, StringComparison.Ordinal))
        {
            var dot = start + 2;
            while (dot < text.Length && (char.IsAsciiLetter(text[dot]) || text[dot] is '-' or '_'))
                dot++;
            if (dot == start + 2 || dot == text.Length || text[dot] != '.')
                continue;
            var brace = text.IndexOf('}', dot);
            var end = brace < 0 ? text.Length : brace;
            found.Add(new Reference(text[(start + 2)..dot], text[(dot + 1)..end], start, Math.Min(end + 1, text.Length) - start));
        }

        return found.ToImmutable();
    }

    /// <summary>The text with each reference replaced.</summary>
    /// <param name="valueOf">The param's value as text, by its name.</param>
    public static string Fill(string text, Func<string, string> valueOf)
    {
        var filled = new StringBuilder();
        var rest = 0;
        foreach (var reference in In(text))
        {
            filled.Append(text, rest, reference.Start - rest).Append(valueOf(reference.Name));
            rest = reference.Start + reference.Length;
        }

        return filled.Append(text, rest, text.Length - rest).ToString();
    }
}
