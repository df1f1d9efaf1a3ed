using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text.Json.Nodes;

namespace Slipway.Documents.Reading;

/// <summary>Text. A number or <c>true</c> without quotes is refused, because other readers of the file see no text there.</summary>
/// <param name="allowed">For messages; begins with the word text where any text will do.</param>
/// <param name="accepts">Null when every text of 1 to <paramref name="longest"/> characters will do.</param>
/// <param name="pattern">What <paramref name="accepts"/> accepts, or more, as a regular expression for the schema.</param>
internal sealed class TextShape(string allowed = "text", Func<string, bool>? accepts = null, string? pattern = null, string code = "bad-value", int longest = TextShape.Longest) : Shape<string>
{
    /// <summary>Characters of a text where nothing else bounds it: a long command line.</summary>
    public const int Longest = 16_384;

    public override string Allowed => allowed;

    public override JsonObject Schema()
    {
        var schema = new JsonObject { ["type"] = "string", ["minLength"] = 1, ["maxLength"] = longest };
        if (pattern is not null)
            schema["pattern"] = pattern;
        return schema;
    }

    protected override bool Read(Node node, Label label, FaultList faults, [MaybeNullWhen(false)] out string value)
    {
        value = null;
        if (node is not ScalarNode { Kind: ScalarKind.Text } scalar)
        {
            Refuse(node, label, faults);
            return false;
        }

        value = scalar.Text;
        if (value.Length > 0 && value.Length <= longest && accepts?.Invoke(value) != false)
            return true;
        var found = value.Length > longest ? $"{value.Length} characters long" : Node.Quote(value);
        faults.Add(node.At, code, $"{label.Text} is {found}, allowed {allowed}{(accepts is null ? $" of 1 to {longest} characters" : "")}");
        return false;
    }
}

/// <summary>A word as written: text, a number, true or false, such as an argument of a command.</summary>
internal sealed class WordShape : Shape<string>
{
    public override string Allowed => "text or a number";

    public override JsonObject Schema() => new() { ["type"] = new JsonArray("string", "number", "boolean") };

    protected override bool Read(Node node, Label label, FaultList faults, [MaybeNullWhen(false)] out string value)
    {
        value = (node as ScalarNode)?.Text;
        if (value is not null && node is ScalarNode { Kind: not (ScalarKind.Nothing or ScalarKind.Unclear) })
            return true;
        Refuse(node, label, faults);
        return false;
    }
}

internal delegate bool TryParse<T>(string text, out T value);

/// <summary>A value that has its own text form, such as an amount with its unit.</summary>
/// <param name="code">Of the fault when the text is not of that form.</param>
/// <param name="pattern">What <paramref name="parse"/> accepts, but for bounds, as a regular expression for the schema.</param>
internal sealed class ParsedShape<T>(TryParse<T> parse, string allowed, string pattern, string code = "wrong-unit", string? help = null) : Shape<T>
{
    /// <summary>Takes the text as it is written, where a plain one may look like a number in some notation: an id in hex, such as <c>0b2b08…</c>.</summary>
    public bool TakesUnclear { get; init; }

    public override string Allowed => allowed;

    public override JsonObject Schema() => new() { ["type"] = "string", ["pattern"] = pattern };

    protected override bool Read(Node node, Label label, FaultList faults, [MaybeNullWhen(false)] out T value)
    {
        value = default;
        if (node is not ScalarNode { Kind: ScalarKind.Text or ScalarKind.Integer or ScalarKind.Number or ScalarKind.Unclear } scalar || (scalar.Kind == ScalarKind.Unclear && !TakesUnclear))
        {
            Refuse(node, label, faults);
            return false;
        }

        if (parse(scalar.Text, out value))
            return true;
        faults.Add(node.At, code, $"{label.Text} is {node.Found}, allowed {allowed}", help);
        return false;
    }
}

/// <summary>One of a few words.</summary>
internal sealed class ChoiceShape<T>(params (string Word, T Value)[] choices) : Shape<T>
{
    /// <summary>Words that are understood and refused, so that nobody takes them for misspelt.</summary>
    public string[] NotOfferedYet { get; init; } = [];

    public override string Allowed => string.Join(", ", choices.Select(choice => choice.Word));

    public override JsonObject Schema() => new() { ["enum"] = new JsonArray([.. choices.Select(choice => (JsonNode)choice.Word)]) };

    protected override bool Read(Node node, Label label, FaultList faults, [MaybeNullWhen(false)] out T value)
    {
        value = default;
        if (node is not ScalarNode { Kind: ScalarKind.Text } scalar)
        {
            Refuse(node, label, faults);
            return false;
        }

        foreach (var (word, meaning) in choices)
        {
            if (word != scalar.Text)
                continue;
            value = meaning;
            return true;
        }

        if (NotOfferedYet.Contains(scalar.Text))
            faults.Add(node.At, "not-offered", $"{label.Text} is {node.Found}, which this version does not offer yet; allowed {Allowed}");
        else
            faults.Add(node.At, "bad-value", $"{label.Text} is {node.Found}{Node.Nearest(scalar.Text, choices.Select(choice => choice.Word))}; allowed {Allowed}");
        return false;
    }
}

/// <summary>A whole number, both bounds included.</summary>
internal sealed class WholeShape(long low, long high) : Shape<long>
{
    public override string Allowed => low == high ? $"{low}" : $"a whole number from {low} to {high}";

    public override JsonObject Schema() => low == high
        ? new() { ["enum"] = new JsonArray(low) }
        : new() { ["type"] = "integer", ["minimum"] = low, ["maximum"] = high };

    protected override bool Read(Node node, Label label, FaultList faults, out long value)
    {
        value = 0;
        if (node is not ScalarNode { Kind: ScalarKind.Integer } scalar)
        {
            Refuse(node, label, faults);
            return false;
        }

        if (long.TryParse(scalar.Text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out value) && value >= low && value <= high)
            return true;
        faults.Add(node.At, "bad-value", $"{label.Text} is {node.Found}, allowed {Allowed}");
        return false;
    }
}

/// <summary>A finite number, both bounds included.</summary>
internal sealed class NumberShape(double low = double.NegativeInfinity, double high = double.PositiveInfinity) : Shape<double>
{
    public override string Allowed =>
        double.IsInfinity(low) ? "a number" : $"a number from {low.ToString(CultureInfo.InvariantCulture)} to {high.ToString(CultureInfo.InvariantCulture)}";

    public override JsonObject Schema() =>
        double.IsInfinity(low) ? new() { ["type"] = "number" } : new() { ["type"] = "number", ["minimum"] = low, ["maximum"] = high };

    protected override bool Read(Node node, Label label, FaultList faults, out double value)
    {
        value = 0;
        if (node is not ScalarNode { Kind: ScalarKind.Integer or ScalarKind.Number } scalar)
        {
            Refuse(node, label, faults);
            return false;
        }

        value = double.Parse(scalar.Text, NumberStyles.Float, CultureInfo.InvariantCulture);
        if (double.IsFinite(value) && value >= low && value <= high)
            return true;
        faults.Add(node.At, "bad-value", $"{label.Text} is {node.Found}, allowed {Allowed}");
        return false;
    }
}

/// <summary>A share of a whole: <c>5 %</c> or 0.05, both bounds included.</summary>
internal sealed class ShareShape(double low = 0, double high = 1) : Shape<Primitives.Units.Ratio>
{
    /// <summary>Numbers that stand before a percent sign where no more than a half is allowed.</summary>
    private const string AtMostFifty = @"\+?0*([0-4]?[0-9](\.[0-9]*)?|50(\.0*)?|\.[0-9]+)";

    public override string Allowed => (low, high) == (0, 1)
        ? Primitives.Units.Ratio.Allowed
        : $"a share from {low.ToString(CultureInfo.InvariantCulture)} to {high.ToString(CultureInfo.InvariantCulture)}, such as 95 % or 0.95";

    public override JsonObject Schema() => new()
    {
        ["anyOf"] = new JsonArray(
            new JsonObject { ["type"] = "number", ["minimum"] = low, ["maximum"] = high },
            new JsonObject { ["type"] = "string", ["pattern"] = $"^ *{(high <= 0.5 ? AtMostFifty : Amounts.Number)} *%? *$" }),
    };

    protected override bool Read(Node node, Label label, FaultList faults, out Primitives.Units.Ratio value)
    {
        value = default;
        if (node is not ScalarNode { Kind: ScalarKind.Text or ScalarKind.Integer or ScalarKind.Number } scalar)
        {
            Refuse(node, label, faults);
            return false;
        }

        // A plain number may have an exponent, which amounts do not.
        var isShare = scalar.Kind == ScalarKind.Number && double.TryParse(scalar.Text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
            ? (value = new(number)) == value
            : Primitives.Units.Ratio.TryParse(scalar.Text, out value);
        if (isShare && value.Value >= low && value.Value <= high)
            return true;
        faults.Add(node.At, "wrong-unit", $"{label.Text} is {node.Found}, allowed {Allowed}");
        return false;
    }
}
