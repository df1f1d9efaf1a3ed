using System.Text;

namespace Slipway.Pipeline.Evaluation;

/// <summary>Numbers the distinct values of one text column in the order of their first sight, without a string per row.</summary>
/// <param name="limit">Distinct values that are held; see <see cref="TryCode"/>.</param>
internal sealed class ValueCodes(int limit)
{
    /// <summary>What a missing value is called.</summary>
    public const string Null = "(null)";

    private readonly Dictionary<string, int> codes = new(StringComparer.Ordinal);
    private char[] buffer = new char[256];

    public int Count => codes.Count;

    /// <returns>False for a new value beyond the limit.</returns>
    public bool TryCode(ReadOnlySpan<byte> utf8, out int code)
    {
        if (buffer.Length < utf8.Length)
            buffer = new char[utf8.Length];
        ReadOnlySpan<char> text = buffer.AsSpan(0, Encoding.UTF8.GetChars(utf8, buffer));
        var known = codes.GetAlternateLookup<ReadOnlySpan<char>>();
        if (known.TryGetValue(text, out code))
            return true;
        if (codes.Count == limit)
            return false;
        code = codes.Count;
        return known.TryAdd(text, code);
    }

    /// <summary>The values in ordinal order; <paramref name="rows"/> is renumbered by it, so that numbers do not depend on the order of rows.</summary>
    public string[] Sort(int[] rows)
    {
        var values = codes.Keys.ToArray();
        Array.Sort(values, StringComparer.Ordinal);
        var renumbered = new int[values.Length];
        for (var i = 0; i < values.Length; i++)
            renumbered[codes[values[i]]] = i;
        for (var row = 0; row < rows.Length; row++)
            rows[row] = renumbered[rows[row]];
        return values;
    }
}
