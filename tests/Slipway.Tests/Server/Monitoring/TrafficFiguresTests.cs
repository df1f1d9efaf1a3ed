using Slipway.Documents.Rollouts;
using Slipway.Server.Monitoring;

namespace Slipway.Tests.Server.Monitoring;

public sealed class TrafficFiguresTests
{
    [Fact]
    public void What_few_answers_leave_open_has_no_end()
    {
        var one = TrafficFigures.Latency(Answers(1, _ => 20))["p50"];
        Assert.Equal((0, null), (one.Low, one.High));
        Assert.Contains("1 answers are too few", one.Lacks, StringComparison.Ordinal);

        // None of 100 answers is later than the slowest twentieth-of-a-percent of all might be.
        var few = TrafficFigures.Latency(Answers(100, _ => 20));
        Assert.NotNull(few["p50"].High);
        Assert.Null(few["p99"].High);
        Assert.NotNull(TrafficFigures.Latency(Answers(1_000, _ => 20))["p99"].High);
    }

    /// <summary>Answers that fall into 40 buckets alike: the quantile of 0.95 is the upper end of the 38th.</summary>
    [Theory]
    [InlineData(40)]
    [InlineData(200)]
    [InlineData(2_000)]
    public void The_interval_holds_the_true_quantile_at_its_level(int answers)
    {
        var (random, truth, held) = (new Random(answers), LatencyBuckets.Bounds[37], 0);
        for (var sample = 0; sample < 1_000; sample++)
        {
            var figure = TrafficFigures.Latency(Answers(answers, _ => random.Next(40)))["p95"];
            held += figure.Low <= truth * (1 + 1e-9) && (figure.High is not { } high || high >= truth * (1 - 1e-9)) ? 1 : 0;
        }

        Assert.InRange(held, 940, 1_000);
    }

    private static WindowSum Answers(int count, Func<int, int> bucket)
    {
        var sum = new WindowSum { Requests = count };
        for (var i = 0; i < count; i++)
            sum.Latency[bucket(i)]++;
        return sum;
    }
}
