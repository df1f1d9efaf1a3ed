using Slipway.Stats.Intervals;

namespace Slipway.Tests.Stats.Intervals;

public class PhiloxTests
{
    /// <summary>Source: Random123, tests/kat_vectors, "philox4x32 10".</summary>
    [Theory]
    [InlineData(0u, 0u, 0u, 0u, 0u, 0u, 0x6627e8d5u, 0xe169c58du, 0xbc57ac4cu, 0x9b00dbd8u)]
    [InlineData(~0u, ~0u, ~0u, ~0u, ~0u, ~0u, 0x408f276du, 0x41c83b0eu, 0xa20bc7c6u, 0x6d5451fdu)]
    [InlineData(0x243f6a88u, 0x85a308d3u, 0x13198a2eu, 0x03707344u, 0xa4093822u, 0x299f31d0u, 0xd16cfe09u, 0x94fdccebu, 0x5001e420u, 0x24126ea1u)]
    public void Known_answers_are_met(uint c0, uint c1, uint c2, uint c3, uint k0, uint k1, uint a, uint b, uint c, uint d) =>
        Assert.Equal((a, b, c, d), Philox.Block((c0, c1, c2, c3), (k0, k1)));

    [Fact]
    public void A_stream_is_the_same_each_time_and_differs_by_seed_and_number()
    {
        Assert.Equal(Draw(42, 7), Draw(42, 7));
        Assert.NotEqual(Draw(42, 7), Draw(42, 8));
        Assert.NotEqual(Draw(42, 7), Draw(43, 7));
        Assert.NotEqual(Draw(42, 7), Draw(42 + (1L << 32), 7));
    }

    [Fact]
    public void The_first_block_of_a_stream_comes_out_in_order()
    {
        var stream = new Philox(0, 0);
        Assert.Equal([0x6627e8d5u, 0xe169c58du, 0xbc57ac4cu, 0x9b00dbd8u], new[] { stream.Next(), stream.Next(), stream.Next(), stream.Next() });
    }

    [Theory]
    [InlineData(1u)]
    [InlineData(3u)]
    [InlineData(30u)]
    [InlineData(3u << 30)]
    public void Bounded_draws_stay_below_the_bound_and_are_even(uint bound)
    {
        const int draws = 30_000, parts = 3;
        var stream = new Philox(1, 2);
        var counts = new int[parts];
        for (var i = 0; i < draws; i++)
        {
            var drawn = stream.Below(bound);
            Assert.True(drawn < bound);
            counts[drawn % parts]++;
        }

        // Without the second draw, a bound of 3·2³⁰ would give every third value twice as often as the others.
        if (bound >= parts)
            Assert.All(counts, count => Assert.InRange(count, draws / parts - 400, draws / parts + 400));
    }

    private static uint[] Draw(long seed, ulong number)
    {
        var stream = new Philox(seed, number);
        return [.. Enumerable.Range(0, 9).Select(_ => stream.Next())];
    }
}
