using System.Globalization;

namespace Slipway.Expressions.Conditions;

/// <summary>Between which numbers a quantity lies, whatever is measured; both ends are included, and may be infinite.</summary>
internal readonly record struct Bounds(double Low, double High)
{
    public static readonly Bounds Any = new(double.NegativeInfinity, double.PositiveInfinity), Share = new(0, 1), ShareDelta = new(-1, 1), NotNegative = new(0, double.PositiveInfinity);

    /// <param name="measure">As the figures have it: <c>auc</c>, <c>auc.delta</c>, <c>drift.max</c>.</param>
    public static Bounds OfMeasure(string measure) => measure switch
    {
        "error_rate" or "refused_rate" or "accuracy" or "auc" or "brier" or "ece" or "ece_plain" => Share,
        "accuracy.delta" or "auc.delta" or "brier.delta" or "ece.delta" or "ece_plain.delta" => ShareDelta,
        "log_loss" or "mae" or "rmse" => NotNegative,
        _ when measure.StartsWith("drift.", StringComparison.Ordinal) || measure.StartsWith("latency.", StringComparison.Ordinal) || AlertVocabulary.Counts.Contains(measure) => NotNegative,
        _ => Any,
    };

    /// <summary>Of one operation on any two numbers within these bounds; wider than need be where both read the same figure.</summary>
    /// <param name="sign">One of <c>+ - * /</c>.</param>
    public static Bounds Of(string sign, Bounds left, Bounds right)
    {
        if (sign == "/" && right is { Low: <= 0, High: >= 0 })
            return Any;
        double[] corners = [Apply(left.Low, right.Low), Apply(left.Low, right.High), Apply(left.High, right.Low), Apply(left.High, right.High)];
        return corners.Any(double.IsNaN) ? Any : new(corners.Min(), corners.Max());

        double Apply(double a, double b) => sign switch { "+" => a + b, "-" => a - b, "*" => a * b, _ => a / b };
    }

    /// <summary>As what a figure is: <c>lies from 0 to 1</c>.</summary>
    public override string ToString() => this switch
    {
        { Low: 0, High: 1 } => "is a share from 0 to 1",
        { Low: var low, High: double.PositiveInfinity } => string.Create(CultureInfo.InvariantCulture, $"is {low} or more"),
        { Low: double.NegativeInfinity, High: var high } => string.Create(CultureInfo.InvariantCulture, $"is {high} or less"),
        _ => string.Create(CultureInfo.InvariantCulture, $"lies from {Low} to {High}"),
    };
}
