namespace Slipway.Cli;

/// <summary>A result for people: lines with a label column.</summary>
/// <param name="labelWidth">Characters, a space after the longest label included.</param>
internal sealed class TextPage(Shell shell, int labelWidth = 12)
{
    private const string Bold = "\u001b[1m", Green = "\u001b[32m", Yellow = "\u001b[33m", Red = "\u001b[31m", Plain = "\u001b[0m";

    /// <summary>A label in bold, and the mark that a line begins with in the colour of what it says.</summary>
    /// <param name="label">Empty for a line that goes on.</param>
    public void Line(string label, string text)
    {
        Styled(Bold, Padded(label));
        var colour = text is not [var mark, ..] ? null : mark switch { '✓' => Green, '!' => Yellow, '✗' => Red, _ => null };
        if (colour is not null)
            Styled(colour, text[..1]);
        shell.Out.WriteLine(colour is null ? text : text[1..]);
    }

    /// <summary>A long label still ends before its text.</summary>
    private string Padded(string label) => label.Length < labelWidth ? label.PadRight(labelWidth) : label + " ";

    private void Styled(string style, string text)
    {
        if (shell.Colour)
            shell.Out.WriteRaw(style);
        shell.Out.Write(text);
        if (shell.Colour)
            shell.Out.WriteRaw(Plain);
    }
}
