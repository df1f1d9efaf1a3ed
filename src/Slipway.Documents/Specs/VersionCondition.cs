namespace Slipway.Documents.Specs;

/// <summary>A condition on a version such as <c>>=0.1</c> or <c>>=0.1, &lt;2</c>: comparisons that must all hold.</summary>
internal static class VersionCondition
{
    public const string Allowed = "a condition on a version, such as '>=0.1' or '>=0.1, <2'";

    public const string Pattern = @"^ *(>=|<=|>|<|=) *[0-9]{1,9}(\.[0-9]{1,9}){0,3} *(, *(>=|<=|>|<|=) *[0-9]{1,9}(\.[0-9]{1,9}){0,3} *)*$";

    private static readonly string[] Operators = [">=", "<=", ">", "<", "="];

    public static bool IsSound(string text) => text.Split(',').All(part => TryParse(part, out _, out _));

    /// <param name="text">Sound.</param>
    public static bool Holds(string text, Version version) => text.Split(',').All(part =>
        TryParse(part, out var comparison, out var bound) && version.CompareTo(bound) is var order && comparison switch
        {
            ">=" => order >= 0,
            "<=" => order <= 0,
            ">" => order > 0,
            "<" => order < 0,
            _ => order == 0,
        });

    private static bool TryParse(string part, out string comparison, out Version bound)
    {
        var text = part.Trim();
        comparison = Operators.FirstOrDefault(each => text.StartsWith(each, StringComparison.Ordinal)) ?? "";
        var numbers = text[comparison.Length..].Trim().Split('.');
        bound = new Version();
        if (comparison.Length == 0 || numbers.Length > 4 || numbers.Any(number => number.Length is 0 or > 9 || !number.All(char.IsAsciiDigit)))
            return false;
        // Missing parts are zero: a framework Version takes them as less than zero.
        var parts = numbers.Select(number => int.Parse(number, System.Globalization.CultureInfo.InvariantCulture)).Concat([0, 0, 0]).Take(4).ToArray();
        bound = new Version(parts[0], parts[1], parts[2], parts[3]);
        return true;
    }
}
