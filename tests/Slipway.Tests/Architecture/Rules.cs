namespace Slipway.Tests.Architecture;

/// <summary>The house's rules, each a question to a scanned assembly; the answer is what breaks it.</summary>
internal static class Rules
{
    /// <summary>What <c>Stats</c> may not touch: clocks, files, processes, networks, and randomness that it was not handed.</summary>
    private static readonly string[] ImpureNamespaces = ["System.IO", "System.Net", "System.Diagnostics.Process", "Microsoft.Win32", "System.Security.Cryptography.RandomNumberGenerator"];

    private static readonly string[] ImpureTypes =
    [
        "System.DateTime", "System.DateTimeOffset", "System.TimeProvider", "System.Diagnostics.Stopwatch", "System.Random", "System.Guid",
        "System.Console", "System.Diagnostics.Process", "System.Threading.Timer", "System.Threading.Thread",
        "System.Security.Cryptography.RandomNumberGenerator",
    ];

    /// <summary>Each shortest circle between the folders below a root namespace: <c>A → B → A</c>, with a use that makes each arrow.</summary>
    /// <remarks>A generated JSON context names every record that it is for, and the records name it: that is no design of ours.</remarks>
    public static IReadOnlyList<string> FolderCircles(AssemblyScan scan, string root)
    {
        var contexts = scan.Uses.Where(use => use is { To: { Namespace: "System.Text.Json.Serialization", Name: "JsonSerializerContext" }, Member: ".ctor" }).Select(use => use.From).ToHashSet();
        var arrows = scan.Uses
            .Where(use => !contexts.Contains(use.From))
            .Where(use => use.To.Assembly is null && IsBelow(use.From.Namespace, root) && IsBelow(use.To.Namespace, root))
            .Select(use => (From: Folder(use.From.Namespace, root), To: Folder(use.To.Namespace, root), Use: use))
            .Where(arrow => arrow.From != arrow.To)
            .GroupBy(arrow => (arrow.From, arrow.To))
            .ToDictionary(group => group.Key, group => group.Select(arrow => $"{arrow.Use.From} uses {arrow.Use.To}").Min(StringComparer.Ordinal)!);

        var circles = new List<string>();
        foreach (var start in arrows.Keys.Select(arrow => arrow.From).Distinct().Order(StringComparer.Ordinal))
        {
            if (ShortestWayBack(start, arrows.Keys) is { } way && way.Min(StringComparer.Ordinal) == start)
                circles.Add(string.Join(" → ", [.. way, start]) + ": " + string.Join("; ", way.Zip([.. way.Skip(1), start], (from, to) => arrows[(from, to)])));
        }

        return circles;
    }

    /// <summary>Types that are named exactly like the last part of their namespace, or like a namespace beside them.</summary>
    public static IReadOnlyList<string> TypesNamedLikeTheirFolder(AssemblyScan scan) =>
    [
        .. scan.Types.Select(type => type.Name)
            .Where(name => name.Namespace.Split('.')[^1] == name.Name)
            .Select(name => name.ToString())
            .Order(StringComparer.Ordinal),
    ];

    public static IReadOnlyList<string> ImpureUses(AssemblyScan scan, string root) =>
    [
        .. scan.Uses
            .Where(use => IsBelow(use.From.Namespace, root) && IsImpure(use))
            .Select(use => $"{use.From} uses {use.To}{(use.Member is null ? "" : "." + use.Member)}")
            .Distinct()
            .Order(StringComparer.Ordinal),
    ];

    /// <summary>The room that a reference is to, for those that are not allowed.</summary>
    public static IReadOnlyList<string> ForbiddenReferences(IEnumerable<string> references, IReadOnlyCollection<string> allowed) =>
        [.. references.Where(name => name.StartsWith("Slipway.", StringComparison.Ordinal) && !allowed.Contains(name["Slipway.".Length..]))];

    private static bool IsImpure(TypeUse use) =>
        ImpureTypes.Contains(use.To.ToString())
        || ImpureNamespaces.Any(impure => IsBelow(use.To.Namespace, impure))
        || use is { To: { Namespace: "System", Name: "Environment" }, Member: not (null or "get_ProcessorCount" or "get_NewLine" or "get_CurrentManagedThreadId") };

    private static bool IsBelow(string name, string root) => name == root || name.StartsWith(root + ".", StringComparison.Ordinal);

    /// <summary>The first folder below the root; the root's own types are a folder as well.</summary>
    private static string Folder(string name, string root) => name == root ? "(root)" : name[(root.Length + 1)..].Split('.')[0];

    private static List<string>? ShortestWayBack(string start, IEnumerable<(string From, string To)> arrows)
    {
        var next = arrows.ToLookup(arrow => arrow.From, arrow => arrow.To);
        var ways = new Queue<List<string>>([[start]]);
        var seen = new HashSet<string>();
        while (ways.TryDequeue(out var way))
        {
            foreach (var to in next[way[^1]].Order(StringComparer.Ordinal))
            {
                if (to == start)
                    return way;
                if (seen.Add(to))
                    ways.Enqueue([.. way, to]);
            }
        }

        return null;
    }
}
