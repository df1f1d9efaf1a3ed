namespace Slipway.Documents.Cards;

/// <summary>What a metric says, for who meets it for the first time.</summary>
public static class MetricMeaning
{
    public static string Of(string metric) => metric switch
    {
        "auc" => "How well scores rank positives above negatives: 0.5 is chance, 1 is perfect; more is better.",
        "log_loss" => "Mean surprise of the scores at what came, in nats; less is better.",
        "brier" => "Mean squared distance of the scores from what came; less is better.",
        "ece" => "How far scores are from the shares that came, on average (expected calibration error, debiased); less is better.",
        "ece_plain" => "How far scores are from the shares that came, on average (expected calibration error, as binned); less is better.",
        "accuracy" => "Share of the answers that were right; more is better.",
        "mae" => "Mean distance from what came; less is better.",
        "rmse" => "Root of the mean squared distance from what came; less is better.",
        "bias" => "Mean of answer minus what came: 0 is none.",
        _ => "As the evaluation defines it.",
    };

    /// <summary>Which way is worse.</summary>
    public static BetterWay Way(string metric) => metric switch
    {
        "auc" or "accuracy" => BetterWay.More,
        "log_loss" or "brier" or "ece" or "ece_plain" or "mae" or "rmse" => BetterWay.Less,
        _ => BetterWay.Neither,
    };
}

/// <summary>Which values of a metric are the better ones.</summary>
public enum BetterWay
{
    /// <summary>Neither, or nobody said: a difference is told, and not called worse.</summary>
    Neither,
    More,
    Less,
}
