using Slipway.Documents.Evaluations;
using Slipway.Documents.Lineage;

namespace Slipway.Documents.Cards;

/// <summary>Which data sealed figures are of, in the words of the sealed lineage.</summary>
public static class MeasuredOn
{
    /// <returns>Such as <c>score.predictions, made from features.april and fit.model</c>; null where the lineage does not name the table.</returns>
    public static string? Of(Evaluation evaluation, LineageGraph lineage)
    {
        foreach (var stage in lineage.Stages)
        {
            if (stage.Outputs.FirstOrDefault(output => output.Value == evaluation.Predictions) is { Key: { } table })
                return $"{stage.Name}.{table}{(stage.Inputs.IsEmpty ? "" : $", made from {Listed([.. stage.Inputs.Keys])}")}";
        }

        return null;
    }

    private static string Listed(string[] names) => names.Length == 1 ? names[0] : $"{string.Join(", ", names[..^1])} and {names[^1]}";
}
