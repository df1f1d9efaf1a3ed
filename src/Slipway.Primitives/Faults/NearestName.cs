namespace Slipway.Primitives.Faults;

/// <summary>Finds the known name that a misspelt one most likely meant.</summary>
public static class NearestName
{
    /// <summary>The closest of <paramref name="known"/> by edit distance (a swap of neighbours counts one), or null when none is near enough.</summary>
    /// <remarks>Near enough: at most a third of the longer name's length, and at least one. Ties go to the first by ordinal order.</remarks>
    public static string? Of(string found, IEnumerable<string> known) =>
        known.Order(StringComparer.Ordinal)
            .Select(name => (name, distance: Distance(found, name)))
            .Where(candidate => candidate.distance <= Math.Max(1, Math.Max(found.Length, candidate.name.Length) / 3))
            .OrderBy(candidate => candidate.distance)
            .Select(candidate => candidate.name)
            .FirstOrDefault();

    private static int Distance(string a, string b)
    {
        var rows = new int[a.Length + 1, b.Length + 1];
        for (var i = 0; i <= a.Length; i++)
            rows[i, 0] = i;
        for (var j = 0; j <= b.Length; j++)
            rows[0, j] = j;
        for (var i = 1; i <= a.Length; i++)
        {
            for (var j = 1; j <= b.Length; j++)
            {
                var same = char.ToLowerInvariant(a[i - 1]) == char.ToLowerInvariant(b[j - 1]);
                rows[i, j] = Math.Min(Math.Min(rows[i - 1, j] + 1, rows[i, j - 1] + 1), rows[i - 1, j - 1] + (same ? 0 : 1));
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                    rows[i, j] = Math.Min(rows[i, j], rows[i - 2, j - 2] + 1);
            }
        }

        return rows[a.Length, b.Length];
    }
}
