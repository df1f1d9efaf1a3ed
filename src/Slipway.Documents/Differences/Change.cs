using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json.Serialization;

namespace Slipway.Documents.Differences;

/// <summary>One thing that differs.</summary>
/// <param name="What">Its name.</param>
/// <param name="A">In the former bundle, as text; null where it has none.</param>
/// <param name="B">In the latter; null where it has none. Never the same as <paramref name="A"/>.</param>
public sealed record Change(string What, string? A, string? B)
{
    [JsonIgnore]
    public bool IsAdded => A is null;

    [JsonIgnore]
    public bool IsRemoved => B is null;

    /// <summary>Of everything that either has, what differs; by name.</summary>
    internal static ImmutableArray<Change> Each<T>(IReadOnlyDictionary<string, T> a, IReadOnlyDictionary<string, T> b, Func<T, string> text) =>
    [
        .. a.Keys.Union(b.Keys).Order(StringComparer.Ordinal)
            .Select(name => new Change(name, a.TryGetValue(name, out var before) ? text(before) : null, b.TryGetValue(name, out var after) ? text(after) : null))
            .Where(change => change.A != change.B),
    ];

    /// <summary>Those of some single values that differ, in this order.</summary>
    internal static ImmutableArray<Change> Fields(params ReadOnlySpan<(string What, object? A, object? B)> fields)
    {
        var changes = ImmutableArray.CreateBuilder<Change>();
        foreach (var (what, a, b) in fields)
        {
            if (!Equals(a, b))
                changes.Add(new Change(what, Text(a), Text(b)));
        }

        return changes.ToImmutable();
    }

    private static string? Text(object? value) => value is IFormattable number ? number.ToString(null, CultureInfo.InvariantCulture) : value?.ToString();
}
