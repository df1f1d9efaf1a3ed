using System.Globalization;
using System.Text.RegularExpressions;
using Slipway.Primitives.Bytes;

namespace Slipway.Trust.TransparencyLog;

/// <summary>The name of a tile: up to 256 hashes of one level, or up to 256 records, that lie side by side in the tree.</summary>
/// <param name="Level">Each hash covers 256^Level records; null for the records themselves.</param>
/// <param name="Index">Which tile of its level, from the left.</param>
/// <param name="Width">1 to 256; below 256 it is a partial tile, the rightmost of its level.</param>
/// <remarks>Source: C2SP tlog-tiles. Full tiles never change.</remarks>
public readonly partial record struct TilePath(int? Level, long Index, int Width)
{
    /// <summary>Hashes or records in a full tile.</summary>
    public const int FullWidth = 256;

    /// <summary>Bytes of a full tile of hashes.</summary>
    public const int MaxBytes = FullWidth * Digest.Length;

    /// <summary>Levels of the tree that a tile spans.</summary>
    public const int Height = 8;

    /// <summary>A tree of 2^63 records has hashes of no higher level.</summary>
    private const int MaxLevel = 7;

    public bool IsFull => Width == FullWidth;

    /// <summary>The first hash in it; the others follow to the right. For records: the first leaf.</summary>
    public TreeNode First => new(Height * (Level ?? 0), Index * FullWidth);

    /// <summary>Whether a tree of that size has this tile: all that is in it is there.</summary>
    public bool IsIn(long size) => Index * FullWidth + Width <= size >> Height * (Level ?? 0);

    /// <summary>All tiles of a tree: first those of records, then of hashes, level by level from the left, partial ones last in each.</summary>
    public static IEnumerable<TilePath> OfTree(long size) =>
        OfLevel(null, size).Concat(Enumerable.Range(0, MaxLevel + 1).SelectMany(level => OfLevel(level, size)));

    /// <param name="level">Null for records.</param>
    public static IEnumerable<TilePath> OfLevel(int? level, long size)
    {
        var nodes = size >> Height * (level ?? 0);
        for (var index = 0L; index < nodes / FullWidth; index++)
            yield return new TilePath(level, index, FullWidth);
        if (nodes % FullWidth is var rest and > 0)
            yield return new TilePath(level, nodes / FullWidth, (int)rest);
    }

    /// <param name="path">Such as <c>tile/0/x001/234.p/5</c> or <c>tile/entries/000</c>; one spelling for each tile.</param>
    public static bool TryParse(string path, out TilePath tile)
    {
        tile = default;
        if (Form().Match(path) is not { Success: true, Groups: var groups })
            return false;
        var digits = groups["index"].Value.Replace("x", "", StringComparison.Ordinal).Replace("/", "", StringComparison.Ordinal);
        if (!long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var index) || index > long.MaxValue / FullWidth - 1)
            return false;
        tile = new TilePath(
            groups["level"].Success ? int.Parse(groups["level"].ValueSpan, CultureInfo.InvariantCulture) : null,
            index,
            groups["width"].Success ? int.Parse(groups["width"].ValueSpan, CultureInfo.InvariantCulture) : FullWidth);
        return tile.Width is > 0 and <= FullWidth && tile.ToString() == path;
    }

    public override string ToString()
    {
        var index = (Index % 1000).ToString("000", CultureInfo.InvariantCulture);
        for (var rest = Index / 1000; rest > 0; rest /= 1000)
            index = $"x{(rest % 1000).ToString("000", CultureInfo.InvariantCulture)}/{index}";
        return string.Create(CultureInfo.InvariantCulture, $"tile/{Level?.ToString(CultureInfo.InvariantCulture) ?? "entries"}/{index}{(IsFull ? "" : $".p/{Width}")}");
    }

    [GeneratedRegex(@"\Atile/(?:entries|(?<level>[0-7]))/(?<index>(?:x[0-9]{3}/){0,6}[0-9]{3})(?:\.p/(?<width>[0-9]{1,3}))?\z")]
    private static partial Regex Form();
}
