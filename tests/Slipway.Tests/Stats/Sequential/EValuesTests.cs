using Slipway.Stats.Sequential;

namespace Slipway.Tests.Stats.Sequential;

public sealed class EValuesTests
{
    [Fact]
    public void The_mean_is_taken_of_the_values_and_not_of_their_logarithms()
    {
        Assert.Equal(Math.Log(2.5), EValues.LogMean([Math.Log(1), Math.Log(4)]), 1e-15);
        Assert.Equal(5000 - Math.Log(2), EValues.LogMean([5000, -5000]), 1e-12);
        Assert.Equal(double.PositiveInfinity, EValues.LogMean([0, double.PositiveInfinity]));
        Assert.Equal(double.NegativeInfinity, EValues.LogMean([double.NegativeInfinity]));
        Assert.Throws<ArgumentException>(() => EValues.LogMean([]));
    }
}
