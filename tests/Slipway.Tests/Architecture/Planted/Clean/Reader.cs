namespace Slipway.Tests.Architecture.Planted.Clean;

/// <summary>Uses another folder that does not use it back: allowed.</summary>
internal static class Reader
{
    internal static int Read() => Argument.Holder.Items.Count + Environment.ProcessorCount + new Random2(1).Next();

    private sealed class Random2(int seed)
    {
        internal int Next() => seed;
    }
}
