namespace Slipway.Tests.Architecture.Planted.Body;

/// <summary>Mentions the other folder in a method body alone, inside a lambda of an iterator.</summary>
internal static class Caller
{
    internal static IEnumerable<int> Run()
    {
        Func<int> later = () => Argument.Holder.Count(["x"]);
        yield return later();
    }
}

internal sealed record Item(string Name);
