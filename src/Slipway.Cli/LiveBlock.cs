using System.Text;

namespace Slipway.Cli;

/// <summary>A block of lines at the end of a terminal that is drawn anew in its place; what is said meanwhile stands above it. Writes nothing itself.</summary>
/// <remarks>
/// The cursor waits in the row below the block, at its beginning: there the terminal shows the ^C that a person types, and the next frame
/// takes it away. It is never hidden, so that whatever ends the program leaves nothing to be mended. Source of the sequences: ECMA-48, CUU and ED.
/// </remarks>
internal sealed class LiveBlock(bool colour)
{
    private const string Clear = "\u001b[J", ClearLine = "\u001b[K", Green = "\u001b[32m", Yellow = "\u001b[33m", Red = "\u001b[31m", Plain = "\u001b[0m";

    private IReadOnlyList<string> shown = [];
    private int shownWidth;

    /// <summary>The next frame.</summary>
    /// <param name="above">Whole lines that are to stay; longer ones than the terminal is wide take several rows.</param>
    /// <param name="lines">The block: each shorter than the terminal is wide.</param>
    /// <param name="width">Of the terminal now, in columns; at least 1.</param>
    /// <returns>What is to be written at once; empty where nothing changed.</returns>
    public string Frame(IReadOnlyList<string> above, IReadOnlyList<string> lines, int width)
    {
        if (above.Count == 0 && width == shownWidth && lines.SequenceEqual(shown))
            return "";
        // A terminal that became narrower has broken the lines of the last frame anew.
        var rows = shown.Sum(line => Math.Max(1, (TerminalText.Width(line) + width - 1) / width));
        var frame = new StringBuilder("\r");
        if (rows > 0)
            frame.Append("\u001b[").Append(rows).Append('A');
        if (above.Count > 0 || width != shownWidth)
            frame.Append(Clear);
        foreach (var line in above)
            frame.Append(Coloured(PrintableWriter.Plain(line))).Append('\n');
        foreach (var line in lines)
            frame.Append(TerminalText.Cut(line, width)).Append(ClearLine).Append('\n');
        (shown, shownWidth) = (lines, width);
        return frame.Append(Clear).ToString();
    }

    /// <summary>Others have written since, so that the last frame is no longer where it was.</summary>
    public void Forget() => shown = [];

    private string Coloured(string line) => !colour || line is not [var mark, .. var rest] ? line : mark switch
    {
        '✓' => $"{Green}{mark}{Plain}{rest}",
        '↻' => $"{Yellow}{mark}{Plain}{rest}",
        '✗' => $"{Red}{mark}{Plain}{rest}",
        _ => line,
    };
}
