using System.Collections.Immutable;
using System.Globalization;
using Slipway.Documents.Incidents;
using Slipway.Documents.Serving;
using Slipway.Runtime.Tensors;

namespace Slipway.Runtime.Replay;

/// <summary>Compared rows by the values of each input that has one value a row. Ranges of numbers hold about equally many rows.</summary>
internal sealed class SliceTable(ModelSignature signature)
{
    private const int Ranges = 10, MostCategories = 20;

    /// <summary>Rows that are told apart by their values: what is held in memory. Rows beyond are in the counts, and in no slice.</summary>
    private const int MostRows = 500_000;

    /// <summary>Numbers with no more different values than this are told apart by value.</summary>
    private const int MostValues = 20;

    /// <summary>Characters of a category that are shown.</summary>
    private const int LongestCategory = 80;

    private readonly (TensorSpec Input, List<double>? Numbers, List<string>? Texts)[] columns =
    [
        .. signature.Inputs.Where(input => input.HasOneValueARow).Select(input => (input, input.HasCategories ? null : new List<double>(), input.HasCategories ? new List<string>() : null)),
    ];

    private readonly List<(bool IsDifferent, double Largest)> rows = [];

    public void Add(TensorSet inputs, int row, bool isDifferent, double largest)
    {
        if (rows.Count >= MostRows)
            return;
        rows.Add((isDifferent, largest));
        foreach (var (input, numbers, texts) in columns)
        {
            var tensor = AnswerDifference.Find(inputs, input.Name)!;
            var at = tensor.Count == 1 ? 0 : row;       // one value for all rows of a request
            numbers?.Add(tensor.Number(at));
            texts?.Add(input.Datatype == Datatype.Bool ? (tensor.Bytes.Span[at] == 0 ? "false" : "true") : Shortened(tensor.Strings[at]));
        }
    }

    public ImmutableArray<ReplaySlice> ToSlices() =>
        [.. columns.SelectMany(column => column.Numbers is { } numbers ? OfNumbers(column.Input.Name, numbers) : OfTexts(column.Input.Name, column.Texts!))];

    private IEnumerable<ReplaySlice> OfNumbers(string input, List<double> values)
    {
        var sorted = values.Order().ToArray();
        var distinct = sorted.Distinct().Take(MostValues + 1).ToArray();
        if (distinct.Length <= MostValues)
            return Grouped(input, i => Array.BinarySearch(distinct, values[i]), bin => Number(distinct[bin]));
        var edges = Enumerable.Range(1, Ranges).Select(part => sorted[(int)Math.Ceiling((double)part * sorted.Length / Ranges) - 1]).Distinct().ToArray();
        return Grouped(
            input,
            i => Array.BinarySearch(edges, values[i]) is var found && found < 0 ? ~found : found,
            bin => bin == 0 ? $"[{Number(sorted[0])}, {Number(edges[0])}]" : $"({Number(edges[bin - 1])}, {Number(edges[bin])}]");
    }

    private IEnumerable<ReplaySlice> OfTexts(string input, List<string> values)
    {
        var known = values.CountBy(value => value, StringComparer.Ordinal).OrderByDescending(entry => entry.Value).ThenBy(entry => entry.Key, StringComparer.Ordinal)
            .Take(MostCategories).Select(entry => entry.Key).ToArray();
        var places = known.Select((value, place) => (value, place)).ToDictionary(entry => entry.value, entry => entry.place, StringComparer.Ordinal);
        return Grouped(input, i => places.GetValueOrDefault(values[i], known.Length), bin => bin < known.Length ? known[bin] : "(others)");
    }

    private IEnumerable<ReplaySlice> Grouped(string input, Func<int, int> binOf, Func<int, string> name) => Enumerable.Range(0, rows.Count).GroupBy(binOf).OrderBy(bin => bin.Key)
        .Select(bin => new ReplaySlice(input, name(bin.Key), bin.Count(), bin.Count(i => rows[i].IsDifferent), bin.Max(i => rows[i].Largest)));

    private static string Number(double value) => value.ToString("G6", CultureInfo.InvariantCulture);

    private static string Shortened(string text) => text.Length <= LongestCategory ? text : text[..LongestCategory] + "…";
}
