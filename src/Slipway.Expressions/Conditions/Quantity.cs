using Slipway.Expressions.Figures;

namespace Slipway.Expressions.Conditions;

/// <summary>A number that a condition compares: exact when both ends are equal.</summary>
/// <param name="Lacks">Why there is nothing to compare; null where there is.</param>
/// <param name="Of">What attained it; null where it is not the largest of several.</param>
internal readonly record struct Amount(double Value, double Low, double High, string? Lacks = null, string? Of = null)
{
    public static Amount Exact(double value, string? of = null) => new(value, value, value, Of: of);

    public static Amount None(string lacks) => new(0, 0, 0, lacks);

    /// <summary>The same monotone step on value and both ends.</summary>
    /// <remarks>Sound because an exact number moves or stretches an interval, and two intervals are never combined.</remarks>
    public Amount Map(Func<double, double> step)
    {
        if (Lacks is not null)
            return this;
        var (value, one, other) = (step(Value), step(Low), step(High));
        // An interval may be open, such as that of a latency's quantile in a small sample; a number may not.
        return double.IsFinite(value) && !double.IsNaN(one) && !double.IsNaN(other)
            ? new Amount(value, Math.Min(one, other), Math.Max(one, other), Of: Of)
            : None("the arithmetic leaves the numbers (a division by zero, or beyond 1.8e308)");
    }
}

/// <param name="Source">As a person would write it.</param>
/// <param name="IsMeasured">It has an interval: at most one such may take part in an operation.</param>
/// <param name="IsConstant">It reads no figure.</param>
internal abstract class Quantity(string source, bool isMeasured, bool isConstant)
{
    public string Source => source;

    public bool IsMeasured => isMeasured;

    public bool IsConstant => isConstant;

    /// <summary>It tells by itself how much was seen.</summary>
    public virtual bool IsCount => false;

    /// <summary>Whether it reads anything but counts.</summary>
    public virtual bool ReadsFigure => false;

    /// <summary>Where its number, or either end of its interval, can lie at all.</summary>
    public virtual Bounds Bounds => Bounds.Any;

    public abstract Amount Read(Reading reading);
}

internal sealed class Constant(string source, double value) : Quantity(source, isMeasured: false, isConstant: true)
{
    public double Value => value;

    public override Bounds Bounds => new(value, value);

    public override Amount Read(Reading reading) => Amount.Exact(value);
}

/// <summary><c>n</c>, <c>units</c>, <c>s.n</c>, <c>slices.hour.count</c>.</summary>
internal sealed class Count(string source, Func<Reading, long> count) : Quantity(source, isMeasured: false, isConstant: false)
{
    public override Amount Read(Reading reading) => Amount.Exact(count(reading));
}

/// <summary>Which number of a measure is meant.</summary>
internal enum Part
{
    Interval,
    Value,
    Low,
    High,
    Rows,
}

/// <summary><c>auc</c>, <c>auc.delta.low</c>, <c>s.auc</c>.</summary>
/// <param name="measure"><c>auc</c> or <c>auc.delta</c>.</param>
/// <param name="ofSlice">Read from the slice that the quantifier stands at.</param>
internal sealed class Measure(string source, string measure, Part part, bool ofSlice, int place)
    : Quantity(source, isMeasured: part is Part.Interval, isConstant: false)
{
    public override bool IsCount => part is Part.Rows || AlertVocabulary.Counts.Contains(measure);

    public override bool ReadsFigure => !IsCount;

    public override Bounds Bounds => IsCount ? Bounds.NotNegative : Bounds.OfMeasure(measure);

    public override Amount Read(Reading reading)
    {
        var whole = Names.Measure(reading.Figures, measure, place);
        var name = measure;
        if (ofSlice)
        {
            name = $"slices.{reading.Column}[{reading.Slice!.Value}].{measure}";
            if (!reading.Slice.Measures.TryGetValue(measure, out whole!))
                return Amount.None($"{measure} was not measured on these {Shown.Number(reading.Slice.Rows)} rows");
        }

        reading.Read[name] = whole;
        if (whole.Value is not { } value)
            return Amount.None($"{measure} could not be had: {whole.Lacks}");
        return (part, whole.Low, whole.High) switch
        {
            (Part.Value, _, _) => Amount.Exact(value, whole.Of),
            (Part.Rows, _, _) => Amount.Exact(whole.Rows),
            (_, null, _) or (_, _, null) => Amount.None($"{measure} = {Shown.Number(value)}{Shown.Of(whole.Of)} has no interval: {whole.Lacks}"),
            (Part.Low, { } low, _) => Amount.Exact(low, whole.Of),
            (Part.High, _, { } high) => Amount.Exact(high, whole.Of),
            (_, { } low, { } high) => new Amount(value, low, high, Of: whole.Of),
        };
    }
}

/// <summary>An operation in which at most one side is measured.</summary>
internal sealed class Arithmetic(string sign, Quantity left, Quantity right)
    : Quantity($"{Wrapped(left)} {sign} {Wrapped(right)}", left.IsMeasured || right.IsMeasured, left.IsConstant && right.IsConstant)
{
    public override bool ReadsFigure => left.ReadsFigure || right.ReadsFigure;

    public override Bounds Bounds => Bounds.Of(sign, left.Bounds, right.Bounds);

    public override Amount Read(Reading reading)
    {
        var (a, b) = (left.Read(reading), right.Read(reading));
        if (a.Lacks is not null || b.Lacks is not null)
            return a.Lacks is not null ? a : b;
        var measured = right.IsMeasured ? b : a;
        var exact = right.IsMeasured ? a.Value : b.Value;
        return measured.Map(x => (sign, right.IsMeasured) switch
        {
            ("+", _) => x + exact,
            ("*", _) => x * exact,
            ("-", false) => x - exact,
            ("-", true) => exact - x,
            _ => x / exact,
        });
    }

    private static string Wrapped(Quantity side) => side is Arithmetic ? $"({side.Source})" : side.Source;
}
