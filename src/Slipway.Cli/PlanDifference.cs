using System.Collections;
using System.Globalization;
using System.Reflection;
using System.Text.Json.Serialization;
using Slipway.Documents.Rollouts;
using Slipway.Primitives.Units;

namespace Slipway.Cli;

/// <summary>What differs between two release plans, key by key, as a spec has them.</summary>
internal static class PlanDifference
{
    private const string Nothing = "nothing";

    /// <summary>Lines such as <c>production.steps 2.weight: 10 % → 25 %</c>; none for plans that say the same.</summary>
    public static IReadOnlyList<string> Of(ReleasePlan before, ReleasePlan after)
    {
        var lines = new List<string>();
        foreach (var channel in ReleasePlan.ChannelNames)
            Compare(channel, before.Channels.GetValueOrDefault(channel), after.Channels.GetValueOrDefault(channel), lines);
        // Nothing said of it is the default of it.
        Compare("monitor", before.Monitor ?? MonitorPlan.Default, after.Monitor ?? MonitorPlan.Default, lines);
        return lines;
    }

    private static void Compare(string path, object? before, object? after, List<string> lines)
    {
        if (before is not null && after is not null && !IsLeaf(after))
        {
            foreach (var (name, was, now) in before is IEnumerable many ? Items(many, (IEnumerable)after) : Keys(before, after))
                Compare(name.StartsWith(' ') ? path + name : $"{path}.{name}", was, now, lines);
        }
        else if (Text(path, before) is var was && Text(path, after) is var now && was != now)
        {
            lines.Add($"{path}: {was} → {now}");
        }
    }

    private static IEnumerable<(string Name, object? Before, object? After)> Keys(object before, object after) =>
        Properties(after).Select(property => (Key(property), property.GetValue(before), property.GetValue(after)));

    /// <summary>By their names, or by their places where they have none. A name follows a blank.</summary>
    private static IEnumerable<(string Name, object? Before, object? After)> Items(IEnumerable before, IEnumerable after)
    {
        var (was, now) = (Named(before), Named(after));
        return was.Keys.Union(now.Keys, StringComparer.Ordinal).Select(name => (" " + name, was.GetValueOrDefault(name), now.GetValueOrDefault(name)));
    }

    private static Dictionary<string, object> Named(IEnumerable items)
    {
        var named = new Dictionary<string, object>(StringComparer.Ordinal);
        foreach (var (index, item) in items.Cast<object>().Index())
            named[item.GetType().GetProperty("Name")?.GetValue(item) is string name ? $"'{name}'" : (index + 1).ToString(CultureInfo.InvariantCulture)] = item;
        return named;
    }

    private static string Text(string path, object? value) => value switch
    {
        null => Nothing,
        string text => text,
        Duration time => time.ToString(),
        Ratio share => share.ToString(),
        int weight when path.EndsWith(".weight", StringComparison.Ordinal) || path.EndsWith(".hold-back", StringComparison.Ordinal) => Weight.Text(weight),
        Enum choice => Kebab(choice.ToString()),
        IFormattable number when IsLeaf(value) => number.ToString(null, CultureInfo.InvariantCulture),
        IEnumerable items => string.Join(", ", items.Cast<object>().Select(item => Text(path, item))) is { Length: > 0 } text ? text : Nothing,
        _ => $"{{ {string.Join(", ", Properties(value).Where(property => property.GetValue(value) is not null).Select(property => $"{Key(property)}: {Text("." + Key(property), property.GetValue(value))}"))} }}",
    };

    private static bool IsLeaf(object value) => value is string or Enum || value.GetType() is { IsValueType: true } type && !typeof(IEnumerable).IsAssignableFrom(type);

    private static IEnumerable<PropertyInfo> Properties(object record) =>
        record.GetType().GetProperties(BindingFlags.Instance | BindingFlags.Public).Where(property => property.GetCustomAttribute<JsonIgnoreAttribute>() is null && property.GetIndexParameters().Length == 0);

    private static string Key(PropertyInfo property) => Kebab(property.Name);

    /// <summary>As specs have names: <c>KeepWarm</c> is <c>keep-warm</c>.</summary>
    private static string Kebab(string name) => string.Concat(name.Select((c, i) => char.IsUpper(c) ? (i == 0 ? "" : "-") + char.ToLowerInvariant(c) : c.ToString()));
}
