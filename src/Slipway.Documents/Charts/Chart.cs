namespace Slipway.Documents.Charts;

/// <summary>A picture with its numbers. Pure: the same numbers give the same bytes; NaN, infinities and no numbers at all are drawn as what they are.</summary>
/// <param name="Name">Within its page or report: letters, digits and hyphens. The file of its numbers is called so.</param>
/// <param name="Title">What is shown, of what, in which unit.</param>
/// <param name="Description">What can be read off it, in a sentence or two: for who cannot see it.</param>
public abstract record Chart(string Name, string Title, string Description)
{
    /// <summary>Bounds of a picture's width in pixels; others are taken to the nearest.</summary>
    public const int Narrowest = 240, Widest = 2_000;

    /// <summary>Inline SVG for an HTML page. It is styled by the classes of <see cref="ChartStyle"/>, and holds no script and no style of its own.</summary>
    /// <param name="width">Pixels; the height follows from what is drawn. Text keeps its size: draw again for another width.</param>
    public string Svg(int width) => Draw(Math.Clamp(width, Narrowest, Widest));

    /// <summary>All that is drawn, as numbers.</summary>
    public abstract ChartTable Numbers();

    protected abstract string Draw(int width);
}

/// <summary>What a chart's numbers count, and so how they are worded.</summary>
public enum ChartUnit
{
    Number,

    /// <summary>Whole things.</summary>
    Count,

    /// <summary>0 to 1, worded in percent.</summary>
    Share,
    Seconds,
    PerSecond,
}
