using System.Globalization;

namespace Slipway.EndToEnd;

/// <summary>How often something is killed at a random instant: what a test needs to meet every scene, or <c>SLIPWAY_KILLS</c> for a search.</summary>
internal static class Kills
{
    public static int OrElse(int usual) => Environment.GetEnvironmentVariable("SLIPWAY_KILLS") is { } asked ? int.Parse(asked, CultureInfo.InvariantCulture) : usual;
}
