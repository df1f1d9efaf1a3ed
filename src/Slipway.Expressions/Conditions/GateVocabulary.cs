using System.Collections.Immutable;

namespace Slipway.Expressions.Conditions;

/// <summary>The names that a condition may use.</summary>
/// <param name="Metrics">Measured names, of <see cref="KnownMetrics"/>.</param>
/// <param name="SliceColumns">Declared slice columns; null allows any, to be looked up when the condition is judged.</param>
public sealed record GateVocabulary(ImmutableArray<string> Metrics, ImmutableArray<string>? SliceColumns)
{
    /// <summary>Every measure of a binary classifier that an evaluation can hold.</summary>
    public static ImmutableArray<string> KnownMetrics { get; } = ["auc", "accuracy", "log_loss", "brier", "ece", "ece_plain"];

    /// <summary>All known metrics, any slice column.</summary>
    public static GateVocabulary Any { get; } = new(KnownMetrics, null);

    /// <summary>What an evaluation with these declarations will hold; <c>ece</c> brings <c>ece_plain</c> with it.</summary>
    public static GateVocabulary Declared(IEnumerable<string> metrics, IEnumerable<string> slices)
    {
        var declared = metrics.ToHashSet();
        if (declared.Contains("ece"))
            declared.Add("ece_plain");
        return new GateVocabulary([.. KnownMetrics.Where(declared.Contains)], [.. slices]);
    }
}
