using Slipway.Engines.DuckDb;
using Slipway.Pipeline.Checks;

namespace Slipway.Tests.Pipeline.Checks;

public class RowChoiceTests
{
    [Theory]
    [InlineData(10, 3, 42)]
    [InlineData(1_000, 999, 0)]
    [InlineData(3_000_000, 10_000, 42)]
    [InlineData(1_000_003, 1_000, 4_294_967_295)]
    [InlineData(92_233_720_000, 100_000_000, 4_294_967_295)]
    public void Each_span_gives_one_row_of_its_own_in_order(long total, long wanted, long seed)
    {
        var choice = new RowChoice(total, wanted, seed);
        long before = -1;
        foreach (var span in Spans(wanted))
        {
            var row = choice.Row(span);
            Assert.InRange(row, (span * total + wanted - 1) / wanted, ((span + 1) * total + wanted - 1) / wanted - 1);
            Assert.True(row > before);
            before = row;
        }

        Assert.InRange(choice.Row(wanted - 1), 0, total - 1);
        Assert.InRange(total, wanted + 1, RowChoice.MostRows);
    }

    [Fact]
    public void Another_seed_chooses_other_rows()
    {
        var (a, b) = (new RowChoice(1_000_000, 1_000, 1), new RowChoice(1_000_000, 1_000, 2));
        Assert.InRange(Enumerable.Range(0, 1_000).Count(span => a.Row(span) == b.Row(span)), 0, 20);
    }

    [Fact]
    public void Rows_are_chosen_evenly_within_their_spans()
    {
        var choice = new RowChoice(1_000_000, 10_000, 42);
        var tenths = Enumerable.Range(0, 10_000).GroupBy(span => choice.Row(span) % 100 / 10).Select(tenth => tenth.Count()).ToList();
        Assert.Equal(10, tenths.Count);
        Assert.All(tenths, count => Assert.InRange(count, 850, 1_150));
    }

    [Theory]
    [InlineData(5_000, 37, 42)]
    [InlineData(5_000, 4_999, 4_294_967_295)]
    [InlineData(5_001, 1, 0)]
    public void The_engine_chooses_the_same_rows(long total, long wanted, long seed)
    {
        var choice = new RowChoice(total, wanted, seed);
        var folder = Directory.CreateTempSubdirectory("slipway-").FullName;
        try
        {
            using var database = DuckDatabase.Open(new DuckOptions { ScratchFolder = folder });
            var rows = database.Rows($"SELECT i FROM range({total}) numbers(i) WHERE {choice.Condition("i")} ORDER BY i").Select(row => long.Parse(row[0]!));
            Assert.Equal(Enumerable.Range(0, (int)wanted).Select(span => choice.Row(span)), rows);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static IEnumerable<long> Spans(long wanted) =>
        wanted <= 10_000 ? Enumerable.Range(0, (int)wanted).Select(span => (long)span) : Enumerable.Range(0, 10_000).Select(i => i * (wanted - 1) / 9_999);
}
