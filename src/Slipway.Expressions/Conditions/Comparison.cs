namespace Slipway.Expressions.Conditions;

/// <summary>
/// Compares an interval with an exact number: wholly inside is true, wholly outside is false, straddling is unknown.
/// Two exact numbers compare as numbers do.
/// </summary>
/// <param name="left">The measured side, if there is one.</param>
/// <param name="sign">One of <c>>= &lt;= > &lt; == !=</c>.</param>
internal sealed class Comparison(Quantity left, string sign, Quantity right) : Condition
{
    public override bool ReadsFigure => left.ReadsFigure || right.ReadsFigure;

    public override Condition? AsSample(bool isDenied) =>
        left.IsCount && right.IsConstant && (isDenied ? Opposite(sign) : sign) is (">=" or ">") and var asked ? new SampleSize(left, asked, right) : null;

    public override Finding Judge(Reading reading)
    {
        var (interval, exact) = (left.Read(reading), right.Read(reading));
        if ((interval.Lacks ?? exact.Lacks) is { } lacks)
            return new Finding(Truth.Unknown, lacks);

        var truth = Decide(sign, interval.Low, interval.High, exact.Value);
        var bound = right.IsConstant ? right.Source : $"{right.Source} = {Shown.Number(exact.Value)}{Shown.Of(exact.Of)}";
        if (!left.IsMeasured)
            return new Finding(truth, $"{left.Source} = {Shown.Number(interval.Value)}{Shown.Of(interval.Of)} is {(truth is Truth.True ? "" : "not ")}{Shown.Sign(sign)} {bound}");

        var digits = Shown.DigitsThatTell(exact.Value, interval.Low, interval.High);
        var figure = $"{left.Source} = {Shown.Number(interval.Value, digits)} [{Shown.Number(interval.Low, digits)}, {Shown.Number(interval.High, digits)}]{Shown.Of(interval.Of)}, "
            + $"{reading.Figures.Basis}, ";
        return new Finding(truth, figure + truth switch
        {
            Truth.True => $"is wholly {Shown.Sign(sign)} {bound}",
            Truth.False => $"is wholly {Shown.Sign(Opposite(sign))} {bound}",
            _ => $"straddles {bound}",
        });
    }

    public static Truth Decide(string sign, double low, double high, double exact) => sign switch
    {
        ">=" => low >= exact ? Truth.True : high < exact ? Truth.False : Truth.Unknown,
        ">" => low > exact ? Truth.True : high <= exact ? Truth.False : Truth.Unknown,
        "<=" => high <= exact ? Truth.True : low > exact ? Truth.False : Truth.Unknown,
        "<" => high < exact ? Truth.True : low >= exact ? Truth.False : Truth.Unknown,
        "==" => low == exact && high == exact ? Truth.True : exact < low || exact > high ? Truth.False : Truth.Unknown,
        _ => exact < low || exact > high ? Truth.True : low == exact && high == exact ? Truth.False : Truth.Unknown,
    };

    /// <summary>The sign that holds with the sides swapped.</summary>
    public static string Swapped(string sign) => sign switch { ">=" => "<=", ">" => "<", "<=" => ">=", "<" => ">", _ => sign };

    private static string Opposite(string sign) => sign switch { ">=" => "<", ">" => "<=", "<=" => ">", "<" => ">=", "==" => "!=", _ => "==" };
}
