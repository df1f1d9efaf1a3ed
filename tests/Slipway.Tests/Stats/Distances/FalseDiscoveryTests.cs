using Slipway.Stats.Distances;

namespace Slipway.Tests.Stats.Distances;

public sealed class FalseDiscoveryTests
{
    [Fact]
    public void Discoveries_are_those_of_Benjamini_and_Yekutieli()
    {
        // The 15 p-values of Benjamini and Hochberg's example (1995): at 0.05 the dependent procedure finds the first three.
        double[] p = [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1];
        Assert.Equal([0, 1, 2], Enumerable.Range(0, p.Length).Where(i => FalseDiscovery.BenjaminiYekutieli(p, 0.05)[i]));
        Assert.Empty(FalseDiscovery.BenjaminiYekutieli([], 0.05));
        Assert.Equal([false], FalseDiscovery.BenjaminiYekutieli([0.06], 0.05));
    }
}
