using Slipway.Documents.Specs;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;

namespace Slipway.Tests.Documents.Specs;

public class SampleTests
{
    [Fact]
    public void A_dataset_says_what_a_check_takes_of_it()
    {
        Assert.Equal(new SampleSpec(10_000, 42), Sample("{ path: data/rows.csv }"));
        Assert.Equal(new SampleSpec(200_000, 7), Sample("{ path: data/rows.csv, sample: { rows: 200000, seed: 7 } }"));
        Assert.Equal(new SampleSpec(10_000, 7), Sample("{ path: data/rows.csv, sample: { seed: 7 } }"));
        Assert.Equal(new SampleSpec(100_000_000, 4_294_967_295), Sample("{ path: data/rows.csv, sample: { rows: 100000000, seed: 4294967295 } }"));
    }

    [Theory]
    [InlineData("{ rows: 0 }")]
    [InlineData("{ rows: 100000001 }")]
    [InlineData("{ rows: 1.5 }")]
    [InlineData("{ seed: -1 }")]
    [InlineData("{ seed: 4294967296 }")]
    [InlineData("{ row: 1 }")]
    public void What_is_out_of_range_is_refused_with_its_place(string sample)
    {
        var e = Assert.Throws<SlipwayException>(() => Sample($"{{ path: data/rows.csv, sample: {sample} }}"));
        Assert.Equal((ExitCode.UnusableInput, 4), (e.Exit, e.Faults[0].Line));
    }

    [Fact]
    public void It_is_outside_of_what_is_sealed()
    {
        static byte[] Sealed(string dataset) => CanonicalJson.Serialize(Parse(dataset).ForSeal(), Slipway.Documents.DocumentJson.Default.Spec);
        Assert.Equal(Sealed("{ path: data/rows.csv }"), Sealed("{ path: data/rows.csv, sample: { rows: 5 } }"));
        Assert.NotEqual(Sealed("{ path: data/rows.csv }"), Sealed("{ path: data/row.csv }"));
    }

    private static SampleSpec Sample(string dataset) => Parse(dataset).Data["rows"].Sample;

    private static Spec Parse(string dataset) => SpecText.Parse($"slipway: 1\nname: x\ndata:\n  rows: {dataset}\n");
}
