namespace Slipway.Documents.Rollouts;

/// <summary>Shares of traffic are whole numbers of 1/10,000.</summary>
public static class Weight
{
    public const int All = 10_000;

    /// <summary>For people: <c>1 %</c>, <c>0.25 %</c>.</summary>
    public static string Text(int weight) => (weight / 100m).ToString("0.##", System.Globalization.CultureInfo.InvariantCulture) + " %";
}
