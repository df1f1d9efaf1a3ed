using System.Text;
using Slipway.Primitives.Faults;

namespace Slipway.Cli;

/// <summary>
/// A stream of text for a person's terminal: what would move the cursor, erase lines, or turn the direction of writing is shown as U+FFFD.
/// Names and reasons come from servers and bundles, and must not rewrite what stands above them. Thread-safe.
/// </summary>
internal sealed class PrintableWriter(TextWriter to) : TextWriter
{
    private const char Instead = '\uFFFD';

    public override Encoding Encoding => to.Encoding;

    public override void Write(char value) => to.Write(IsPlain(value) ? value : Instead);

    public override void Write(string? value) => to.Write(value is null ? value : Plain(value));

    public override void Write(ReadOnlySpan<char> buffer) => Write(buffer.ToString());

    public override void Write(char[] buffer, int index, int count) => Write(new string(buffer, index, count));

    public override void WriteLine(string? value) => Write(value + NewLine);

    public override void WriteLine() => to.WriteLine();

    /// <summary>For what this program itself tells the terminal.</summary>
    public void WriteRaw(string sequence) => to.Write(sequence);

    public override void Flush() => to.Flush();

    /// <summary>A text without what works on a terminal; lines and tabs stay.</summary>
    public static string Plain(string text) => text.All(IsPlain) ? text : string.Concat(text.Select(c => IsPlain(c) ? c : Instead));

    private static bool IsPlain(char c) => c is '\n' or '\t' || !ForeignText.IsHidden(c);
}
