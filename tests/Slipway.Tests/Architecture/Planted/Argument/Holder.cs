namespace Slipway.Tests.Architecture.Planted.Argument;

/// <summary>Mentions the other folder as a generic argument alone.</summary>
internal static class Holder
{
    internal static readonly Dictionary<string, List<Local.Leaf[]>> Items = [];

    internal static int Count(string[] names) => names.Length;
}
