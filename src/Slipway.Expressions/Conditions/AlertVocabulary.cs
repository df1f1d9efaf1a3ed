using System.Collections.Immutable;

namespace Slipway.Expressions.Conditions;

/// <summary>The names that a condition over live traffic may use.</summary>
/// <param name="Features">Inputs and outputs as the signature names them; null allows any, to be looked up when the condition is judged.</param>
public sealed record AlertVocabulary(ImmutableArray<string>? Features)
{
    /// <summary>Read as they stand, without an interval.</summary>
    public static ImmutableArray<string> Counts { get; } = ["requests", "labelled"];

    /// <summary>In seconds.</summary>
    public static ImmutableArray<string> Quantiles { get; } = ["p50", "p95", "p99"];

    /// <summary>What labels tell, each with <c>.delta</c>: live minus sealed.</summary>
    public static ImmutableArray<string> Quality { get; } = ["accuracy", "auc", "brier", "ece", "log_loss", "mae", "rmse", "bias"];

    public static AlertVocabulary Any { get; } = new((ImmutableArray<string>?)null);
}
