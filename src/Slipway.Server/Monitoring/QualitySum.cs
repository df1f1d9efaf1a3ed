using Slipway.Stats.Metrics;

namespace Slipway.Server.Monitoring;

/// <summary>How good a version's answers of a window were, as sums: two of them added are the sum of both. Not thread-safe.</summary>
internal sealed class QualitySum
{
    private const byte Format = 1;

    /// <summary>Predictions that were kept for their label.</summary>
    public long Kept { get; set; }

    /// <summary>Those of a binary classification that have it.</summary>
    public BinnedScores Scores { get; } = new();

    /// <summary>Those of a regression.</summary>
    public ErrorSums Errors { get; private set; }

    public long Labelled => Scores.Count + Errors.Count;

    /// <summary>Whether a version of a task can have been asked for such a label and answered with such a score.</summary>
    public static bool Fits(string? task, double score, double label) => task switch
    {
        WatchedVersion.BinaryClassification => score is >= 0 and <= 1 && label is 0 or 1,
        WatchedVersion.Regression => Math.Abs(score) <= ErrorSums.Largest / 2 && Math.Abs(label) <= ErrorSums.Largest / 2,
        _ => false,
    };

    /// <param name="task">Of the version; score and label fit it.</param>
    public void Add(string task, double score, double label)
    {
        if (task == WatchedVersion.Regression)
            Errors = Errors.Add(ErrorSums.Of(score - label));
        else
            Scores.Add(score, label == 1);
    }

    public void Add(QualitySum other)
    {
        Kept += other.Kept;
        Scores.Add(other.Scores);
        Errors = Errors.Add(other.Errors);
    }

    public byte[] ToBytes()
    {
        var writer = new BlobWriter();
        writer.Byte(Format);
        writer.Count(Kept);
        writer.Sparse(Scores.Positives);
        writer.Sparse(Scores.Negatives);
        if (Scores.Count > 0)
        {
            foreach (var sum in (ReadOnlySpan<double>)[.. Scores.Residuals, .. Scores.Squares, Scores.FourthPowers, Scores.Loss, Scores.LossSquares])
                writer.Double(sum);
        }

        writer.Count(Errors.Count);
        if (Errors.Count > 0)
        {
            foreach (var sum in (ReadOnlySpan<double>)[Errors.Absolute, Errors.Plain, Errors.Squares, Errors.FourthPowers])
                writer.Double(sum);
        }

        return writer.ToArray();
    }

    /// <exception cref="InvalidDataException">No such bytes were ever stored.</exception>
    public static QualitySum Read(ReadOnlySpan<byte> bytes)
    {
        var reader = new BlobReader(bytes);
        if (reader.Byte() is not Format and var format)
            throw new InvalidDataException($"stored quality has format {format}, and this program knows {Format}");
        var sum = new QualitySum { Kept = reader.Count() };
        reader.Sparse(sum.Scores.Positives);
        reader.Sparse(sum.Scores.Negatives);
        if (sum.Scores.Count != 0)
        {
            Fill(sum.Scores.Residuals, ref reader);
            Fill(sum.Scores.Squares, ref reader);
            (sum.Scores.FourthPowers, sum.Scores.Loss, sum.Scores.LossSquares) = (reader.Double(), reader.Double(), reader.Double());
        }

        if (reader.Count() is > 0 and var errors)
            sum.Errors = new(errors, reader.Double(), reader.Double(), reader.Double(), reader.Double());
        reader.End();
        return sum;
    }

    private static void Fill(double[] sums, ref BlobReader reader)
    {
        for (var i = 0; i < sums.Length; i++)
            sums[i] = reader.Double();
    }
}
