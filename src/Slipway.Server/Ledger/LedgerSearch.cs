using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using Slipway.Documents.Ledger;
using Slipway.Primitives.Bytes;
using Slipway.Server.Storage;

namespace Slipway.Server.Ledger;

/// <summary>Which entries are asked for. What an entry says comes from its leaf; the columns are only searched by.</summary>
internal sealed record LedgerSearch
{
    public const int DefaultLimit = 100, MaxLimit = 1000;

    /// <summary>A page ends before it has more than this, in bytes: entries carry evidence, and a thousand of them would be a gigabyte.</summary>
    private const long MaxPageBytes = 4 * 1024 * 1024;

    /// <summary>Asks for those after this index, oldest first; null asks for the newest first.</summary>
    public long? After { get; init; }

    /// <summary>Newest first: those before this index. Null begins with the latest.</summary>
    public long? Before { get; init; }

    /// <summary>1 to <see cref="MaxLimit"/> entries.</summary>
    public int Limit { get; init; } = DefaultLimit;

    /// <summary>A digest, a subject's name, or what a name lies below.</summary>
    public string? Subject { get; init; }

    /// <summary>An action, or what stands before its dot.</summary>
    public string? Action { get; init; }

    /// <summary>An actor's id, or its name at the time where that was not erased.</summary>
    public string? Actor { get; init; }

    /// <summary>Unix milliseconds, inclusive.</summary>
    public long? Since { get; init; }

    /// <summary>Unix milliseconds, exclusive.</summary>
    public long? Until { get; init; }

    /// <summary>Only entries whose subjects are all below these models; null for all entries.</summary>
    public ImmutableArray<string>? Models { get; init; }

    /// <summary>A page: empty when there is no more, and possibly shorter than asked for.</summary>
    public async Task<IReadOnlyList<LedgerRow>> FindAsync(Session session)
    {
        var (where, parameters) = Condition();
        var from = $"FROM ledger_entries e WHERE {where} ORDER BY position {(After is null ? "DESC" : "ASC")}";
        var sizes = await session.QueryAsync<long>($"SELECT CAST(LENGTH(leaf) + COALESCE(LENGTH(payload), 0) AS BIGINT) {from} LIMIT {Text(Limit)}", parameters);
        // At least one, or the page would look like the end.
        var (count, bytes) = (0, 0L);
        while (count < sizes.Count && (bytes += sizes[count]) <= MaxPageBytes || count == 0 && sizes.Count > 0)
            count++;
        return await session.QueryAsync<LedgerRow>($"SELECT position, leaf, payload {from} LIMIT {Text(count)}", parameters);
    }

    private (string Where, Dictionary<string, object> Parameters) Condition()
    {
        var conditions = new List<string> { "1 = 1" };
        var parameters = new Dictionary<string, object>();
        Add("position > @after", After);
        Add("position < @before", Before);
        Add("time >= @since", Since);
        Add("time < @until", Until);
        if (Action is not null)
            Add("(action = @action OR substr(action, 1, length(@action) + 1) = @action || '.')", Action);
        if (Actor is not null)
        {
            // A payload is canonical JSON, and the actor's name its first member.
            Add("(actor = @actor OR substr(payload, 1, length(@name)) = @name)", Actor);
            parameters["name"] = $$"""{"actorName":{{JsonText(Actor)}},""";
        }

        if (Digest.TryParse(Subject, out _))
            Add("EXISTS (SELECT 1 FROM ledger_subjects s WHERE s.position = e.position AND s.digest = @subject)", Subject);
        else if (Subject is not null)
            Add("EXISTS (SELECT 1 FROM ledger_subjects s WHERE s.position = e.position AND (s.name = @subject OR substr(s.name, 1, length(@subject) + 1) = @subject || '/'))", Subject);
        if (Models is { } models)
        {
            var names = models.Select((model, index) => (Key: string.Create(CultureInfo.InvariantCulture, $"model{index}"), Model: model)).ToArray();
            foreach (var (key, model) in names)
                parameters[key] = model;
            var among = names.Length == 0 ? "NULL" : string.Join(", ", names.Select(name => "@" + name.Key));
            conditions.Add("EXISTS (SELECT 1 FROM ledger_subjects s WHERE s.position = e.position)");
            conditions.Add($"NOT EXISTS (SELECT 1 FROM ledger_subjects s WHERE s.position = e.position AND (s.model IS NULL OR s.model NOT IN ({among})))");
        }

        return (string.Join(" AND ", conditions), parameters);

        void Add(string condition, object? value)
        {
            if (value is null)
                return;
            conditions.Add(condition);
            parameters[new string([.. condition.SkipWhile(c => c != '@').Skip(1).TakeWhile(char.IsAsciiLetter)])] = value;
        }
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    private static string JsonText(string text) =>
        Encoding.UTF8.GetString(CanonicalJson.Serialize(text, LedgerJson.Default.String));
}
