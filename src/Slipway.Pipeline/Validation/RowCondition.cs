using System.Collections.Frozen;
using System.Text.Json;
using Slipway.Documents.Datasets;
using Slipway.Engines.DuckDb;
using Slipway.Primitives.Faults;

namespace Slipway.Pipeline.Validation;

/// <summary>A user's SQL fragment, once it is proven to be one condition on one row.</summary>
/// <remarks>
/// DuckDB's own parser reads the fragment twice, bare and in parentheses: only a whole expression survives both, so it cannot
/// close the parenthesis that it is put into, end the statement or comment out what follows. The tree may hold nothing but what
/// depends on the row alone: no subquery, aggregate, window, parameter, clock or chance, and no name but the columns'.
/// </remarks>
internal static class RowCondition
{
    /// <summary>Nodes that compute from a row's values; any other class in the tree is refused.</summary>
    private static readonly FrozenSet<string> Allowed =
        FrozenSet.Create("COLUMN_REF", "CONSTANT", "COMPARISON", "CONJUNCTION", "FUNCTION", "OPERATOR", "CAST", "CASE", "BETWEEN", "COLLATE", "LAMBDA");

    /// <summary>Functions whose value is not settled by their arguments: the result could not be kept, or repeated.</summary>
    internal static readonly FrozenSet<string> Unsettled = FrozenSet.Create(
        StringComparer.OrdinalIgnoreCase,
        "now", "today", "ago", "age", "transaction_timestamp", "current_date", "current_time", "current_timestamp", "localtime", "localtimestamp", "current_localtime", "current_localtimestamp",
        "get_current_timestamp", "get_current_time", "random", "setseed", "uuid", "uuidv4", "uuidv7", "gen_random_uuid", "nextval", "currval",
        "current_query", "current_query_id", "current_connection_id", "current_transaction_id", "txid_current", "current_database", "current_catalog",
        "current_schema", "current_schemas", "current_setting", "getvariable", "in_search_path", "current_user", "session_user", "current_role", "user",
        "sleep_ms", "pg_sleep", "write_log", "stats", "error");

    /// <summary>The fragment in parentheses, ready to stand anywhere in a statement.</summary>
    public static string Wrap(string fragment) => $"(\n{fragment}\n)";

    /// <returns>Null when the fragment is such a condition; else why it is not.</returns>
    /// <param name="table">SQL that stands after FROM; its columns are <paramref name="columns"/>.</param>
    public static string? Refusal(DuckDatabase database, string table, IReadOnlyList<ColumnSchema> columns, string fragment)
    {
        if (string.IsNullOrWhiteSpace(fragment) || fragment.Contains('\0'))
            return "it is empty, or holds a NUL character";
        try
        {
            if ((Parse(database, fragment + "\n", columns) ?? Parse(database, Wrap(fragment), columns)) is { } refusal)
                return refusal;

            // Binding it as a condition also refuses aggregates, and finds names and types that do not fit.
            database.Rows($"SELECT 1 FROM {table} WHERE {Wrap(fragment)} LIMIT 0");
            var type = database.Rows($"DESCRIBE SELECT {Wrap(fragment)} FROM {table}")[0][1];
            return type == "BOOLEAN" ? null : $"it gives {type}, and a rule gives BOOLEAN";
        }
        catch (DuckException e)
        {
            return e.FirstLine;
        }
    }

    private static string? Parse(DuckDatabase database, string expression, IReadOnlyList<ColumnSchema> columns)
    {
        using var tree = JsonDocument.Parse(database.Rows($"SELECT json_serialize_sql({SqlText.Literal("SELECT " + expression)})::VARCHAR")[0][0]!);
        var root = tree.RootElement;
        if (root.GetProperty("error").GetBoolean())
            return root.GetProperty("error_message").GetString();
        if (root.GetProperty("statements").GetArrayLength() != 1)
            return "it is more than one statement";
        var node = root.GetProperty("statements")[0].GetProperty("node");
        var isBare = node.GetProperty("type").ValueEquals("SELECT_NODE")
            && node.GetProperty("select_list").GetArrayLength() == 1
            && node.GetProperty("from_table").GetProperty("type").ValueEquals("EMPTY")
            && node.GetProperty("modifiers").GetArrayLength() == 0
            && node.GetProperty("cte_map").GetProperty("map").GetArrayLength() == 0
            && node.GetProperty("group_expressions").GetArrayLength() == 0
            && new[] { "where_clause", "having", "qualify", "sample" }.All(part => node.GetProperty(part).ValueKind == JsonValueKind.Null);
        return isBare ? Walk(node.GetProperty("select_list")[0], columns, []) : "it is more than one expression";
    }

    private static string? Walk(JsonElement element, IReadOnlyList<ColumnSchema> columns, string[] bound)
    {
        if (element.ValueKind == JsonValueKind.Array)
            return element.EnumerateArray().Select(item => Walk(item, columns, bound)).FirstOrDefault(refusal => refusal is not null);
        if (element.ValueKind != JsonValueKind.Object)
            return null;
        if (element.TryGetProperty("class", out var kind))
        {
            var name = kind.GetString()!;
            if (!Allowed.Contains(name))
                return $"it holds a {name.ToLowerInvariant().Replace('_', ' ')}, and a rule looks at one row alone";
            if (name == "CONSTANT")
                return null;
            if (name == "COLUMN_REF")
                return Column(element.GetProperty("column_names")[0].GetString()!, columns, bound);
            if (name == "FUNCTION" && Unsettled.Contains(element.GetProperty("function_name").GetString()!))
                return $"{element.GetProperty("function_name").GetString()}() does not depend on the row alone";
            if (name == "LAMBDA")
                bound = [.. bound, .. Parameters(element.GetProperty("lhs"))];
        }

        return element.EnumerateObject().Select(property => Walk(property.Value, columns, bound)).FirstOrDefault(refusal => refusal is not null);
    }

    private static string? Column(string name, IReadOnlyList<ColumnSchema> columns, string[] bound)
    {
        if (bound.Contains(name, StringComparer.OrdinalIgnoreCase) || columns.Any(column => column.Name.Equals(name, StringComparison.OrdinalIgnoreCase)))
            return null;
        return NearestName.Of(name, columns.Select(column => column.Name)) is { } near
            ? $"there is no column '{name}'; did you mean '{near}'?"
            : $"there is no column '{name}'";
    }

    // lambda x: … has one column reference, lambda x, i: … a function "row" of several.
    private static IEnumerable<string> Parameters(JsonElement lhs)
    {
        if (lhs.TryGetProperty("column_names", out var names))
            return [names[0].GetString()!];
        return lhs.TryGetProperty("children", out var children) ? children.EnumerateArray().SelectMany(Parameters) : [];
    }
}
