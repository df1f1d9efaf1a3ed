using Slipway.Server.Monitoring;
using Slipway.Stats.Intervals;
using Slipway.Stats.Sketches;

namespace Slipway.Tests.Server.Monitoring;

public sealed class WindowSumTests
{
    [Fact]
    public void A_window_comes_back_as_it_was_stored()
    {
        var bytes = Sample().ToBytes();
        var read = WindowSum.Read(bytes);
        Assert.Equal((1_000_000_000_000, 9, 7, 3, 2), (read.Requests, read.Refused, read.Sampled, read.Unkept, read.Misfits));
        Assert.Equal([5, 0, 0, 0, 1], read.Bad);
        Assert.Equal((3, 4), (read.Latency[0], read.Latency[64]));
        Assert.Equal(3, read.Features.Length);
        Assert.Null(read.Features[0]);
        Assert.Equal([1, 2, 300], read.Features[1]!.Bins);
        Assert.Equal(new Moments(303, -1.5, double.MaxValue, 1e-300, 4, -5, 6), read.Features[1]!.Moments);
        Assert.Null(read.Features[2]!.Moments);
        Assert.Equal(bytes, read.ToBytes());
        Assert.Equal(new WindowSum().ToBytes(), WindowSum.Read(new WindowSum().ToBytes()).ToBytes());
    }

    [Fact]
    public void Sums_of_parts_are_the_sum_of_the_whole()
    {
        var (one, two) = (Sample(), Sample());
        one.Add(two);
        Assert.Equal((2_000_000_000_000, 18, 10, 606), (one.Requests, one.Refused, one.Bad[0], one.Features[1]!.Count));
        Assert.Equal(Sample().ToBytes(), two.ToBytes());
    }

    [Fact]
    public void Bytes_that_were_never_stored_are_told_from_windows_and_cost_no_memory()
    {
        var good = Sample().ToBytes();
        for (var length = 0; length < good.Length; length++)
            Assert.Throws<InvalidDataException>(() => WindowSum.Read(good.AsSpan(0, length)));
        Assert.Throws<InvalidDataException>(() => WindowSum.Read([.. good, 0]));
        Assert.Throws<InvalidDataException>(() => WindowSum.Read([3, .. good[1..]]));
        // A list that claims to be endless.
        Assert.Throws<InvalidDataException>(() => WindowSum.Read([2, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F]));
        Assert.Throws<InvalidDataException>(() => WindowSum.Read([2, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF]));
        // As windows were stored before refused requests were counted.
        Assert.Equal((5, 0), (WindowSum.Read([1, 5, 0, 0, 0, 0, 0, 0]).Requests, WindowSum.Read([1, 5, 0, 0, 0, 0, 0, 0]).Refused));
        var random = new Philox(1, 1);
        for (var run = 0; run < 20_000; run++)
        {
            var bytes = (byte[])good.Clone();
            for (var i = 0; i < 3; i++)
                bytes[random.Below((uint)bytes.Length)] = (byte)random.Next();
            try
            {
                WindowSum.Read(bytes);
            }
            catch (InvalidDataException)
            {
                // The only way to say no.
            }
        }
    }

    [Fact]
    public void Quality_comes_back_as_it_was_stored_and_hostile_bytes_do_not()
    {
        var sum = new QualitySum { Kept = 9 };
        sum.Add(WatchedVersion.BinaryClassification, 0.3, 1);
        sum.Add(WatchedVersion.BinaryClassification, 1, 0);
        sum.Add(WatchedVersion.Regression, 5, 3.5);
        var bytes = sum.ToBytes();
        var read = QualitySum.Read(bytes);
        Assert.Equal((9, 3), (read.Kept, read.Labelled));
        Assert.Equal((sum.Scores.Loss, sum.Scores.FourthPowers, sum.Errors), (read.Scores.Loss, read.Scores.FourthPowers, read.Errors));
        Assert.Equal(bytes, read.ToBytes());
        for (var length = 0; length < bytes.Length; length++)
            Assert.Throws<InvalidDataException>(() => QualitySum.Read(bytes.AsSpan(0, length)));
        Assert.Throws<InvalidDataException>(() => QualitySum.Read([.. bytes, 0]));
    }

    private static WindowSum Sample()
    {
        var sum = new WindowSum { Requests = 1_000_000_000_000, Refused = 9, Sampled = 7, Unkept = 3, Misfits = 2 };
        (sum.Bad[0], sum.Bad[4], sum.Latency[0], sum.Latency[64]) = (5, 1, 3, 4);
        sum.Add(1, new ColumnProfile(303, 0, [1, 2, 300], new Moments(303, -1.5, double.MaxValue, 1e-300, 4, -5, 6)));
        sum.Add(2, new ColumnProfile(5, 5, [0, 0], null));
        return sum;
    }
}
