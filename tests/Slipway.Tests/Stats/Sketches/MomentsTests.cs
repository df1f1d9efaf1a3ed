using FsCheck;
using FsCheck.Fluent;
using Slipway.Stats.Sketches;

namespace Slipway.Tests.Stats.Sketches;

public sealed class MomentsTests
{
    /// <summary>Anscombe's first y, and its sums of powers of the distance from the mean, computed with exact fractions.</summary>
    [Fact]
    public void Sums_are_those_of_a_published_sample()
    {
        double[] values = [8.04, 6.95, 7.58, 8.81, 8.33, 9.96, 7.24, 4.26, 10.84, 4.82, 5.68];
        var moments = values.Aggregate(default(Moments), (sum, value) => sum.Add(value));
        Assert.Equal((11L, 4.26, 10.84), (moments.Count, moments.Min, moments.Max));
        Assert.Equal(7.500909090909091, moments.Mean, 1e-12);
        Assert.Equal(4.127269090909091, moments.Variance!.Value, 1e-12);        // as published, 4.127
        Assert.Equal(41.27269090909091, moments.M2, 1e-10);
        Assert.Equal(values.Sum(value => Math.Pow(value - moments.Mean, 3)), moments.M3, 1e-10);
        Assert.Equal(values.Sum(value => Math.Pow(value - moments.Mean, 4)), moments.M4, 1e-9);
    }

    [Fact]
    public void A_far_away_mean_costs_no_digits_of_the_variance()
    {
        var moments = new[] { 1e9 + 4, 1e9 + 7, 1e9 + 13, 1e9 + 16 }.Aggregate(default(Moments), (sum, value) => sum.Add(value));
        Assert.Equal((30d, 1e9 + 10), (moments.Variance, moments.Mean));
    }

    [Fact]
    public void One_number_is_added_to_the_bit_as_its_moments_are_merged() => Prop.ForAll<NormalFloat[], NormalFloat>((values, last) =>
    {
        var moments = values.Select(Bounded).Aggregate(default(Moments), (sum, value) => sum.Merge(Moments.Of(value)));
        return moments.Add(Bounded(last)) == moments.Merge(Moments.Of(Bounded(last)));
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void Any_partition_gives_the_moments_of_the_whole() => Prop.ForAll<NormalFloat[], PositiveInt>((values, parts) =>
    {
        var (count, numbers) = ((parts.Get % 5) + 1, values.Select(value => Bounded(value) % 1000).ToArray());
        var whole = numbers.Aggregate(default(Moments), (sum, value) => sum.Add(value));
        var merged = Enumerable.Range(0, count)
            .Select(part => numbers.Where((_, i) => i % count == part).Aggregate(default(Moments), (sum, value) => sum.Add(value)))
            .Aggregate(default(Moments), (sum, part) => sum.Merge(part));
        return whole.Count == merged.Count && whole.Min == merged.Min && whole.Max == merged.Max
            && Near(whole.Mean, merged.Mean, 1e3) && Near(whole.M2, merged.M2, whole.M2) && Near(whole.M3, merged.M3, 1e9 * numbers.Length) && Near(whole.M4, merged.M4, whole.M4);
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void The_largest_numbers_that_have_moments_keep_them_finite() => Prop.ForAll<bool[]>(signs =>
    {
        var moments = signs.Aggregate(default(Moments), (sum, isUp) => sum.Add(isUp ? Moments.Largest : -Moments.Largest));
        var many = new Moments(1_000_000_000_000, -Moments.Largest, -Moments.Largest, -Moments.Largest, 0, 0, 0).Merge(moments).Merge(Moments.Of(Moments.Largest));
        return new[] { moments, many }.All(sum => double.IsFinite(sum.Mean) && double.IsFinite(sum.M2) && double.IsFinite(sum.M3) && double.IsFinite(sum.M4));
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void Profiles_of_any_partition_merge_to_the_whole() => Prop.ForAll<byte[], PositiveInt>((values, parts) =>
    {
        var count = (parts.Get % 4) + 1;
        var merged = Enumerable.Range(0, count).Select(part => Profile(values.Where((_, i) => i % count == part))).Aggregate((one, other) => one.Merge(other));
        var whole = Profile(values);
        return whole.Count == merged.Count && whole.Missing == merged.Missing && whole.Bins.SequenceEqual(merged.Bins) && whole.Moments!.Value.Count == merged.Moments!.Value.Count;
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void Profiles_of_different_bins_do_not_merge() =>
        Assert.Throws<ArgumentException>(() => new ColumnProfile(1, 0, [1], null).Merge(new ColumnProfile(1, 0, [1, 0], null)));

    private static ColumnProfile Profile(IEnumerable<byte> values)
    {
        var all = values.ToArray();
        var present = all.Where(value => value != 0).ToArray();
        return new(all.Length, all.Length - present.Length, [present.Count(value => value < 100), present.Count(value => value >= 100)], present.Aggregate(default(Moments), (sum, value) => sum.Add(value)));
    }

    private static double Bounded(NormalFloat value) => value.Get % 1e70;

    private static bool Near(double x, double y, double scale) => Math.Abs(x - y) <= 1e-9 * Math.Max(1, Math.Abs(scale));
}
