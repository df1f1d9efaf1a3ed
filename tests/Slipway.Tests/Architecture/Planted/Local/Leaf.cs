namespace Slipway.Tests.Architecture.Planted.Local;

/// <summary>Closes the circle by an argument of a generic call.</summary>
internal sealed class Leaf
{
    internal static int None() => Enumerable.Empty<Body.Item>().Count();
}
