using System.Collections.Immutable;

namespace Slipway.Expressions.Conditions;

/// <summary>The names that a condition over live traffic may use, and what is known of where their figures come from: one that never comes is refused.</summary>
/// <param name="Features">Inputs and outputs as the signature names them; null allows any, to be looked up when the condition is judged.</param>
public sealed record AlertVocabulary(ImmutableArray<string>? Features)
{
    private const string BinaryClassification = "binary-classification", Regression = "regression";

    /// <summary>Of the features, those with more than one value a row: they are not profiled.</summary>
    public ImmutableArray<string> Unprofiled { get; init; } = [];

    /// <summary>Whether a reference is sealed, which drift is the distance from.</summary>
    public bool HasReference { get; init; } = true;

    /// <summary>Whether outcomes are asked for.</summary>
    public bool HasLabels { get; init; } = true;

    /// <summary>Of the model; null where it is not known.</summary>
    public string? Task { get; init; }

    /// <summary>Metrics that the sealed evaluation has, which <c>.delta</c> is the difference from; null where they are not known.</summary>
    public ImmutableArray<string>? Evaluated { get; init; }

    /// <summary>Read as they stand, without an interval.</summary>
    public static ImmutableArray<string> Counts { get; } = ["requests", "labelled"];

    /// <summary>Shares of the requests; of those that were refused, of these and the requests together.</summary>
    public static ImmutableArray<string> Rates { get; } = ["error_rate", "refused_rate"];

    /// <summary>In seconds.</summary>
    public static ImmutableArray<string> Quantiles { get; } = ["p50", "p95", "p99"];

    /// <summary>What labels tell, each with <c>.delta</c>: live minus sealed.</summary>
    public static ImmutableArray<string> Quality { get; } = ["accuracy", "auc", "brier", "ece", "log_loss", "mae", "rmse", "bias"];

    /// <summary>What labels tell of models of the task.</summary>
    public ImmutableArray<string> QualityOfTask => Task switch
    {
        null => Quality,
        BinaryClassification => Quality[..5],
        Regression => Quality[5..],
        _ => [],
    };

    public static AlertVocabulary Any { get; } = new((ImmutableArray<string>?)null);
}
