using System.Globalization;

namespace Slipway.Documents.Charts;

/// <summary>How whole things are counted in sentences.</summary>
public static class CountText
{
    public static string Count(long count) => count.ToString("N0", CultureInfo.InvariantCulture);

    /// <summary><c>1 row</c>, <c>2,000 rows</c>, <c>3 entries</c>.</summary>
    /// <param name="thing">One of them.</param>
    public static string Some(long count, string thing) => $"{Count(count)} {(count == 1 ? thing : thing.EndsWith('y') ? thing[..^1] + "ies" : thing + "s")}";
}
