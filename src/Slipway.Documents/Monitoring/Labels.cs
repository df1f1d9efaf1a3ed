using System.Collections.Immutable;

namespace Slipway.Documents.Monitoring;

/// <summary>What a prediction turned out to be: a line of <c>POST /api/v1/models/{model}/labels</c>.</summary>
/// <param name="Id">The request's, or <c>ID/ROW</c> of a request of several rows.</param>
/// <param name="Label">0 or 1 of a binary classification, the value of a regression.</param>
public sealed record PredictionLabel(string Id, double Label)
{
    /// <summary>Lines of one call; each some 60 bytes.</summary>
    public const int MostLines = 10_000;
}

/// <summary>What became of labels. Telling a label again changes nothing.</summary>
/// <param name="Matched">Found their prediction.</param>
/// <param name="Repeated">Were told before, with the same value.</param>
/// <param name="Contradictory">Were told before with another value, which stays.</param>
/// <param name="Waiting">No prediction is known yet: matched when it comes within an hour, else dropped.</param>
/// <param name="Unsampled">Of predictions that the plan does not keep.</param>
/// <param name="Refused">No usable label: an empty id, NaN, or a value that the task does not have.</param>
/// <param name="Dropped">There was no room to wait.</param>
/// <param name="Problems">What is wrong with the first refused lines, at most <see cref="MostProblems"/>; ids, which may be persons', are not repeated.</param>
public sealed record LabelReceipt(long Matched, long Repeated, long Contradictory, long Waiting, long Unsampled, long Refused, long Dropped, ImmutableArray<string> Problems)
{
    public const int MostProblems = 10;

    public static LabelReceipt Empty { get; } = new(0, 0, 0, 0, 0, 0, 0, []);

    /// <summary>What became of both.</summary>
    public LabelReceipt And(LabelReceipt other) => new(
        Matched + other.Matched, Repeated + other.Repeated, Contradictory + other.Contradictory, Waiting + other.Waiting,
        Unsampled + other.Unsampled, Refused + other.Refused, Dropped + other.Dropped, [.. Problems.Concat(other.Problems).Take(MostProblems)]);
}
