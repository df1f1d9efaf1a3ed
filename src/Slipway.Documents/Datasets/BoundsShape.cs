using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text.Json.Nodes;
using Slipway.Documents.Reading;

namespace Slipway.Documents.Datasets;

/// <summary>What kind of values a range bounds.</summary>
internal enum BoundKind
{
    Number,
    Date,
    Time,
    Timestamp,
}

/// <param name="Text">As written; null for an open end.</param>
internal sealed record Bound(string? Text, BoundKind Kind, bool IsWhole, Place At);

/// <param name="IsRead">False when an end is missing or faulty, which has been reported.</param>
internal sealed record Bounds(Bound Low, Bound High, bool IsRead, Place At);

/// <summary>One end of a range: a number, a date, a time, a timestamp, or nothing for an open end.</summary>
internal sealed class BoundsShape : Shape<Bound>
{
    private const string Date = "[0-9]{4}-[0-9]{2}-[0-9]{2}", Clock = @"[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?";

    private static readonly string[] ClockFormats = ["HH:mm:ss", "HH:mm:ss.FFFFFF"];

    private BoundsShape()
    {
    }

    public static Shape<Bounds> Shape { get; } = new MadeShape<ImmutableArray<Bound>, Bounds>(
        new ListShape<Bound>(new BoundsShape(), atLeast: 2, atMost: 2),
        (ends, node) => ends is [var low, var high] ? new Bounds(low, high, true, node.At) : new Bounds(Open(node.At), Open(node.At), false, node.At));

    public override string Allowed => "a number, a date such as 2001-01-31, a timestamp such as 2001-01-31 12:00:00, a time such as 12:00:00, or null for an open end";

    public override JsonObject Schema() => new()
    {
        ["anyOf"] = new JsonArray(
            new JsonObject { ["type"] = new JsonArray("number", "null") },
            new JsonObject { ["type"] = "string", ["pattern"] = $"^({Date}|{Date}[ T]{Clock}|{Clock})$" }),
    };

    /// <summary>Whether the low end is above the high one; false where an end is open.</summary>
    public static bool AreReversed(Bounds bounds) => bounds is { Low.Text: { } low, High.Text: { } high } && (bounds.Low.Kind == BoundKind.Number
        ? double.Parse(low, NumberStyles.Float, CultureInfo.InvariantCulture) > double.Parse(high, NumberStyles.Float, CultureInfo.InvariantCulture)
        : string.CompareOrdinal(low.Replace('T', ' '), high.Replace('T', ' ')) > 0);

    protected override bool Read(Node node, Label label, FaultList faults, [MaybeNullWhen(false)] out Bound value)
    {
        value = null;
        switch (node)
        {
            case ScalarNode { Kind: ScalarKind.Nothing }:
                value = Open(node.At);
                return true;
            case ScalarNode { Kind: ScalarKind.Integer or ScalarKind.Number } number when double.IsFinite(double.Parse(number.Text, NumberStyles.Float, CultureInfo.InvariantCulture)):
                value = new Bound(number.Text, BoundKind.Number, number.Kind == ScalarKind.Integer, node.At);
                return true;
            case ScalarNode { Kind: ScalarKind.Text } text when KindOf(text.Text) is { } kind:
                value = new Bound(text.Text, kind, false, node.At);
                return true;
            default:
                faults.Add(node.At, "bad-value", $"{label.Text} is {node.Found}, allowed {Allowed}");
                return false;
        }
    }

    private static Bound Open(Place at) => new(null, BoundKind.Number, true, at);

    private static BoundKind? KindOf(string text)
    {
        if (TimeOnly.TryParseExact(text, ClockFormats, CultureInfo.InvariantCulture, DateTimeStyles.None, out _))
            return BoundKind.Time;
        if (text.Length < 10 || !DateOnly.TryParseExact(text.AsSpan(0, 10), "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out _))
            return null;
        if (text.Length == 10)
            return BoundKind.Date;
        return text[10] is ' ' or 'T' && TimeOnly.TryParseExact(text.AsSpan(11), ClockFormats, CultureInfo.InvariantCulture, DateTimeStyles.None, out _) ? BoundKind.Timestamp : null;
    }
}
