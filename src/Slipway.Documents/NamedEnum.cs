using System.Collections.Frozen;
using System.Reflection;
using System.Text.Json.Serialization;

namespace Slipway.Documents;

/// <summary>Enums in documents are their names, and never numbers: a number that stands for nothing would be read as some value.</summary>
public sealed class NamedEnum<T>() : JsonStringEnumConverter<T>(namingPolicy: null, allowIntegerValues: false)
    where T : struct, Enum
{
    private static readonly FrozenDictionary<T, string> words = typeof(T).GetFields(BindingFlags.Public | BindingFlags.Static)
        .ToFrozenDictionary(field => (T)field.GetValue(null)!, field => field.GetCustomAttribute<JsonStringEnumMemberNameAttribute>()?.Name ?? field.Name);

    /// <summary>The word that stands in documents: people are told the same, so that they find it there.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is none of the enum's values.</exception>
    internal static string Word(T value) => words.TryGetValue(value, out var word) ? word : throw new ArgumentOutOfRangeException(nameof(value), value, null);
}
